//! What the declarations alone say of every value: context by its type, balances from 0 to what they hold, counts from 0,
//! payloads by their bounds, the blocks' variables and functions by what the blocks do.

use std::collections::BTreeSet;

use blocks::chances::Params as Chances;
use blocks::streak::{Cycle, Params as Days};
use blocks::tasks::Params as Tasks;
use blocks::wheel::Params as Wheel;
use machine::expr::{BlockCall, IntExpr, Source};
use machine::model::{Action, Definition, Field, VarKind};

use super::programs;
use super::range::{Known, Range, Truth};

/// How many variables a task has.
const TASK_VARS: usize = 4;

/// Where an expression runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    /// In a transition of this event.
    Event(u16),
    /// Where time, or the machine itself, moves on.
    Alone,
}

/// The declared ranges of a definition.
#[derive(Debug)]
pub(super) struct Ranges<'a> {
    pub definition: &'a Definition,
    /// What a variable may hold at any time, where no `set` changes it.
    fixed: Vec<Option<Known>>,
    blocks: Vec<Kind>,
    /// The numbers that programs compare with, in order: where widening stops.
    pub steps: Vec<i64>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Chances(Chances),
    Wheel(Wheel),
    Days(Days),
    Other,
}

/// The blocks with their parameters.
pub(super) fn kinds(definition: &Definition) -> Vec<Kind> {
    let kind = |spec: &machine::model::BlockSpec| {
        let params = spec.params.as_str();
        match spec.kind.as_str() {
            blocks::chances::KIND => serde_json::from_str(params).ok().map(Kind::Chances),
            blocks::wheel::KIND => serde_json::from_str(params).ok().map(Kind::Wheel),
            blocks::streak::KIND => serde_json::from_str(params).ok().map(Kind::Days),
            _ => None,
        }
        .unwrap_or(Kind::Other)
    };
    definition.blocks.iter().map(kind).collect()
}

impl<'a> Ranges<'a> {
    pub fn new(definition: &'a Definition) -> Self {
        let kinds = kinds(definition);
        let mut owned = BTreeSet::new();
        let mut fixed: Vec<Option<Known>> = definition.vars.iter().map(|_| None).collect();
        let mut fix = |slot: u16, known: Known| {
            if let Some(place) = fixed.get_mut(usize::from(slot)) {
                *place = Some(known);
            }
        };
        let grown = grown(definition);
        for (slot, var) in definition.vars.iter().enumerate() {
            let slot = slot as u16;
            match var.kind {
                VarKind::Balance if grown.contains(&slot) => {
                    fix(slot, Known::Int(balance(var.at_most)));
                }
                // What nothing adds to stays where it starts.
                VarKind::Balance => fix(
                    slot,
                    Known::one(&var.default).or(&Known::Int(Range::one(0))),
                ),
                VarKind::Hidden => fix(slot, Known::any(var.ty)),
                VarKind::Context => {}
            }
        }
        for (spec, kind) in definition.blocks.iter().zip(&kinds) {
            owned.extend(spec.vars.iter().copied());
            for (at, slot) in spec.vars.iter().enumerate() {
                let Some(var) = definition.vars.get(usize::from(*slot)) else {
                    continue;
                };
                let known = match (kind, at) {
                    (Kind::Chances(params), 0) => {
                        let some = params.first_visit > 0 || params.each_day > 0;
                        (some || grown.contains(slot)).then(|| Known::Int(balance(var.at_most)))
                    }
                    (Kind::Wheel(params), 0) => Some(Known::Int(misses(params))),
                    (Kind::Days(params), 1) => Some(Known::Int(Range {
                        low: 0,
                        high: longest(params.cycle),
                    })),
                    (Kind::Days(_), 2) => Some(Known::Int(Range::COUNT)),
                    (Kind::Days(params), 3) => Some(Known::Int(Range {
                        low: 0,
                        high: makeups(params),
                    })),
                    // Cards, which the block itself may take.
                    (Kind::Days(_), _) if var.kind == VarKind::Balance => {
                        Some(Known::Int(balance(var.at_most)))
                    }
                    (Kind::Days(_), _) if var.name == "day_sum" => Some(Known::Int(Range::COUNT)),
                    _ => Some(Known::any(var.ty)),
                };
                if let Some(known) = known {
                    fix(*slot, known);
                }
            }
        }
        Self {
            definition,
            fixed,
            blocks: kinds,
            steps: programs::numbers(definition),
        }
    }

    /// What a variable may hold whatever happens; nothing for one that `set` changes.
    pub fn fixed(&self, slot: usize) -> Option<&Known> {
        self.fixed.get(slot)?.as_ref()
    }

    /// What a claim or a payload's field may be.
    pub fn outside(&self, source: Source, here: Here) -> Known {
        match source {
            Source::Var(_) => Known::Other,
            Source::User(claim) => {
                let claim = self.definition.claims.get(usize::from(claim));
                claim.map_or(Known::Other, |claim| Known::any(claim.ty))
            }
            // Whatever a service says, of its type, or what is declared: nothing is known of either beforehand.
            Source::Fact(fact) => {
                let fact = self.definition.facts.get(usize::from(fact));
                fact.map_or(Known::Other, |fact| Known::any(fact.ty()))
            }
            Source::Event(field) => {
                let Here::Event(event) = here else {
                    return Known::Other;
                };
                let event = self.definition.events.get(usize::from(event));
                let field = event.and_then(|event| event.payload.get(usize::from(field)));
                field.map_or(Known::Other, carried)
            }
        }
    }

