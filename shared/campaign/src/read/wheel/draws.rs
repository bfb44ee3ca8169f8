//! Drawing several times at once, and how often one may draw: `draws`.

use blocks::wheel::{AtMost, AtOnce, DRAW_LIMIT, MOST_AT_ONCE};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Fields, Key, Keys, Node, Shape};

/// More than anybody draws.
const MOST: i64 = 1_000_000;

/// The keys of `draws`.
pub(crate) static KEYS: Keys = Keys {
    name: "draws",
    doc: "Drawing several times at once, and how often one may draw.",
    keys: &[
        Key::optional(
            "at_once",
            Shape::Int(2, MOST_AT_ONCE),
            "The default machine takes the event `draw-many` too: so many draws in one call, all or none.",
        ),
        Key::optional(
            "for",
            Shape::Int(1, MOST),
            "How many chances `draw-many` takes; as many as its draws unless said.",
        ),
        Key::optional(
            "at_most",
            Shape::Keys(&AT_MOST),
            "How often one participant draws at most.",
        ),
    ],
};

/// The keys of a limit by time.
pub(crate) static AT_MOST: Keys = Keys {
    name: "limit by time",
    doc: "How often at most; what is not said is not limited.",
    keys: &[
        Key::optional("day", Shape::Int(1, MOST), "On one calendar day."),
        Key::optional("week", Shape::Int(1, MOST), "In one week from Monday."),
        Key::optional("edition", Shape::Int(1, MOST), "In the whole campaign."),
    ],
};

pub(super) fn read(check: &mut Check<'_>) -> (Option<AtOnce>, AtMost) {
    let Some(fields) = check
        .root
        .get("draws")
        .and_then(|node| node.fields(&KEYS, &mut check.out))
    else {
        return (None, AtMost::default());
    };
    let at_once = at_once(&fields, check);
    let at_most = fields
        .get("at_most")
        .map_or_else(AtMost::default, |node| at_most(node, &mut check.out));
    if !at_most.is_free() {
        // The wheel itself says no, whether or not a guard asks before.
        check.rejects(DRAW_LIMIT, fields.key_place("at_most"));
    }
    if let Some((at_once, node)) = at_once.zip(fields.get("at_once")) {
        never(at_once, at_most, node, check);
    }
    (at_once, at_most)
}

fn at_once(fields: &Fields<'_>, check: &mut Check<'_>) -> Option<AtOnce> {
    let Some(node) = fields.get("at_once") else {
        if fields.has("for") {
            check
                .out
                .error(
                    codes::MISSING_KEY,
                    fields.key_place("for"),
                    "`for` is the price of several draws at once, and `at_once` does not say how many",
                )
                .help("add `at_once`: how many draws `draw-many` makes");
        }
        return None;
    };
    let times = times(node, 2, check)?;
    let price = fields
        .get("for")
        .and_then(|node| node.int(1..=MOST, &mut check.out));
    Some(AtOnce {
        times,
        price: price.unwrap_or(times),
    })
}

/// A number of draws in one action, as a plain number.
pub(crate) fn times(node: &Node, least: i64, check: &mut Check<'_>) -> Option<i64> {
    let plain = node
        .scalar()
        .and_then(|text| text.trim().parse::<i64>().ok());
    let found = plain.filter(|times| (least..=MOST_AT_ONCE).contains(times));
    if found.is_none() {
        check
            .out
            .error(
                codes::TIMES,
                &node.place,
                format!("a plain number of draws is expected, from {least} to {MOST_AT_ONCE}"),
            )
            .help("write a number: each draw has its row and its grant, and all of them are one commit");
    }
    found
}

/// A limit by day, week and edition; one that another makes pointless is told.
pub(crate) fn at_most(node: &Node, out: &mut Diagnostics) -> AtMost {
    let Some(fields) = node.fields(&AT_MOST, out) else {
        return AtMost::default();
    };
    if fields.entries().is_empty() {
        out.error(codes::EMPTY, &node.place, "this limits nothing")
            .help("say how often: `{ day: 1, edition: 3 }`");
    }
    let mut int = |key: &str| {
        let found = fields.get(key).and_then(|node| node.int(1..=MOST, out));
        found.map(|most| most as u32)
    };
    let (day, week, edition) = (int("day"), int("week"), int("edition"));
    let pairs = [
        ("day", day, "week", week),
        ("day", day, "edition", edition),
        ("week", week, "edition", edition),
    ];
    let mut told = Vec::new();
    for (short, within, long, beyond) in pairs {
        if told.contains(&short) {
            continue;
        }
        if let (Some(within), Some(beyond)) = (within, beyond)
            && within > beyond
        {
            out.warn(
                codes::LIMITS_CANCEL,
                fields.get(short).map_or(&node.place, |node| &node.place),
                format!("{within} a {short}, and {beyond} a {long}: the first is never reached"),
            )
            .help(format!("lower `{short}`, or leave it out"));
            told.push(short);
        }
    }
    AtMost { day, week, edition }
}

/// Several draws at once that nobody can ever make.
fn never(at_once: AtOnce, at_most: AtMost, node: &Node, check: &mut Check<'_>) {
    let limits = [
        ("day", at_most.day),
        ("week", at_most.week),
        ("edition", at_most.edition),
    ];
    let short = limits
        .into_iter()
        .find(|(_, most)| most.is_some_and(|most| i64::from(most) < at_once.times));
    if let Some((what, Some(most))) = short {
        check
            .out
            .error(
                codes::NEVER_REACHED,
                &node.place,
                format!(
                    "nobody can draw {} times at once, with {most} draws a {what}",
                    at_once.times
                ),
            )
            .help("raise the limit, or lower `at_once`");
        return;
    }
    let chances = check.tables.var("chances").map(|(_, var)| var.decl.at_most);
    if let Some(most) = chances.filter(|most| *most < at_once.price) {
        check
            .out
            .error(
                codes::NEVER_REACHED,
                &node.place,
                format!(
                    "they cost {} chances, of which a user can hold {most}",
                    at_once.price
                ),
            )
            .help("raise `hold_at_most`, or lower the price (`for`)");
    }
}
