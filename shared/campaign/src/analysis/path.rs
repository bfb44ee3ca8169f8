//! One way through the guards of a list: what must hold of every value for the transitions so far to have been passed by,
//! or taken. What can't be said is left open; so a path that is refuted never happens, and one that is not may not
//! happen either.

use std::rc::Rc;

use machine::expr::{Arith, BoolExpr, Compare, Expr, IntExpr, Source, StrExpr};

use super::range::{Known, Range, Texts, Truth};
use super::ranges::{Here, Ranges};

/// The most ways that one guard is split into; with more it is not looked into.
const MOST_WAYS: usize = 24;

/// How two numbers may stand to each other.
type Order = u8;
const LESS: Order = 1;
const SAME: Order = 2;
const MORE: Order = 4;

/// What is known on one path.
#[derive(Debug, Clone)]
pub(super) struct Path<'a> {
    pub ranges: &'a Ranges<'a>,
    pub here: Here,
    pub vars: Rc<[Known]>,
    ints: Vec<(&'a IntExpr, Range)>,
    texts: Vec<(&'a StrExpr, Texts)>,
    /// What can't be looked into: a block's answer, a list, a claim.
    facts: Vec<(&'a BoolExpr, bool)>,
    orders: Vec<(&'a IntExpr, &'a IntExpr, Order)>,
    same: Vec<(&'a StrExpr, &'a StrExpr, bool)>,
}

impl<'a> Path<'a> {
    pub fn new(ranges: &'a Ranges<'a>, here: Here, vars: Rc<[Known]>) -> Self {
        Self {
            ranges,
            here,
            vars,
            ints: Vec::new(),
            texts: Vec::new(),
            facts: Vec::new(),
            orders: Vec::new(),
            same: Vec::new(),
        }
    }

    /// The ways on which a guard comes out like this; none: it never does.
    pub fn assume(&self, guard: &'a BoolExpr, truth: bool) -> Vec<Self> {
        match guard {
            BoolExpr::Lit(value) => self.if_so(*value == truth),
            BoolExpr::Not(inner) => self.assume(inner, !truth),
            BoolExpr::All(parts) => self.each(parts.iter(), truth, true, |path, part, truth| {
                path.assume(part, truth)
            }),
            BoolExpr::Any(parts) => self.each(parts.iter(), truth, false, |path, part, truth| {
                path.assume(part, truth)
            }),
            BoolExpr::Compare(how, left, right) => self
                .compared(*how, left, right, truth)
                .into_iter()
                .collect(),
            BoolExpr::IntIn(needle, list) => {
                self.each(list.iter(), truth, false, |path, item, truth| {
                    let found = path.compared(Compare::Eq, needle, item, truth);
                    found.into_iter().collect()
                })
            }
            BoolExpr::SameStr(left, right) => self.alike(left, right, truth).into_iter().collect(),
            BoolExpr::StrIn(needle, list) => {
                self.each(list.iter(), truth, false, |path, item, truth| {
                    path.alike(needle, item, truth).into_iter().collect()
                })
            }
            BoolExpr::SameBool(left, right) => {
                let sides = [true, false].into_iter().flat_map(|side| {
                    let ways = self.assume(left, side);
                    ways.into_iter()
                        .flat_map(move |path| path.assume(right, side == truth))
                });
                self.few(sides.collect())
            }
            BoolExpr::If(parts) => {
                let sides = [(true, &parts.1), (false, &parts.2)];
                let ways = sides.into_iter().flat_map(|(side, then)| {
                    let ways = self.assume(&parts.0, side);
                    ways.into_iter()
                        .flat_map(move |path| path.assume(then, truth))
                });
                self.few(ways.collect())
            }
            BoolExpr::Get(_) | BoolExpr::Fact(_) | BoolExpr::Call(_) | BoolExpr::Has(..) => {
                self.fact(guard, truth).into_iter().collect()
            }
        }
    }

    /// The ways through parts of which all must be `each` for the whole to be `each`: `&&` for true, `||` for false.
    fn each<P: Copy>(
        &self,
        parts: impl Iterator<Item = P>,
        truth: bool,
        each: bool,
        assume: impl Fn(&Self, P, bool) -> Vec<Self>,
    ) -> Vec<Self> {
        let mut open = vec![self.clone()];
        let mut found = Vec::new();
        for part in parts {
            if truth != each {
                found.extend(open.iter().flat_map(|path| assume(path, part, truth)));
            }
            open = open
                .iter()
                .flat_map(|path| assume(path, part, each))
                .collect();
            if open.len() + found.len() > MOST_WAYS {
                return vec![self.clone()];
            }
        }
        if truth == each { open } else { found }
    }

    fn few(&self, ways: Vec<Self>) -> Vec<Self> {
        if ways.len() > MOST_WAYS {
            vec![self.clone()]
        } else {
            ways
        }
    }

    fn if_so(&self, so: bool) -> Vec<Self> {
        if so { vec![self.clone()] } else { Vec::new() }
    }

    fn fact(&self, guard: &'a BoolExpr, truth: bool) -> Option<Self> {
        let known = self.facts.iter().find(|(fact, _)| *fact == guard);
        if let Some((_, known)) = known {
            return (*known == truth).then(|| self.clone());
        }
        if !self.atom(guard).may(truth) {
            return None;
        }
        let mut path = self.clone();
        path.facts.push((guard, truth));
        Some(path)
    }

    fn atom(&self, guard: &BoolExpr) -> Truth {
        let known = match guard {
            BoolExpr::Get(source) => self.source(*source),
            BoolExpr::Call(call) => self.ranges.call(call),
            _ => Known::Other,
        };
        match known {
            Known::Bool(truth) => truth,
            _ => Truth::EITHER,
        }
    }

    fn compared(
        &self,
        how: Compare,
        left: &'a IntExpr,
        right: &'a IntExpr,
        truth: bool,
    ) -> Option<Self> {
        let wanted = match how {
            Compare::Eq => SAME,
            Compare::Ne => LESS | MORE,
            Compare::Lt => LESS,
            Compare::Le => LESS | SAME,
            Compare::Gt => MORE,
            Compare::Ge => MORE | SAME,
        };
        let wanted = if truth {
            wanted
        } else {
            !wanted & (LESS | SAME | MORE)
        };
        let (a, b) = (self.int(left)?, self.int(right)?);
        let order = wanted & self.order(left, right, a, b);
        if order == 0 {
            return None;
        }
        let mut path = self.clone();
        if a.only().is_none() && b.only().is_none() {
            path.orders.push((left, right, order));
        }
        let (a, b) = narrowed(order, a, b)?;
        path.learn(left, a)?;
        path.learn(right, b)?;
        Some(path)
    }

    fn order(&self, left: &IntExpr, right: &IntExpr, a: Range, b: Range) -> Order {
        let mut order = 0;
        if a.low < b.high {
            order |= LESS;
        }
        if a.high > b.low {
            order |= MORE;
        }
        if a.with(b).is_some() {
            order |= SAME;
        }
        if left == right {
            order &= SAME;
        }
        for (one, other, known) in &self.orders {
            if *one == left && *other == right {
                order &= known;
            }
            if *one == right && *other == left {
                order &= turned(*known);
            }
        }
        order
    }

    /// Takes in that a number lies within a range, and what follows for its parts. Nothing if it can't.
    fn learn(&mut self, number: &'a IntExpr, range: Range) -> Option<()> {
        let range = self.int(number)?.with(range)?;
        match number {
            IntExpr::Lit(_) => return Some(()),
            IntExpr::Neg(inner) => {
                // What has no negative is no result either.
                if let Some(range) = range.neg() {
                    self.learn(inner, range)?;
                }
            }
            IntExpr::Arith(Arith::Add, parts) => {
                if let IntExpr::Lit(by) = &parts.1 {
                    let range = Range::arith(Arith::Sub, range, Range::one(*by))?;
                    self.learn(&parts.0, range)?;
                } else if let IntExpr::Lit(by) = &parts.0 {
                    let range = Range::arith(Arith::Sub, range, Range::one(*by))?;
                    self.learn(&parts.1, range)?;
                }
            }
            IntExpr::Arith(Arith::Sub, parts) => {
                if let IntExpr::Lit(by) = &parts.1 {
                    let range = Range::arith(Arith::Add, range, Range::one(*by))?;
                    self.learn(&parts.0, range)?;
                }
            }
            _ => {}
        }
        match self.ints.iter_mut().find(|(known, _)| *known == number) {
            Some((_, known)) => *known = range,
            None => self.ints.push((number, range)),
        }
        Some(())
    }

    /// What a number may be; nothing if it always fails.
    pub fn int(&self, number: &IntExpr) -> Option<Range> {
        let own = match number {
            IntExpr::Lit(value) => return Some(Range::one(*value)),
            IntExpr::Get(source) => whole(&self.source(*source)),
            IntExpr::Now => self.ranges.now(self.here),
            IntExpr::Today => self.ranges.today(self.here),
            IntExpr::DayOf(instant) => {
                self.int(instant)?;
                match **instant {
                    IntExpr::Now => self.int(&IntExpr::Today)?,
                    _ => Range {
                        low: i64::from(i32::MIN),
                        high: i64::from(i32::MAX),
                    },
                }
            }
            IntExpr::Neg(inner) => self.int(inner)?.neg()?,
            IntExpr::Arith(how, parts) => {
                Range::arith(*how, self.int(&parts.0)?, self.int(&parts.1)?)?
            }
            IntExpr::If(parts) => {
                let truth = self.bool(&parts.0);
                let yes = truth.yes.then(|| self.int(&parts.1)).flatten();
                let no = truth.no.then(|| self.int(&parts.2)).flatten();
                match (yes, no) {
                    (Some(yes), Some(no)) => yes.or(no),
                    (one, other) => one.or(other)?,
                }
            }
            IntExpr::Size(text) => match self.text(text) {
                Some(texts) => {
                    let sizes = texts.iter().map(|text| text.chars().count() as i64);
                    sizes.map(Range::one).reduce(Range::or)?
                }
                None => Range::COUNT,
            },
            IntExpr::Given(reward) => self.ranges.given(*reward),
            IntExpr::CountToday(_) | IntExpr::CountTotal(_) => Range::COUNT,
            IntExpr::Call(call) => whole(&self.ranges.call(call)),
        };
        let known = self.ints.iter().find(|(known, _)| *known == number);
        known.map_or(Some(own), |(_, known)| own.with(*known))
    }

    /// Which truth values an expression may have.
    pub fn bool(&self, program: &BoolExpr) -> Truth {
        let both = |parts: &[BoolExpr], all: bool| {
            let truths = parts.iter().map(|part| self.bool(part));
            let (mut whole, mut part_way) = (true, false);
            for truth in truths {
                whole &= truth.may(all);
                part_way |= truth.may(!all);
            }
            if all {
                Truth {
                    yes: whole,
                    no: part_way,
                }
            } else {
                Truth {
                    yes: part_way,
                    no: whole,
                }
            }
        };
        match program {
            BoolExpr::Lit(value) => Truth::one(*value),
            BoolExpr::Not(inner) => {
                let Truth { yes, no } = self.bool(inner);
                Truth { yes: no, no: yes }
            }
            BoolExpr::All(parts) => both(parts, true),
            BoolExpr::Any(parts) => both(parts, false),
            BoolExpr::Compare(how, left, right) => {
                let (Some(a), Some(b)) = (self.int(left), self.int(right)) else {
                    return Truth {
                        yes: false,
                        no: false,
                    };
                };
                let order = self.order(left, right, a, b);
                let holds = [(LESS, -1), (SAME, 0), (MORE, 1)]
                    .into_iter()
                    .filter(|(one, _)| order & one != 0)
                    .map(|(_, sign)| Truth::one(how.holds(sign, 0)));
                holds.reduce(Truth::or).unwrap_or(Truth {
                    yes: false,
                    no: false,
                })
            }
            BoolExpr::If(parts) => {
                let truth = self.bool(&parts.0);
                let (yes, no) = (self.bool(&parts.1), self.bool(&parts.2));
                Truth {
                    yes: truth.yes && yes.yes || truth.no && no.yes,
                    no: truth.yes && yes.no || truth.no && no.no,
                }
            }
            BoolExpr::Get(_) | BoolExpr::Fact(_) | BoolExpr::Call(_) | BoolExpr::Has(..) => {
                let known = self.facts.iter().find(|(fact, _)| *fact == program);
                known.map_or_else(|| self.atom(program), |(_, known)| Truth::one(*known))
            }
            BoolExpr::SameStr(left, right) => match (self.text(left), self.text(right)) {
                (Some(left), Some(right)) => Truth {
                    yes: !left.is_disjoint(&right),
                    no: left.len() > 1 || right.len() > 1 || left != right,
                },
                _ => Truth::EITHER,
            },
            BoolExpr::SameBool(..) | BoolExpr::IntIn(..) | BoolExpr::StrIn(..) => Truth::EITHER,
        }
    }

    fn alike(&self, left: &'a StrExpr, right: &'a StrExpr, truth: bool) -> Option<Self> {
        let (a, b) = (self.text(left), self.text(right));
        let known = self.same.iter().find(|(one, other, _)| {
            *one == left && *other == right || *one == right && *other == left
        });
        if known.is_some_and(|(_, _, known)| *known != truth) || left == right && !truth {
            return None;
        }
        let mut path = self.clone();
        path.same.push((left, right, truth));
        match (a, b) {
            (Some(a), Some(b)) if truth => {
                let both: std::collections::BTreeSet<_> = a.intersection(&b).cloned().collect();
                if both.is_empty() {
                    return None;
                }
                path.read(left, both.clone());
                path.read(right, both);
            }
            (Some(a), None) if truth => path.read(right, a),
            (None, Some(b)) if truth => path.read(left, b),
            (Some(mut a), Some(mut b)) => {
                let (one, other) = (a.clone(), b.clone());
                if other.len() == 1 {
                    a.retain(|text| !other.contains(text));
                }
                if one.len() == 1 {
                    b.retain(|text| !one.contains(text));
                }
                if a.is_empty() || b.is_empty() {
                    return None;
                }
                path.read(left, a);
                path.read(right, b);
            }
            _ => {}
        }
        Some(path)
    }

    fn read(&mut self, text: &'a StrExpr, texts: std::collections::BTreeSet<std::sync::Arc<str>>) {
        if matches!(text, StrExpr::Lit(_)) {
            return;
        }
        match self.texts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, known)) => *known = Some(texts),
            None => self.texts.push((text, Some(texts))),
        }
    }

    /// Which texts a text may be.
    pub fn text(&self, text: &StrExpr) -> Texts {
        if let Some((_, known)) = self.texts.iter().find(|(known, _)| *known == text) {
            return known.clone();
        }
        match text {
            StrExpr::Lit(value) => Some([value.clone()].into()),
            StrExpr::Get(source) => match self.source(*source) {
                Known::Text(texts) => texts,
                _ => None,
            },
            StrExpr::If(parts) => {
                let truth = self.bool(&parts.0);
                let sides = [(truth.yes, &parts.1), (truth.no, &parts.2)];
                let sides = sides.into_iter().filter(|(may, _)| *may);
                let all = sides.map(|(_, side)| Known::Text(self.text(side)));
                match all.reduce(|one, other| one.or(&other)) {
                    Some(Known::Text(texts)) => texts,
                    _ => None,
                }
            }
        }
    }

    /// What an expression may give; nothing if it always fails.
    pub fn value(&self, program: &Expr) -> Option<Known> {
        match program {
            Expr::Bool(program) => {
                let truth = self.bool(program);
                (truth.yes || truth.no).then_some(Known::Bool(truth))
            }
            Expr::Int(program) => self.int(program).map(Known::Int),
            Expr::Str(program) => Some(Known::Text(self.text(program))),
        }
    }

    fn source(&self, source: Source) -> Known {
        match source {
            Source::Var(slot) => {
                let known = self.vars.get(usize::from(slot));
                known.cloned().unwrap_or(Known::Other)
            }
            outside => self.ranges.outside(outside, self.here),
        }
    }

    /// What a variable may hold on this path.
    pub fn var(&self, slot: usize) -> Known {
        let source = Source::Var(slot as u16);
        let base = self.source(source);
        match base {
            Known::Int(_) => {
                let found = self.int(&IntExpr::Get(source));
                found.map_or(base, Known::Int)
            }
            Known::Bool(_) => Known::Bool(self.bool(&BoolExpr::Get(source))),
            Known::Text(_) => Known::Text(self.text(&StrExpr::Get(source))),
            Known::Other => base,
        }
    }
}

