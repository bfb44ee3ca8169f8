//! Draws: the block `wheel`, made of the rewards that have odds, `tiers`, `pity`, `draws` and `look`.

pub(crate) mod draws;
pub(crate) mod picture;
pub(crate) mod tiers;

use std::collections::BTreeMap;

use blocks::wheel::{KIND, Params, Pity, Slice as Part, signature};
use machine::model::RewardKind;

use crate::check::Check;
use crate::codes;
use crate::document::{Key, Keys, Odds, Shape};
use crate::read::rewards::Slice;
use crate::source::Place;
use crate::tables::Terms;

/// The largest whole: far beyond any odds that people write, and far from the edge of 64 bits.
const MOST_WHOLE: u64 = 1_000_000_000_000_000;

/// The keys of `pity`.
pub(crate) static PITY: Keys = Keys {
    name: "pity",
    doc: "What a run of bad luck gives in the end.",
    keys: &[
        Key::required(
            "losses_in_a_row",
            Shape::Int(1, 1_000_000),
            "After this many draws in a row without a win ...",
        ),
        Key::required(
            "then_give",
            Shape::Id,
            "... the next draw gives this reward.",
        ),
        Key::optional(
            "starts_over_after",
            Shape::OneOf(&["any-win", "this-reward"]),
            "What starts the count over; `any-win` unless said.",
        ),
    ],
};

/// The sections that are about draws, beside the rewards' odds.
const SECTIONS: [&str; 4] = ["pity", "tiers", "draws", "look"];

/// The rules of rewards that draws give: one each, whatever the tier.
pub(super) type Rules = BTreeMap<u16, u16>;

/// How a table's rules are named, and what its reader is advised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Naming<'a> {
    /// What stands before each reward's id.
    pub rule: &'a str,
    /// What to do about odds that are less than 100%.
    pub left: &'a str,
}

/// The wheel's own.
const OF_WHEEL: Naming<'_> = Naming {
    rule: "wheel",
    left: "say what a lost draw shows: `nothing: { title: Next time, odds: rest }`",
};

/// Odds that were read: parts of a common whole.
pub(super) struct Table {
    pub whole: u64,
    pub parts: Vec<Part>,
    pub rest: Option<u16>,
    pub rest_rule: Option<u16>,
}

