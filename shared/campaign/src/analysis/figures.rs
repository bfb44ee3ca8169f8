//! Figures that can't all hold: limits that cancel each other, rewards without any limit, days that the window does not
//! have, bad luck that nobody will ever have.

use blocks::streak::{Cycle, FREEZE_CARDS, MAKEUP_CARDS, Makeup, Params as Days};
use blocks::wheel::Params as Wheel;
use machine::Value;
use machine::calendar::Calendar;
use machine::model::{Action, Definition, Every, RewardKind};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::Node;
use crate::source::Place;

use super::draws;
use super::places::entries;
use super::programs;
use super::ranges::{self, Kind};

/// A definition, its file and its blocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures<'a> {
    pub definition: &'a Definition,
    pub root: &'a Node,
    pub kinds: &'a [Kind],
}

impl Figures<'_> {
    /// The value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self.root, |node, key| node.get(key))
    }

    /// Where a value stands, or else the whole section.
    pub fn place(&self, path: &[&str]) -> &Place {
        (0..=path.len())
            .rev()
            .find_map(|length| self.at(path.get(..length)?))
            .map_or(&self.root.place, |node| &node.place)
    }

    /// The calendar days from the opening to the last instant of play (of claims, if something happens then).
    pub fn days(&self) -> std::ops::RangeInclusive<i32> {
        let calendar = &self.definition.calendar;
        let last = self.definition.drawn_until().saturating_sub(1);
        calendar.day(self.definition.window.opens)..=calendar.day(last)
    }

    /// How many days that is.
    pub fn length(&self) -> i64 {
        let days = self.days();
        i64::from(*days.end()) - i64::from(*days.start()) + 1
    }
}

/// Reports them.
pub(super) fn report(figures: Figures<'_>, out: &mut Diagnostics) {
    unlimited(figures, out);
    rewards(figures, out);
    budget(figures, out);
    for kind in figures.kinds {
        match kind {
            Kind::Chances(params) => chances(params, figures, out),
            Kind::Days(params) => days(params, figures, out),
            Kind::Wheel(params) => pity(params, figures, out),
            Kind::Other => {}
        }
    }
}

/// Things that someone has to buy, as many as come up.
fn unlimited(figures: Figures<'_>, out: &mut Diagnostics) {
    for reward in &figures.definition.rewards {
        let bought = matches!(
            reward.kind,
            RewardKind::Physical | RewardKind::Cash | RewardKind::Code
        );
        let paid = figures.definition.budget.is_some() && reward.cost > 0;
        if !bought || reward.stock.is_some() || paid {
            continue;
        }
        let message = format!("nothing limits how many of `{}` are given", reward.id);
        out.warn(
            codes::UNLIMITED,
            figures.place(&["rewards", &reward.id, "kind"]),
            message,
        )
        .help("say how many there are (`stock`), or what one costs (`cost`) under a `budget`");
    }
}

fn rewards(figures: Figures<'_>, out: &mut Diagnostics) {
    for reward in &figures.definition.rewards {
        let (Some(most), Some(stock)) = (reward.per_user, reward.stock) else {
            continue;
        };
        if most > stock {
            let place = figures.place(&["rewards", &reward.id, "per_user"]);
            let message = format!(
                "one user may have {most} of `{}`, and there are {stock}",
                reward.id
            );
            out.warn(codes::LIMITS_CANCEL, place, message)
                .related(
                    figures.place(&["rewards", &reward.id, "stock"]),
                    "all there are",
                )
                .help("lower `per_user`, or leave it out");
        }
    }
    let mut told = Vec::new();
    programs::actions(figures.definition, &mut |action| {
        let Action::Give(give) = action else { return };
        let Some(reward) = figures.definition.rewards.get(usize::from(give.reward)) else {
            return;
        };
        let most = reward
            .per_user
            .filter(|most| *most < give.at_most && reward.when_gone.is_none());
        let rule = figures
            .definition
            .rules_of_giving
            .get(usize::from(give.rule));
        let (Some(most), Some(rule)) = (most, rule) else {
            return;
        };
        if told.contains(&give.rule) {
            return;
        }
        told.push(give.rule);
        let within = match give.every {
            Every::Ever => "in all",
            Every::Day => "a day",
            Every::Week => "a week",
            Every::Month => "a month",
        };
        let message = format!(
            "the rule `{}` gives `{}` up to {} times {within}, and a user may have {most}",
            rule.id, reward.id, give.at_most
        );
        out.warn(
            codes::LIMITS_CANCEL,
            figures.place(&["rewards", &reward.id, "per_user"]),
            message,
        )
        .help(
            "raise `per_user`, lower the rule's `at_most`, or let something stand in (`when_gone`)",
        );
    });
}

