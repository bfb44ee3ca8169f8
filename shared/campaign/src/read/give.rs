//! What days give: `give`. Where a reward's id may stand, one of several may stand instead, with its odds.

use blocks::Promise;
use blocks::odds::Odds;
use blocks::streak::{Cycle, Due, Lot, Params};
use machine::calendar::{Day, date};
use machine::model::Window;

use crate::check::Check;
use crate::codes;
use crate::document::{Key, Keys, Node, Shape};
use crate::read::rewards::Slice;
use crate::read::wheel::{Naming, Rules, Table, table};
use crate::source::Place;
use crate::tables::Terms;

/// The keys of `give`.
pub(crate) static KEYS: Keys = Keys {
    name: "give",
    doc: "What days give: the id of a reward, one of several by odds, or a list of these.",
    keys: &[
        Key::optional("each_day", REWARDS, "What each day gives."),
        Key::optional(
            "streak",
            Shape::MapOf(&REWARDS),
            "What so many days in a row give.",
        ),
        Key::optional(
            "total_days",
            Shape::MapOf(&REWARDS),
            "What so many days in all give.",
        ),
        Key::optional(
            "dates",
            Shape::MapOf(&REWARDS),
            "What signing in on a date gives: `{ 2027-02-06: new-year-gift }`; a make-up does not give it.",
        ),
    ],
};

const REWARDS: Shape = Shape::Either(&[REWARD, Shape::List(&REWARD)]);

const REWARD: Shape = Shape::Either(&[Shape::Id, Shape::Keys(&LOT)]);

static LOT: Keys = Keys {
    name: "one of several rewards",
    doc: "One of several rewards, drawn: `{ one_of: { points-5: 60%, points-20: 30%, coupon: rest } }`.",
    keys: &[Key::required(
        "one_of",
        Shape::MapOf(&Shape::Odds),
        "The rewards, each with how likely it is.",
    )],
};

/// More days than a campaign runs.
pub(super) const MOST_DAYS: i64 = 3660;

/// Reads the section into the parameters.
pub(super) fn read(params: &mut Params, window: Window, check: &mut Check<'_>) {
    let Some(fields) = check
        .root
        .get("give")
        .and_then(|node| node.fields(&KEYS, &mut check.out))
    else {
        return;
    };
    if fields.entries().is_empty() {
        check
            .out
            .error(
                codes::NOTHING_GIVEN,
                &fields.node.place,
                "`give` gives nothing",
            )
            .help("name a reward: `each_day: points`");
    }
    if let Some(node) = fields.get("each_day") {
        params.each_day = with_lots("each-day", Due::EachDay, node, params, check);
    }
    if let Some(node) = fields.get("streak") {
        let longest = longest(params.cycle);
        params.streak = by_days("streak", Due::Streak, node, longest, params, check);
    }
    if let Some(node) = fields.get("total_days") {
        params.total = by_days("total", Due::Total, node, None, params, check);
    }
    if let Some(node) = fields.get("dates") {
        params.dates = by_date(node, window, params, check);
    }
}

/// The longest streak there can be.
fn longest(cycle: Cycle) -> Option<u32> {
    match cycle {
        Cycle::None => None,
        Cycle::Month => Some(31),
        Cycle::Days(days) => Some(days),
    }
}

/// Promises by a number of days.
fn by_days(
    name: &str,
    due: fn(u32) -> Due,
    node: &Node,
    longest: Option<u32>,
    params: &mut Params,
    check: &mut Check<'_>,
) -> Vec<(u32, Promise)> {
    let Some(entries) = node.map(&mut check.out) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let Some(days) = entry.key.int(1..=MOST_DAYS, &mut check.out) else {
            continue;
        };
        if let Some(longest) = longest.filter(|longest| days > i64::from(*longest)) {
            check
                .out
                .error(
                    codes::NEVER_REACHED,
                    &entry.key.place,
                    format!("a streak starts over after {longest} days: {days} are never reached"),
                )
                .help("lengthen `cycle`, or promise it under `total_days`");
        }
        let days = days as u32;
        let rule = format!("{name}-{days}");
        let promises = with_lots(&rule, due(days), &entry.value, params, check);
        found.extend(promises.into_iter().map(|promise| (days, promise)));
    }
    found
}

/// Promises by date.
fn by_date(
    node: &Node,
    window: Window,
    params: &mut Params,
    check: &mut Check<'_>,
) -> Vec<(Day, Promise)> {
    let Some(entries) = node.map(&mut check.out) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let Some(day) = entry.key.date(&mut check.out) else {
            continue;
        };
        on_a_day_of_play(day, &entry.key.place, window, check);
        let rule = format!("date-{}", date(day));
        let promises = with_lots(&rule, Due::Date(day), &entry.value, params, check);
        found.extend(promises.into_iter().map(|promise| (day, promise)));
    }
    found
}