/// Makes the wheel, if any reward has odds.
pub(crate) fn read(slices: &[Slice<'_>], check: &mut Check<'_>) {
    let Some(first) = slices.first() else {
        for section in SECTIONS {
            let Some(node) = check.root.get(section) else {
                continue;
            };
            check
                .out
                .error(
                    codes::NO_WHEEL,
                    &node.place,
                    format!("`{section}` is about draws, and no reward has odds"),
                )
                .help("give rewards `odds`");
        }
        return;
    };
    let place = first.node.place.clone();
    let mut rules = Rules::new();
    let Table {
        whole,
        parts,
        rest,
        rest_rule,
    } = table(slices, OF_WHEEL, &mut rules, check);
    let tiers = tiers::read(&mut rules, check);
    let pity = pity(check);
    let (at_once, at_most) = draws::read(check);
    let mut params = Params {
        whole,
        slices: parts,
        rest,
        rest_rule,
        pity,
        names: Vec::new(),
        tiers,
        at_once,
        at_most,
        picture: None,
    };
    let named = params.all_odds().flat_map(|odds| {
        let all: Vec<(u16, u64)> = odds.parts().collect();
        all.into_iter().map(|(reward, _)| reward)
    });
    let mut names: Vec<_> = named
        .chain(pity.map(|pity| pity.reward))
        .filter_map(|at| {
            check
                .tables
                .reward_at(at)
                .map(|reward| (at, reward.id.clone()))
        })
        .collect();
    names.sort();
    names.dedup();
    params.names = names;
    params.picture = picture::read(&params, check);
    let signature = signature(at_most.counts());
    check.add_block(KIND, &params, signature, &place);
}

/// Odds as parts of their common whole, each reward with its rule.
pub(super) fn table(
    slices: &[Slice<'_>],
    naming: Naming<'_>,
    rules: &mut Rules,
    check: &mut Check<'_>,
) -> Table {
    let rest = rest(slices, check);
    let whole = whole(slices, check);
    let mut parts = Vec::new();
    for slice in slices {
        let Odds::Parts { num, den } = slice.odds else {
            continue;
        };
        if num == 0 {
            check
                .out
                .error(codes::ZERO_ODDS, &slice.node.place, "no draw can ever give this")
                .help("leave `odds` out, or give it some: it would be shown as a prize that nobody can win");
        }
        let rule = rule(slice.reward, &slice.node.place, naming, rules, check);
        parts.push(Part {
            reward: slice.reward,
            parts: num * (whole / den),
            rule,
        });
    }
    sums(&parts, whole, rest, slices, naming.left, check);
    let rest_rule = rest
        .filter(|rest| {
            check
                .tables
                .reward_at(rest.reward)
                .is_some_and(|reward| reward.kind != RewardKind::Nothing)
        })
        .map(|rest| rule(rest.reward, &rest.node.place, naming, rules, check));
    Table {
        whole,
        parts,
        rest: rest.map(|rest| rest.reward),
        rest_rule,
    }
}

/// The smallest whole that all odds are parts of; 1 after an error.
fn whole(slices: &[Slice<'_>], check: &mut Check<'_>) -> u64 {
    let mut whole = 1u64;
    for slice in slices {
        let Odds::Parts { den, .. } = slice.odds else {
            continue;
        };
        let common = (whole / gcd(whole, den))
            .checked_mul(den)
            .filter(|common| *common <= MOST_WHOLE);
        let Some(common) = common else {
            check
                .out
                .error(codes::ODDS_NOT_EXACT, &slice.node.place, "these odds and those before them have no common whole that a draw could use exactly")
                .help("write the odds in percent, or as parts of the same number");
            return slices.iter().fold(1, |whole, slice| match slice.odds {
                Odds::Parts { den, .. } => whole.max(den),
                Odds::Rest => whole,
            });
        };
        whole = common;
    }
    whole
}

fn rest<'s, 'a>(slices: &'s [Slice<'a>], check: &mut Check<'_>) -> Option<&'s Slice<'a>> {
    let mut rests = slices.iter().filter(|slice| slice.odds == Odds::Rest);
    let first = rests.next()?;
    for second in rests {
        check
            .out
            .error(
                codes::TWO_RESTS,
                &second.node.place,
                "only one reward can take what the others leave",
            )
            .related(&first.node.place, "this one does already")
            .help("give one of them odds of its own");
    }
    Some(first)
}

fn sums(
    parts: &[Part],
    whole: u64,
    rest: Option<&Slice<'_>>,
    slices: &[Slice<'_>],
    left: &str,
    check: &mut Check<'_>,
) {
    let sum: u128 = parts.iter().map(|part| u128::from(part.parts)).sum();
    let whole = u128::from(whole);
    let Some(last) = slices.iter().rev().find(|slice| slice.odds != Odds::Rest) else {
        return;
    };
    if sum > whole {
        check
            .out
            .error(
                codes::ODDS_TOO_HIGH,
                &last.node.place,
                format!(
                    "all odds together are {}: more than 100%",
                    percent(sum, whole)
                ),
            )
            .help("lower some of them, or let one reward take what the others leave: `odds: rest`");
    } else if let Some(rest) = rest {
        if sum == whole {
            check
                .out
                .error(
                    codes::ZERO_ODDS,
                    &rest.node.place,
                    "the others leave nothing: no draw can ever give this",
                )
                .help("lower the others, or leave its `odds` out");
        }
    } else if sum < whole {
        check
            .out
            .warn(
                codes::ODDS_LEFT,
                &last.node.place,
                format!(
                    "all odds together are {}: the other draws win nothing",
                    percent(sum, whole)
                ),
            )
            .help(left);
    }
}

/// Parts of a whole in percent, cut to six decimals.
fn percent(parts: u128, whole: u128) -> String {
    const SCALE: u128 = 1_000_000;
    let scaled = parts.saturating_mul(100 * SCALE) / whole.max(1);
    let decimals = format!("{:06}", scaled % SCALE);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{}{point}{decimals}%", scaled / SCALE)
}

fn rule(
    reward: u16,
    place: &Place,
    naming: Naming<'_>,
    rules: &mut Rules,
    check: &mut Check<'_>,
) -> u16 {
    if let Some(known) = rules.get(&reward) {
        return *known;
    }
    let id = check
        .tables
        .reward_at(reward)
        .map_or_else(String::new, |reward| {
            format!("{}-{}", naming.rule, reward.id)
        });
    let rule = check
        .tables
        .promise(&id, Vec::new(), Terms::Block, place, &mut check.out);
    rules.insert(reward, rule);
    rule
}

fn pity(check: &mut Check<'_>) -> Option<Pity> {
    let fields = check.root.get("pity")?.fields(&PITY, &mut check.out)?;
    let losses = fields
        .get("losses_in_a_row")
        .and_then(|node| node.int(1..=1_000_000, &mut check.out));
    let starts = fields
        .get("starts_over_after")
        .and_then(|node| node.one_of(&["any-win", "this-reward"], &mut check.out));
    let node = fields.get("then_give")?;
    let reward = check.reward(node);
    if reward
        .and_then(|at| check.tables.reward_at(at))
        .is_some_and(|reward| reward.kind == RewardKind::Nothing)
    {
        check
            .out
            .error(
                codes::GIVES_NOTHING,
                &node.place,
                "this reward gives nothing: that is no pity",
            )
            .help("name a reward with a `kind`");
    }
    let rule = check.tables.promise(
        "wheel-pity",
        Vec::new(),
        Terms::Block,
        &node.place,
        &mut check.out,
    );
    Some(Pity {
        losses: losses? as u32,
        reward: reward?,
        rule,
        any_win: starts != Some("this-reward"),
    })
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}
