//! A ledger to verify: a wheel with everything a draw can meet, played by a crowd on a stage, over two revisions.

#[path = "../../../../blocks/tests/support/mod.rs"]
pub mod support;

use std::collections::BTreeMap;

use blocks::odds::Odds;
use blocks::wheel::Slice;
use campaign::codec::{encode, sha256};
use campaign::play::{Act, Stage};
use campaign::verify::{Promise, Published, Row};
use machine::calendar::HOUR_MS;
use machine::expr::{BoolExpr, Expr, IntExpr};
use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::input::{Facts, Known, Payload, User};
use machine::luck::{Luck, Seed};
use machine::model::{Definition, FactDecl, FactKind, Release, RewardKind, Sender, Within};
use support::{Builder, OPENS, acts, streak, wheel};

/// What the stage makes of the number 7.
pub const SEED: Seed = Seed([
    0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/// A ledger and all it is held against.
#[derive(Clone)]
pub struct Ledger {
    pub rows: Vec<Row>,
    pub revisions: BTreeMap<u32, Published>,
    pub seed: Seed,
    pub commitment: [u8; 32],
}

impl Ledger {
    pub fn promise(&self) -> Promise<'_> {
        Promise {
            revisions: &self.revisions,
            seed: &self.seed,
            commitment: self.commitment,
            whole: true,
        }
    }
}

/// A wheel whose laptop has `laptop` parts of 1,000.
pub fn definition(laptop: u64) -> Definition {
    let mut builder = Builder::new("Asia/Shanghai", vec![]);
    let reward = |builder: &mut Builder, id: &str, stock, cost, per_user, when_gone| {
        builder.reward(id, RewardKind::Coupon, |reward| {
            reward.stock = stock;
            reward.cost = cost;
            reward.per_user = per_user;
            reward.when_gone = when_gone;
        })
    };
    let card = reward(&mut builder, "card", Some(30), 0, None, None);
    let badge = reward(&mut builder, "badge", None, 0, Some(3), None);
    let coupon = reward(&mut builder, "coupon", Some(150), 1_000, None, Some(badge));
    let laptop_reward = reward(
        &mut builder,
        "laptop",
        Some(12),
        599_900,
        Some(1),
        Some(coupon),
    );
    let mug = reward(&mut builder, "mug", Some(60), 3_000, Some(2), Some(coupon));
    let nothing = builder.reward("nothing", RewardKind::Nothing, |_| {});
    builder.definition.rewards[usize::from(mug)].release = Some(Release {
        first: 8,
        later: (1..=4)
            .map(|day| (OPENS + i64::from(day) * 24 * HOUR_MS, 8 + 13 * day))
            .collect(),
    });
    builder.budget(5_000_000, Some(1_500_000), Some(card));
    let mut slices = Vec::new();
    for (place, (id, parts)) in [
        (laptop_reward, ("laptop", laptop)),
        (coupon, ("coupon", 100)),
        (mug, ("mug", 60)),
        (badge, ("badge", 50)),
    ] {
        slices.push(Slice {
            reward: place,
            parts,
            rule: builder.rule(&format!("wheel-{id}")),
        });
    }
    let pity = wheel::Pity {
        losses: 5,
        reward: coupon,
        rule: builder.rule("wheel-pity"),
        any_win: true,
    };
    let names = builder
        .definition
        .rewards
        .iter()
        .zip(0..)
        .map(|(reward, place)| (place, reward.id.clone()))
        .collect();
    let params = wheel::Params {
        whole: 1_000,
        slices,
        rest: Some(nothing),
        rest_rule: None,
        pity: Some(pity),
        names,
        ..wheel::Params::default()
    };
    let (block, _) = builder.block("wheel", serde_json::to_string(&params).unwrap(), 0);
    builder.event("draw", &[], vec![acts(block, 0, vec![])]);
    builder.definition
}

/// Days that draw: one of three each day, of which one is soon gone, and a mug or nothing for two days in a row.
pub fn days() -> Definition {
    let mut builder = Builder::new("Asia/Shanghai", vec![]);
    let few = builder.reward("few", RewardKind::Coupon, |reward| {
        reward.stock = Some(40);
    });
    let once = builder.reward("once", RewardKind::Coupon, |reward| {
        reward.per_user = Some(1);
        reward.when_gone = Some(few);
    });
    let mug = builder.reward("mug", RewardKind::Coupon, |_| {});
    let mut odds = |slices: &[(u16, &str, u64)], rest: Option<u16>| Odds {
        whole: 10,
        slices: slices
            .iter()
            .map(|(reward, rule, parts)| Slice {
                reward: *reward,
                parts: *parts,
                rule: builder.rule(rule),
            })
            .collect(),
        rest,
        rest_rule: rest.map(|_| builder.rule("rest")),
        names: vec![
            (few, "few".into()),
            (once, "once".into()),
            (mug, "mug".into()),
        ],
    };
    let lot = |due, name: &str, odds| streak::Lot {
        due,
        name: name.to_owned(),
        odds,
    };
    let params = streak::Params {
        lots: vec![
            lot(
                streak::Due::EachDay,
                "each-day",
                odds(&[(few, "each-few", 3), (once, "each-once", 4)], Some(mug)),
            ),
            lot(
                streak::Due::Total(3),
                "total-3",
                odds(&[(mug, "total", 5)], None),
            ),
        ],
        ..streak::Params::default()
    };
    let (block, _) = builder.block("streak", serde_json::to_string(&params).unwrap(), 0);
    builder.event("sign-in", &[], vec![acts(block, 0, vec![])]);
    builder.definition
}

/// 40 people sign in on ten days.
pub fn play_days() -> Ledger {
    let definition = days();
    let mut stage = Stage::open(&definition, 7, &BTreeMap::new(), OPENS).unwrap();
    let key = CampaignKey {
        tenant: "acme".into(),
        campaign: "trial".into(),
        edition: 1,
        lane: Lane::Live,
    };
    let mut rows = Vec::new();
    for turn in 0..400_i64 {
        let who = Pseudonym::of(&[2; 32], &format!("member-{}", turn % 40));
        let act = Act {
            who,
            user: &User::default(),
            facts: &Facts::default(),
            sender: Sender::User,
            event: Some((0, &Payload::default())),
            now: OPENS + turn / 40 * 24 * HOUR_MS + turn,
        };
        let played = stage.play(&act).unwrap();
        for (row, number) in played.decision.rows.iter().zip(played.applied.first_row..) {
            rows.push(Row::of(number, &key, 1, &who, act.now, row));
        }
    }
    let published = Published {
        sha256: sha256(&definition),
        definition: encode(&definition),
    };
    Ledger {
        rows,
        revisions: BTreeMap::from([(1, published)]),
        seed: SEED,
        commitment: SEED.commitment(),
    }
}

/// 2,400 draws by 40 people over some days; the odds change after a third of them.
pub fn play() -> Ledger {
    let (first, second) = (definition(20), definition(12));
    let mut stage = Stage::open(&first, 7, &BTreeMap::new(), OPENS).unwrap();
    let key = CampaignKey {
        tenant: "acme".into(),
        campaign: "trial".into(),
        edition: 1,
        lane: Lane::Live,
    };
    let mut order = Luck::new([1; 32]);
    let mut rows = Vec::new();
    let mut revision = 1;
    for turn in 0..2_400_i64 {
        if turn == 800 {
            revision = stage.publish(&second, &BTreeMap::new(), OPENS).unwrap();
        }
        let who = Pseudonym::of(&[2; 32], &format!("member-{}", order.below(40)));
        let act = Act {
            who,
            user: &User::default(),
            facts: &Facts::default(),
            sender: Sender::User,
            event: Some((0, &Payload::default())),
            now: OPENS + turn * HOUR_MS / 20,
        };
        let played = stage.play(&act).unwrap();
        for (row, number) in played.decision.rows.iter().zip(played.applied.first_row..) {
            rows.push(Row::of(number, &key, revision, &who, act.now, row));
        }
    }
    let published = |definition: &Definition| Published {
        sha256: sha256(definition),
        definition: encode(definition),
    };
    Ledger {
        rows,
        revisions: BTreeMap::from([(1, published(&first)), (2, published(&second))]),
        seed: SEED,
        commitment: SEED.commitment(),
    }
}

/// A wheel with tiers, several draws at once, limits by day and week, and a laptop (`laptop` parts of 1,000) that is not for those on
/// a list; its pity gives mugs, and only a mug starts the count over. Each day that is signed draws a sticker, too.
pub fn on_terms(laptop: u64) -> Definition {
    let mut builder = Builder::new("Asia/Shanghai", vec![]);
    builder.definition.facts.push(FactDecl {
        what: FactKind::List("past-winners".to_owned()),
        when_unknown: machine::Value::Bool(false),
    });
    let badge = builder.reward("badge", RewardKind::Coupon, |reward| {
        reward.within = Some(Within {
            day: Some(1),
            week: Some(3),
        });
        reward.per_user = Some(4);
    });
    let mug = builder.reward("mug", RewardKind::Coupon, |reward| {
        reward.stock = Some(60);
        reward.when_gone = Some(badge);
        reward.within = Some(Within {
            day: Some(2),
            week: None,
        });
    });
    let laptop_reward = builder.reward("laptop", RewardKind::Coupon, |reward| {
        reward.stock = Some(50);
        reward.when_gone = Some(mug);
        reward.not_for = Some(BoolExpr::Any(vec![BoolExpr::Fact(0)]));
    });
    let nothing = builder.reward("nothing", RewardKind::Nothing, |_| {});
    let slice = |builder: &mut Builder, reward, parts, id: &str| Slice {
        reward,
        parts,
        rule: builder.rule(&format!("wheel-{id}")),
    };
    let badges = slice(&mut builder, badge, 200, "badge");
    let mugs = slice(&mut builder, mug, 60, "mug");
    let laptops = slice(&mut builder, laptop_reward, laptop, "laptop");
    let tier = |first_draws, whole, slices| wheel::Tier {
        first_draws,
        whole,
        slices,
        rest: Some(nothing),
        rest_rule: None,
    };
    let names = (0..).zip(&builder.definition.rewards);
    let params = wheel::Params {
        whole: 1_000,
        names: names
            .map(|(place, reward)| (place, reward.id.clone()))
            .collect(),
        slices: vec![badges, mugs, laptops],
        rest: Some(nothing),
        pity: Some(wheel::Pity {
            losses: 7,
            reward: mug,
            rule: builder.rule("wheel-pity"),
            any_win: false,
        }),
        tiers: vec![
            tier(3, 300, vec![badges]),
            tier(8, 1_000, vec![badges, mugs]),
        ],
        at_most: wheel::AtMost {
            day: Some(12),
            week: Some(40),
            edition: Some(70),
        },
        ..wheel::Params::default()
    };
    let (block, _) = builder.wheel(&params);
    builder.event("draw", &[], vec![acts(block, 0, vec![])]);
    let five = vec![Expr::Int(IntExpr::Lit(5))];
    builder.event("draw-many", &[], vec![acts(block, 0, five)]);
    let sticker = builder.reward("sticker", RewardKind::Coupon, |_| {});
    let stickers = slice(&mut builder, sticker, 1, "sticker");
    let each_day = streak::Lot {
        due: streak::Due::EachDay,
        name: "each-day".to_owned(),
        odds: Odds {
            whole: 1,
            slices: vec![stickers],
            rest: None,
            rest_rule: None,
            names: vec![(sticker, "sticker".into())],
        },
    };
    let days = streak::Params {
        lots: vec![each_day],
        ..streak::Params::default()
    };
    let (block, _) = builder.block("streak", serde_json::to_string(&days).unwrap(), 0);
    builder.event("sign-in", &[], vec![acts(block, 0, vec![])]);
    builder.definition
}

/// What a participant's facts are: every other one is on the list.
pub fn listed(definition: &Definition, number: u64) -> Facts {
    let known = if number.is_multiple_of(2) {
        Known::Yes
    } else {
        Known::No
    };
    Facts::settle(&definition.facts, [known])
}

/// Some 2,000 draws by 30 people over nine days, one at a time and five at once; what nobody may draw any more is refused. The odds
/// change on the way.
pub fn play_on_terms() -> Ledger {
    let (first, second) = (on_terms(40), on_terms(30));
    let mut stage = Stage::open(&first, 7, &BTreeMap::new(), OPENS).unwrap();
    let key = CampaignKey {
        tenant: "acme".into(),
        campaign: "trial".into(),
        edition: 1,
        lane: Lane::Live,
    };
    let mut order = Luck::new([3; 32]);
    let (mut rows, mut revision) = (Vec::new(), 1);
    for turn in 0..900_i64 {
        if turn == 300 {
            revision = stage.publish(&second, &BTreeMap::new(), OPENS).unwrap();
        }
        let number = order.below(30);
        let who = Pseudonym::of(&[2; 32], &format!("member-{number}"));
        let event = match turn % 7 {
            0 => 2,
            _ => u16::from(order.below(2) == 0),
        };
        let act = Act {
            who,
            user: &User::default(),
            facts: &listed(&first, number),
            sender: Sender::User,
            event: Some((event, &Payload::default())),
            now: OPENS + turn * HOUR_MS / 4,
        };
        let Ok(played) = stage.play(&act) else {
            continue;
        };
        for (row, number) in played.decision.rows.iter().zip(played.applied.first_row..) {
            rows.push(Row::of(number, &key, revision, &who, act.now, row));
        }
    }
    let published = |definition: &Definition| Published {
        sha256: sha256(definition),
        definition: encode(definition),
    };
    Ledger {
        rows,
        revisions: BTreeMap::from([(1, published(&first)), (2, published(&second))]),
        seed: SEED,
        commitment: SEED.commitment(),
    }
}