fn budget(figures: Figures<'_>, out: &mut Diagnostics) {
    let Some(budget) = &figures.definition.budget else {
        return;
    };
    let Some(per_day) = budget.per_day else {
        return;
    };
    let money = |minor| figures.definition.currency.decimal(minor);
    let all = per_day.saturating_mul(figures.length());
    if per_day > budget.total {
        let message = format!(
            "a day may cost {}, and all days together {}",
            money(per_day),
            money(budget.total)
        );
        out.warn(
            codes::LIMITS_CANCEL,
            figures.place(&["budget", "per_day"]),
            message,
        )
        .related(figures.place(&["budget", "total"]), "all days together")
        .help("lower `per_day`, or leave it out");
    } else if all < budget.total {
        let message = format!(
            "{} a day are at most {} in the {} days of the window: the total is never spent",
            money(per_day),
            money(all),
            figures.length()
        );
        out.warn(
            codes::LIMITS_CANCEL,
            figures.place(&["budget", "total"]),
            message,
        )
        .related(figures.place(&["budget", "per_day"]), "the most on one day")
        .help("raise `per_day`, or lower `total`");
    }
}

fn chances(params: &blocks::chances::Params, figures: Figures<'_>, out: &mut Diagnostics) {
    let hold = figures.at(&["chances", "hold_at_most"]);
    let most = hold.and_then(|node| node.scalar()?.parse::<i64>().ok());
    let (Some(hold), Some(most)) = (hold, most) else {
        return;
    };
    let first = params.first_visit.saturating_add(params.each_day);
    if params.first_visit > 0 && params.each_day > 0 && first > most {
        let message =
            format!("the first visit gives {first} chances, of which a user can hold {most}");
        out.warn(codes::LIMITS_CANCEL, &hold.place, message)
            .related(
                figures.place(&["chances", "first_visit"]),
                "on the first visit, those of the day come on top",
            )
            .help("raise `hold_at_most`, or lower the others");
    }
    for entry in figures.at(&["earn"]).map_or(&[][..], entries) {
        let Some(node) = entry.value.get("chances") else {
            continue;
        };
        let earned = node.scalar().and_then(|text| text.parse::<i64>().ok());
        if let Some(earned) = earned.filter(|earned| *earned > most) {
            let message = format!(
                "`{}` earns {earned} chances at once, of which a user can hold {most}",
                entry.name()
            );
            out.warn(codes::LIMITS_CANCEL, &node.place, message)
                .related(&hold.place, "the most that a user holds")
                .help("raise `hold_at_most`, or let it earn less");
        }
    }
}

fn days(params: &Days, figures: Figures<'_>, out: &mut Diagnostics) {
    let calendar = &figures.definition.calendar;
    let count = figures.days().filter(|day| !calendar.skips(*day)).count() as i64;
    let run = match params.cycle {
        Cycle::Month => longest_month(figures),
        Cycle::None | Cycle::Days(_) => count,
    };
    let too_many = |section: &str, most: i64, what: &str, out: &mut Diagnostics| {
        for entry in figures.at(&["give", section]).map_or(&[][..], entries) {
            let days = entry.name().parse::<i64>().ok();
            let Some(days) = days.filter(|days| *days > most) else {
                continue;
            };
            let message = format!("the window has {most} {what}: {days} are never reached");
            out.error(codes::NEVER_REACHED, &entry.key.place, message)
                .help("promise it for fewer days, or let the campaign run longer");
        }
    };
    let in_a_row = match params.cycle {
        Cycle::Month => "days that count in one month at most",
        Cycle::None | Cycle::Days(_) => "days that count",
    };
    too_many("streak", run, in_a_row, out);
    too_many("total_days", count, "days that count", out);
    if let Some(makeup) = params.makeup {
        let most = figures.length() - 1;
        let place = figures.place(&["streak", "makeup", "days_back"]);
        if i64::from(makeup.days_back) > most {
            let message = format!(
                "a make-up of {} days back is before the opening on every day of the window: it has {}",
                makeup.days_back,
                figures.length()
            );
            out.warn(codes::MAKEUP_TOO_FAR, place, message)
                .help(format!(
                    "write {} or less: no day before the opening can be made up",
                    most.max(1)
                ));
        } else if makeup.at_most != Makeup::WITHOUT_LIMIT && i64::from(makeup.at_most) > most {
            let place = figures.place(&["streak", "makeup", "at_most"]);
            let message = format!(
                "{} days can be made up, and the window has {}",
                makeup.at_most,
                figures.length()
            );
            out.warn(codes::MAKEUP_TOO_FAR, place, message)
                .help("lower `at_most`: the last day is never one that was missed");
        }
    }
    each_day(params, count, figures, out);
    never_earned(params, figures, out);
}