fn on_a_day_of_play(day: Day, place: &Place, window: Window, check: &mut Check<'_>) {
    let calendar = &check.tables.calendar;
    let (first, last) = (
        calendar.day(window.opens),
        calendar.day(window.closes.saturating_sub(1)),
    );
    let skipped = calendar.skips(day);
    let day = date(day);
    if first > last {
        // What is wrong with the window itself was said.
    } else if !(first..=last).contains(&machine::calendar::day_number(day)) {
        check
            .out
            .error(
                codes::DATE_NOT_PLAYED,
                place,
                format!(
                    "nobody can sign in on {day}: the campaign runs from {} to {}",
                    date(first),
                    date(last)
                ),
            )
            .help("name a day between `opens` and `closes`");
    } else if skipped {
        check
            .out
            .error(
                codes::DATE_NOT_PLAYED,
                place,
                format!("nobody can sign in on {day}: it is one of `skip_days`"),
            )
            .help("name another day, or take it out of `skip_days`");
    }
}

/// The rewards promised under a rule; the second and later ones have their reward's id in the rule's.
pub(crate) fn promises(rule: &str, node: &Node, check: &mut Check<'_>) -> Vec<Promise> {
    let mut found: Vec<Promise> = Vec::new();
    for item in node.one_or_list() {
        found.extend(promise(rule, item, found.is_empty(), check));
    }
    something(node, check);
    found
}

fn promise(rule: &str, item: &Node, first: bool, check: &mut Check<'_>) -> Option<Promise> {
    let reward = check.promised(item)?;
    let id = match check.tables.reward_at(reward) {
        Some(named) if !first => format!("{rule}-{}", named.id),
        _ => rule.to_owned(),
    };
    let rule = check
        .tables
        .promise(&id, Vec::new(), Terms::Block, &item.place, &mut check.out);
    Some(Promise { rule, reward })
}

fn something(node: &Node, check: &mut Check<'_>) {
    if node.one_or_list().is_empty() {
        check
            .out
            .error(codes::NOTHING_GIVEN, &node.place, "this gives nothing")
            .help("name a reward, or leave the line out");
    }
}

/// The same, and what is drawn, which goes to the lots.
fn with_lots(
    rule: &str,
    due: Due,
    node: &Node,
    params: &mut Params,
    check: &mut Check<'_>,
) -> Vec<Promise> {
    let mut found: Vec<Promise> = Vec::new();
    let mut lots = 0;
    for item in node.one_or_list() {
        if item.is_map() {
            lots += 1;
            let name = match lots {
                1 => rule.to_owned(),
                _ => format!("{rule}-{lots}"),
            };
            params.lots.extend(lot(name, due, item, check));
            continue;
        }
        found.extend(promise(rule, item, found.is_empty(), check));
    }
    something(node, check);
    found
}

/// One of several rewards. Each has a rule of its own, named after the lot.
fn lot(name: String, due: Due, node: &Node, check: &mut Check<'_>) -> Option<Lot> {
    let fields = node.fields(&LOT, &mut check.out)?;
    let all = fields.get("one_of")?;
    let mut slices = Vec::new();
    for entry in all.map(&mut check.out)? {
        let (reward, odds) = (check.reward(&entry.key), entry.value.odds(&mut check.out));
        slices.extend(reward.zip(odds).map(|(reward, odds)| Slice {
            reward,
            odds,
            node: &entry.value,
        }));
    }
    if slices.is_empty() {
        if all.map(&mut check.out).is_some_and(<[_]>::is_empty) {
            check
                .out
                .error(codes::NOTHING_GIVEN, &all.place, "this gives nothing")
                .help("name a reward, or leave the line out");
        }
        return None;
    }
    let naming = Naming {
        rule: &format!("{name}-draw"),
        left: "let one of them take what the others leave: `coupon: rest`",
    };
    let Table {
        whole,
        parts,
        rest,
        rest_rule,
    } = table(&slices, naming, &mut Rules::new(), check);
    let mut names: Vec<_> = slices
        .iter()
        .filter_map(|slice| {
            let reward = check.tables.reward_at(slice.reward)?;
            Some((slice.reward, reward.id.clone()))
        })
        .collect();
    names.sort();
    names.dedup();
    let odds = Odds {
        whole,
        slices: parts,
        rest,
        rest_rule,
        names,
    };
    Some(Lot { due, odds, name })
}