    /// The instants at which something runs.
    pub fn now(&self, here: Here) -> Range {
        let window = self.definition.window;
        let Here::Event(event) = here else {
            return Range::ANY;
        };
        let event = self.definition.events.get(usize::from(event));
        let last = match event {
            Some(event) if event.while_claiming => window.claim_until,
            _ => window.closes,
        };
        // Testers play before it opens.
        let first = match self.definition.testers {
            Some(_) => i64::MIN,
            None => window.opens,
        };
        Range::new(first, last.saturating_sub(1)).unwrap_or(Range::ANY)
    }

    /// The days on which something runs.
    pub fn today(&self, here: Here) -> Range {
        let now = self.now(here);
        let day = |at: i64| i64::from(self.definition.calendar.day(at));
        let any = Range {
            low: i64::from(i32::MIN),
            high: i64::from(i32::MAX),
        };
        Range {
            low: if now.low == i64::MIN {
                any.low
            } else {
                day(now.low)
            },
            high: if now.high == i64::MAX {
                any.high
            } else {
                day(now.high)
            },
        }
    }

    /// How often a reward may have been given.
    pub fn given(&self, reward: u16) -> Range {
        let reward = self.definition.rewards.get(usize::from(reward));
        let most = reward.and_then(|reward| reward.per_user);
        Range {
            low: 0,
            high: most.map_or(i64::MAX, i64::from),
        }
    }

    /// What a block's function may give.
    pub fn call(&self, call: &BlockCall) -> Known {
        let Some(spec) = self.definition.blocks.get(usize::from(call.block)) else {
            return Known::Other;
        };
        let signature = blocks::signature(&spec.kind, i64::MAX);
        let function = signature
            .as_ref()
            .and_then(|found| found.functions.get(usize::from(call.function)));
        let Some(function) = function else {
            return Known::Other;
        };
        let kind = self.blocks.get(usize::from(call.block));
        match (kind, function.name) {
            (Some(Kind::Days(params)), "makeups_left") => Known::Int(Range {
                low: 0,
                high: makeups(params),
            }),
            (Some(Kind::Days(params)), "can_make_up") if params.makeup.is_none() => {
                Known::Bool(Truth::one(false))
            }
            (Some(Kind::Other), "tasks_done") => Known::Int(Range {
                low: 0,
                high: (spec.vars.len() / TASK_VARS) as i64,
            }),
            (Some(Kind::Other), "progress") => Known::Int(Range::COUNT),
            (Some(Kind::Days(params)), "enough_today") if params.measure.is_none() => {
                Known::Bool(Truth::one(true))
            }
            (Some(Kind::Days(params)), "has_makeup_card")
                if params.makeup.is_none_or(|makeup| makeup.cards.is_none()) =>
            {
                Known::Bool(Truth::one(true))
            }
            (Some(Kind::Days(params)), "can_pay_makeup")
                if params.makeup.is_none_or(|makeup| makeup.cost.is_none()) =>
            {
                Known::Bool(Truth::one(true))
            }
            (Some(Kind::Days(_)), "skipped_today")
                if self.definition.calendar.skip_days.is_empty() =>
            {
                Known::Bool(Truth::one(false))
            }
            _ => Known::any(function.result),
        }
    }
}

fn balance(at_most: i64) -> Range {
    Range {
        low: 0,
        high: at_most.max(0),
    }
}

fn makeups(params: &Days) -> i64 {
    params.makeup.map_or(0, |makeup| i64::from(makeup.at_most))
}

fn longest(cycle: Cycle) -> i64 {
    match cycle {
        Cycle::None => i64::MAX,
        Cycle::Month => 31,
        Cycle::Days(days) => i64::from(days),
    }
}

fn misses(params: &Wheel) -> Range {
    // Whatever starts it over, the draw that pity decides does.
    let most = params.pity.as_ref();
    Range {
        low: 0,
        high: most.map_or(i64::MAX, |pity| i64::from(pity.losses)),
    }
}

fn carried(field: &Field) -> Known {
    let sent = match field.ty {
        machine::Type::Int => {
            Range::new(field.at_least, field.at_most).map_or(Known::any(field.ty), Known::Int)
        }
        other => Known::any(other),
    };
    match &field.default {
        Some(default) => sent.or(&Known::one(default)),
        None => sent,
    }
}

/// What tasks and codes earn: balances, and how much of each.
pub(super) fn earned(definition: &Definition) -> Vec<(u16, i64)> {
    let tasks = definition
        .blocks
        .iter()
        .filter(|spec| spec.kind == blocks::tasks::KIND);
    let params = tasks.filter_map(|spec| serde_json::from_str::<Tasks>(&spec.params).ok());
    let codes = blocks::redeem::of(definition).into_iter();
    let codes = codes.flat_map(|params| params.kinds);
    params
        .flat_map(|params| params.tasks)
        .flat_map(|task| task.earns)
        .chain(codes.flat_map(|kind| kind.earns))
        .collect()
}

/// The balances that something adds to.
pub(super) fn grown(definition: &Definition) -> BTreeSet<u16> {
    let mut found: BTreeSet<u16> = definition
        .rewards
        .iter()
        .filter_map(|reward| reward.balance)
        .collect();
    found.extend(earned(definition).into_iter().map(|(slot, _)| slot));
    programs::actions(definition, &mut |action| {
        if let Action::Add(slot, amount) = action
            && *amount != IntExpr::Lit(0)
        {
            found.insert(*slot);
        }
    });
    found
}