/// Cards and costs of which nobody ever has any.
fn never_earned(params: &Days, figures: Figures<'_>, out: &mut Diagnostics) {
    let definition = figures.definition;
    let grown = ranges::grown(definition);
    let has_some = |slot: u16| {
        let begins = definition.vars.get(usize::from(slot));
        let begins = begins.is_some_and(|var| matches!(var.default, Value::Int(1..)));
        let chances = definition.blocks.iter().zip(figures.kinds);
        let mut chances = chances.filter(|(spec, _)| spec.vars.first() == Some(&slot));
        let given = chances.any(|(_, kind)| {
            matches!(kind, Kind::Chances(chances) if chances.first_visit > 0 || chances.each_day > 0)
        });
        begins || given || grown.contains(&slot)
    };
    let named = |name: &str| {
        let at = definition.vars.iter().position(|var| var.name == name)?;
        u16::try_from(at).ok()
    };
    let freeze = params.freeze.and_then(|_| named(FREEZE_CARDS));
    let cards = params.makeup.and_then(|makeup| makeup.cards);
    let cards = cards.and_then(|_| named(MAKEUP_CARDS));
    let cost = params.makeup.and_then(|makeup| makeup.cost);
    for (slot, path) in [
        (freeze, &["streak", "freeze"][..]),
        (cards, &["streak", "makeup", "cards"]),
        (cost.map(|(slot, _)| slot), &["streak", "makeup", "cost"]),
    ] {
        let Some(slot) = slot.filter(|slot| !has_some(*slot)) else {
            continue;
        };
        let name = definition.vars.get(usize::from(slot));
        let name = name.map_or("", |var| var.name.as_str());
        let message = format!("nobody ever has any `{name}`: nothing gives or earns it");
        out.warn(codes::NEVER_EARNED, figures.place(path), message)
            .help(format!(
                "let something earn it: `earn: {{ some-event: {{ from: backend, {name}: 1 }} }}`"
            ));
    }
}

/// A daily promise of something that a user may have only so often.
fn each_day(params: &Days, count: i64, figures: Figures<'_>, out: &mut Diagnostics) {
    for promise in &params.each_day {
        let Some(reward) = figures.definition.rewards.get(usize::from(promise.reward)) else {
            continue;
        };
        let most = reward
            .per_user
            .filter(|most| i64::from(*most) < count && reward.when_gone.is_none());
        if let Some(most) = most {
            let message = format!(
                "each day promises `{}`, and a user may have {most} of it",
                reward.id
            );
            out.warn(
                codes::LIMITS_CANCEL,
                figures.place(&["rewards", &reward.id, "per_user"]),
                message,
            )
            .related(figures.place(&["give", "each_day"]), "promised here")
            .help("leave `per_user` out, or let something stand in (`when_gone`)");
        }
    }
}

fn longest_month(figures: Figures<'_>) -> i64 {
    let calendar = &figures.definition.calendar;
    let (mut month, mut count, mut longest) = (None, 0, 0);
    for day in figures.days().filter(|day| !calendar.skips(*day)) {
        let now = Some(Calendar::month(day));
        count = if now == month { count + 1 } else { 1 };
        month = now;
        longest = longest.max(count);
    }
    longest
}

/// Less than one in so many is "hardly ever".
const HARDLY: f64 = 1_000_000.0;

fn pity(params: &Wheel, figures: Figures<'_>, out: &mut Diagnostics) {
    let Some(pity) = &params.pity else { return };
    let place = figures.place(&["pity", "losses_in_a_row"]);
    if let Some(most) = draws::most(figures)
        && i64::from(pity.losses) >= most
    {
        let message = format!(
            "nobody can draw more than {most} times within the window: {} losses and the draw after them are never reached",
            pity.losses
        );
        out.error(codes::NEVER_REACHED, place, message)
            .help("lower `losses_in_a_row`, or give more chances");
        return;
    }
    let lost = 1.0 - draws::over(params, figures.definition);
    let reached = lost.max(0.0).powf(f64::from(pity.losses));
    if reached * HARDLY >= 1.0 {
        return;
    }
    let message = if reached > 0.0 {
        format!(
            "pity will hardly ever be reached: {} losses in a row come up once in {:.1e} times ({:.4}^{})",
            pity.losses,
            1.0 / reached,
            lost,
            pity.losses
        )
    } else {
        "pity is not reached as long as there are rewards: no draw loses".to_owned()
    };
    out.warn(codes::PITY_RARE, place, message)
        .help("lower `losses_in_a_row`, or leave `pity` out");
}
