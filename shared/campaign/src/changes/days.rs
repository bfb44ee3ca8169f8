//! What changes about days beside their rewards: what make-ups take, what is forgiven or frozen, what makes a day count, what is
//! drawn, when users are reminded.

use std::collections::BTreeSet;

use blocks::streak::{Cards, Due, Forgive, Makeup, Params, Span};
use machine::Definition;
use machine::calendar::date;

use super::blocks::{id, sets};
use super::{Both, Effect, Found, odds, or};

pub(super) fn compare(both: Both<'_>, was: &Params, is: &Params, found: &mut Found) {
    let Both { old, new } = both;
    makeups(both, was.makeup, is.makeup, found);
    sets(
        "give.dates",
        ("dates give", "日期奖励"),
        &dates(old, was),
        &dates(new, is),
        found,
    );
    sets(
        "give.one_of",
        ("days draw", "随机奖励"),
        &drawn(old, was),
        &drawn(new, is),
        found,
    );
    if was.forgive != is.forgive {
        let effect = match (was.forgive, is.forgive) {
            (None, _) => Effect::Better,
            (_, None) => Effect::Worse,
            (Some(old), Some(new)) if old.every == new.every => {
                Effect::more_is_better(&old.days, &new.days)
            }
            _ => Effect::Unclear,
        };
        let en = |one: Option<Forgive>| {
            or(
                one.map(|one| format!("{} in {}", one.days, span(one.every, EN))),
                "none",
            )
        };
        let zh = |one: Option<Forgive>| {
            or(
                one.map(|one| format!("{}内 {} 天", span(one.every, ZH), one.days)),
                "无",
            )
        };
        found.say(
            "streak.forgive",
            effect,
            format!("forgiven days: {} -> {}", en(was.forgive), en(is.forgive)),
            format!("原谅漏签：{} → {}", zh(was.forgive), zh(is.forgive)),
        );
    }
    cards(
        "streak.freeze",
        ("freeze cards", "冻结卡"),
        was.freeze,
        is.freeze,
        found,
    );
    measure(was, is, found);
    if was.remind != is.remind {
        found.say(
            "streak.remind",
            Effect::None,
            "reminders changed",
            "提醒有改动",
        );
    }
}

const EN: (&str, &str, &str) = ("a month", "a week", "days");
const ZH: (&str, &str, &str) = ("每月", "每周", "天");

fn span(span: Span, (month, week, days): (&str, &str, &str)) -> String {
    match span {
        Span::Month => month.to_owned(),
        Span::Week => week.to_owned(),
        Span::Days(many) => format!("{many} {days}"),
    }
}

/// What limits and costs make-ups beside how far back and how often: the more it takes, the worse.
fn makeups(both: Both<'_>, was: Option<Makeup>, is: Option<Makeup>, found: &mut Found) {
    let (Some(was), Some(is)) = (was, is) else {
        return;
    };
    if was.per_month != is.per_month {
        let effect = match (was.per_month, is.per_month) {
            (None, _) => Effect::Worse,
            (_, None) => Effect::Better,
            (Some(old), Some(new)) => Effect::more_is_better(&old, &new),
        };
        let shown =
            |most: Option<u32>| most.map_or_else(|| "-".to_owned(), |most| most.to_string());
        found.figure(
            "streak.makeup.per_month",
            effect,
            ("make-ups in a month", "每月补签次数"),
            shown(was.per_month),
            shown(is.per_month),
        );
    }
    let cost = |definition: &Definition, makeup: Makeup| {
        let (slot, amount) = makeup.cost?;
        let var = definition.vars.get(usize::from(slot))?;
        Some((var.name.clone(), amount))
    };
    let (before, after) = (cost(both.old, was), cost(both.new, is));
    if before != after {
        let effect = match (&before, &after) {
            (None, _) => Effect::Worse,
            (_, None) => Effect::Better,
            (Some((old, less)), Some((new, more))) if old == new => {
                Effect::less_is_better(less, more)
            }
            _ => Effect::Unclear,
        };
        let shown = |cost: Option<(String, i64)>| {
            or(cost.map(|(name, amount)| format!("{amount} {name}")), "0")
        };
        found.figure(
            "streak.makeup.cost",
            effect,
            ("a make-up costs", "补签费用"),
            shown(before),
            shown(after),
        );
    }
    if was.cards.is_some() == is.cards.is_some() {
        let words = ("make-up cards", "补签卡");
        cards("streak.makeup.cards", words, was.cards, is.cards, found);
    } else {
        let (effect, en, zh) = if is.cards.is_some() {
            (
                Effect::Worse,
                "a make-up takes a card now",
                "补签改为需要补签卡",
            )
        } else {
            (
                Effect::Better,
                "a make-up takes no card now",
                "补签改为不需要补签卡",
            )
        };
        found.say("streak.makeup.cards", effect, en, zh);
    }
}

fn cards(
    subject: &str,
    (en, zh): (&str, &str),
    was: Option<Cards>,
    is: Option<Cards>,
    found: &mut Found,
) {
    if was == is {
        return;
    }
    let effect = match (was, is) {
        (None, _) => Effect::Better,
        (_, None) => Effect::Worse,
        (Some(old), Some(new)) => {
            let (start, held) = (
                new.start.cmp(&old.start),
                new.hold_at_most.cmp(&old.hold_at_most),
            );
            match (start.is_lt() || held.is_lt(), start.is_gt() || held.is_gt()) {
                (true, true) => Effect::Unclear,
                (true, false) => Effect::Worse,
                (false, _) => Effect::Better,
            }
        }
    };
    let shown = |one: Option<Cards>| {
        or(
            one.map(|one| match one.hold_at_most {
                i64::MAX => format!("{}", one.start),
                most => format!("{}/{most}", one.start),
            }),
            "-",
        )
    };
    found.figure(subject, effect, (en, zh), shown(was), shown(is));
}

fn measure(was: &Params, is: &Params, found: &mut Found) {
    let figures = |params: &Params| {
        let measure = params.measure.as_ref()?;
        Some((measure.field.clone(), measure.at_least))
    };
    let (before, after) = (figures(was), figures(is));
    if before == after {
        return;
    }
    let effect = match (&before, &after) {
        (Some((old, less)), Some((new, more))) if old == new => Effect::less_is_better(less, more),
        _ => Effect::Unclear,
    };
    let shown =
        |one: Option<(String, i64)>| or(one.map(|(field, least)| format!("{least} {field}")), "-");
    found.figure(
        "day_counts",
        effect,
        ("a day counts with", "一天达标需要"),
        shown(before),
        shown(after),
    );
}

fn dates(definition: &Definition, params: &Params) -> BTreeSet<String> {
    let dates = params.dates.iter();
    dates
        .map(|(day, promise)| format!("{}: {}", date(*day), id(definition, promise.reward)))
        .collect()
}

/// Each reward that may be drawn, with when and how likely.
fn drawn(definition: &Definition, params: &Params) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for lot in &params.lots {
        let when = match lot.due {
            Due::EachDay => "each day".to_owned(),
            Due::Streak(days) => format!("{days} in a row"),
            Due::Total(days) => format!("{days} in all"),
            Due::Date(day) => date(day).to_string(),
        };
        for (reward, parts) in lot.odds.odds().parts() {
            let odds = odds::percent(parts, lot.odds.whole);
            found.insert(format!("{when}: {} {odds}", id(definition, reward)));
        }
    }
    found
}
