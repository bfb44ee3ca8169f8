//! The pool that a reward's codes come from: `pool` and `low_water`. What stands in a pool is the store's to know; here is only read
//! which one is meant.

use machine::model::{CodePool, RewardKind};

use crate::check::Check;
use crate::codes;
use crate::document::{Fields, Kind, Node, Odds};

/// A reward's pool; none: it has none, or what is written can't be used.
pub(crate) fn read(
    reward: &Fields<'_>,
    kind: RewardKind,
    stock: Option<u32>,
    check: &mut Check<'_>,
) -> Option<CodePool> {
    let Some(node) = reward.get("pool") else {
        if reward.has("low_water") {
            let place = reward.key_place("low_water");
            check
                .out
                .error(
                    codes::LOW_WATER,
                    place,
                    "there is no pool that could run low",
                )
                .help("add `pool`: the pool that the codes come from");
        }
        return None;
    };
    let name = node.id("pool", &mut check.out)?;
    if kind != RewardKind::Code {
        check
            .out
            .error(
                codes::POOL_OF_CODES,
                reward.key_place("pool"),
                "a pool holds codes, and this reward is none",
            )
            .help("write `kind: code`, or leave `pool` out");
        return None;
    }
    let Some(stock) = stock else {
        if !reward.has("stock") {
            check
                .out
                .error(
                    codes::POOL_OF_CODES,
                    reward.key_place("pool"),
                    "codes come from a pool, and nothing says how many are given at most",
                )
                .help("add `stock`: how many codes this campaign gives, of those in the pool");
        }
        return None;
    };
    let mut others = check.tables.rewards.iter();
    let other = others.find(|other| {
        let pool = other.what.pool.as_ref();
        pool.is_some_and(|pool| *pool.name == *name)
    });
    if let Some(other) = other {
        let message = format!("pool `{name}` is that of reward `{}`", other.what.id);
        check
            .out
            .error(codes::POOL_TWICE, &node.place, message)
            .help("a pool is one reward's, so that no code is handed out twice: take another pool");
    }
    let tenant = &check.input.tenant.id;
    check
        .out
        .note(
            codes::POOL_IN_STORE,
            &node.place,
            format!("codes are in the store: whether pool `{name}` has {stock} of them is not known here"),
        )
        .help(format!("put them there before it opens (`gala codes put {tenant} {name} codes.csv`); `gala codes list {tenant}` says how many there are"));
    let low_water = reward
        .get("low_water")
        .and_then(|node| low_water(node, stock, check));
    Some(CodePool {
        name: name.into(),
        low_water,
    })
}

/// From how many codes on the pool is low: a figure, or a share of the stock, rounded up.
fn low_water(node: &Node, stock: u32, check: &mut Check<'_>) -> Option<u32> {
    let is_share =
        matches!(&node.kind, Kind::Scalar { text, .. } if text.trim_end().ends_with('%'));
    let low = if is_share {
        match node.odds(&mut check.out)? {
            Odds::Parts { num, den } => {
                let codes = (u128::from(stock) * u128::from(num)).div_ceil(u128::from(den).max(1));
                u32::try_from(codes).unwrap_or(stock)
            }
            Odds::Rest => return None,
        }
    } else {
        node.int(1..=i64::from(u32::MAX), &mut check.out)? as u32
    };
    if low >= stock {
        check
            .out
            .error(
                codes::LOW_WATER,
                &node.place,
                format!("the pool is low from the first code on: only {stock} are given at all"),
            )
            .help("name a figure below `stock`, or a share such as `10%`");
        return None;
    }
    Some(low)
}
