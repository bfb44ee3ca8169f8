//! Odds of their own for a participant's first draws: `tiers`.

use blocks::wheel::Tier;

use super::{OF_WHEEL, Rules, Table, table};
use crate::check::Check;
use crate::codes;
use crate::document::{Key, Keys, Node, Shape};
use crate::read::rewards::Slice;

/// The most tiers of one wheel.
const MOST_TIERS: usize = 20;

/// More draws than anybody makes.
const MOST: i64 = 1_000_000_000;

/// The keys of a tier.
pub(crate) static KEYS: Keys = Keys {
    name: "tier",
    doc: "Odds for the first draws of each participant.",
    keys: &[
        Key::required(
            "first_draws",
            Shape::Int(1, MOST),
            "It ends with this draw, counted from a participant's first one; it begins where the tier before ends.",
        ),
        Key::required(
            "odds",
            Shape::MapOf(&Shape::Odds),
            "The odds, by reward; what is not named can't be drawn yet.",
        ),
    ],
};

pub(super) fn read(rules: &mut Rules, check: &mut Check<'_>) -> Vec<Tier> {
    let Some(items) = check
        .root
        .get("tiers")
        .and_then(|node| node.list(&mut check.out))
    else {
        return Vec::new();
    };
    if items.len() > MOST_TIERS {
        check.out.error(
            codes::TOO_MANY,
            check.root.key_place("tiers"),
            format!("a wheel has at most {MOST_TIERS} tiers"),
        );
    }
    let mut last = 0;
    let mut tiers = Vec::new();
    for item in items.iter().take(MOST_TIERS) {
        tiers.extend(one(item, &mut last, rules, check));
    }
    tiers
}

fn one(item: &Node, last: &mut i64, rules: &mut Rules, check: &mut Check<'_>) -> Option<Tier> {
    let fields = item.fields(&KEYS, &mut check.out)?;
    let node = fields.get("first_draws")?;
    let first_draws = node.int(1..=MOST, &mut check.out)?;
    if first_draws <= *last {
        check
            .out
            .error(
                codes::TIER_ORDER,
                &node.place,
                format!("the tier before ends with draw {last}: this one has no draw of its own"),
            )
            .help("count from a participant's first draw on, and let each tier end later than the one before");
    }
    *last = first_draws;
    let odds = fields.get("odds")?;
    let mut slices: Vec<Slice<'_>> = Vec::new();
    for entry in odds.map(&mut check.out)? {
        let reward = check.reward(&entry.key);
        let found = entry.value.odds(&mut check.out);
        slices.extend(reward.zip(found).map(|(reward, odds)| Slice {
            reward,
            odds,
            node: &entry.value,
        }));
    }
    if slices.is_empty() {
        check
            .out
            .error(codes::EMPTY, &odds.place, "a tier without odds")
            .help("say what its draws give: `odds: { coupon: 50%, nothing: rest }`");
        return None;
    }
    let Table {
        whole,
        parts,
        rest,
        rest_rule,
    } = table(&slices, OF_WHEEL, rules, check);
    Some(Tier {
        first_draws: first_draws as u64,
        whole,
        slices: parts,
        rest,
        rest_rule,
    })
}
