//! Days: the block `streak`, made of `streak` (how days in a row are counted) and `give` (what they give).

use blocks::Promise;
use blocks::streak::{Cycle, KIND, Makeup, Params, signature};
use machine::calendar::HOUR_MS;

use crate::check::Check;
use crate::codes;
use crate::document::{Key, Keys, Node, Shape};
use crate::tables::Terms;

/// The keys of `streak`.
pub(crate) static KEYS: Keys = Keys {
    name: "streak",
    doc: "How days in a row are counted.",
    keys: &[
        Key::optional(
            "cycle",
            Shape::Either(&[Shape::OneOf(&["none", "month"]), Shape::Duration]),
            "When a streak starts over by itself: `none`, `month`, or after days: `7 days`; `none` unless said.",
        ),
        Key::optional(
            "makeup",
            Shape::Keys(&MAKEUP),
            "Whether missed days can be made up.",
        ),
    ],
};

static MAKEUP: Keys = Keys {
    name: "make-up",
    doc: "Signing in for a day that was missed.",
    keys: &[
        Key::required("days_back", Shape::Int(1, 366), "How many days back."),
        Key::required(
            "at_most",
            Shape::Int(1, 366),
            "How many in the whole edition.",
        ),
    ],
};

/// The keys of `give`.
pub(crate) static GIVE: Keys = Keys {
    name: "give",
    doc: "What days give: the id of a reward, or a list of them.",
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
    ],
};

const REWARDS: Shape = Shape::Either(&[Shape::Id, Shape::List(&Shape::Id)]);

/// More days than a campaign runs.
const MOST_DAYS: i64 = 3660;

pub(crate) fn read(check: &mut Check<'_>) {
    let root = check.root;
    if !root.has("streak") && !root.has("give") {
        return;
    }
    let mut params = Params {
        cycle: Cycle::None,
        makeup: None,
        each_day: vec![],
        streak: vec![],
        total: vec![],
    };
    if let Some(fields) = root
        .get("streak")
        .and_then(|node| node.fields(&KEYS, &mut check.out))
    {
        params.cycle = fields
            .get("cycle")
            .and_then(|node| cycle(node, check))
            .unwrap_or(Cycle::None);
        params.makeup = fields.get("makeup").and_then(|node| makeup(node, check));
    }
    if let Some(fields) = root
        .get("give")
        .and_then(|node| node.fields(&GIVE, &mut check.out))
    {
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
            params.each_day = promises("each-day", node, check);
        }
        if let Some(node) = fields.get("streak") {
            params.streak = by_days("streak", node, longest(params.cycle), check);
        }
        if let Some(node) = fields.get("total_days") {
            params.total = by_days("total", node, None, check);
        }
    }
    let place = if root.has("streak") {
        root.key_place("streak")
    } else {
        root.key_place("give")
    };
    check.add_block(KIND, &params, signature(), place);
}

fn cycle(node: &Node, check: &mut Check<'_>) -> Option<Cycle> {
    const DAY_MS: i64 = 24 * HOUR_MS;
    match node.string(&mut check.out)? {
        "none" => Some(Cycle::None),
        "month" => Some(Cycle::Month),
        _ => {
            let span = node.duration(&mut check.out)?;
            let days = span / DAY_MS;
            if span % DAY_MS != 0 || !(1..=MOST_DAYS).contains(&days) {
                check
                    .out
                    .error(
                        codes::NOT_DURATION,
                        &node.place,
                        "a cycle is a whole number of days",
                    )
                    .help("write `7 days`, `month` or `none`");
                return None;
            }
            Some(Cycle::Days(days as u32))
        }
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

fn makeup(node: &Node, check: &mut Check<'_>) -> Option<Makeup> {
    let fields = node.fields(&MAKEUP, &mut check.out)?;
    let mut int = |key: &str| {
        fields
            .get(key)
            .and_then(|node| node.int(1..=366, &mut check.out))
    };
    let (days_back, at_most) = (int("days_back"), int("at_most"));
    Some(Makeup {
        days_back: days_back? as u32,
        at_most: at_most? as u32,
    })
}

/// Promises by a number of days.
fn by_days(
    name: &str,
    node: &Node,
    longest: Option<u32>,
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
        let promises = promises(&format!("{name}-{days}"), &entry.value, check);
        found.extend(promises.into_iter().map(|promise| (days as u32, promise)));
    }
    found
}

/// The rewards promised under a rule; the second and later ones have their reward's id in the rule's.
pub(crate) fn promises(rule: &str, node: &Node, check: &mut Check<'_>) -> Vec<Promise> {
    let mut found: Vec<Promise> = Vec::new();
    for item in node.one_or_list() {
        let Some(reward) = check.promised(item) else {
            continue;
        };
        let id = match check.tables.reward_at(reward) {
            Some(named) if !found.is_empty() => format!("{rule}-{}", named.id),
            _ => rule.to_owned(),
        };
        let rule = check
            .tables
            .promise(&id, Vec::new(), Terms::Block, &item.place, &mut check.out);
        found.push(Promise { rule, reward });
    }
    if node.one_or_list().is_empty() {
        check
            .out
            .error(codes::NOTHING_GIVEN, &node.place, "this gives nothing")
            .help("name a reward, or leave the line out");
    }
    found
}