fn whole(known: &Known) -> Range {
    match known {
        Known::Int(range) => *range,
        _ => Range::ANY,
    }
}

fn turned(order: Order) -> Order {
    let mut turned = order & SAME;
    if order & LESS != 0 {
        turned |= MORE;
    }
    if order & MORE != 0 {
        turned |= LESS;
    }
    turned
}

/// What two numbers may be if they stand to each other like this.
fn narrowed(order: Order, a: Range, b: Range) -> Option<(Range, Range)> {
    let below = |a: Range, b: Range, gap: i64| {
        let left = Range::new(a.low, a.high.min(b.high.saturating_sub(gap)))?;
        let right = Range::new(b.low.max(a.low.saturating_add(gap)), b.high)?;
        Some((left, right))
    };
    let turn = |(b, a): (Range, Range)| (a, b);
    match order {
        LESS => below(a, b, 1),
        SAME => a.with(b).map(|both| (both, both)),
        MORE => below(b, a, 1).map(turn),
        3 => below(a, b, 0),
        6 => below(b, a, 0).map(turn),
        5 => Some((without(a, b)?, without(b, a)?)),
        _ => Some((a, b)),
    }
}

/// A range without a single value at one of its ends.
fn without(range: Range, other: Range) -> Option<Range> {
    match other.only() {
        Some(value) if value == range.low => Range::new(value.checked_add(1)?, range.high),
        Some(value) if value == range.high => Range::new(range.low, value.checked_sub(1)?),
        _ => Some(range),
    }
}
