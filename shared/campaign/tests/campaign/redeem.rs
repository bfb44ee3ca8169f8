//! Codes held against a model that counts on its fingers: anybody hands in anything, in any order, and what the store says is gone is
//! known to a step only from an answer to it, as it is in a process that has seen nothing of the others.

use std::collections::BTreeMap;

use campaign::play::{Act, Refused, Stage};
use machine::ids::Pseudonym;
use machine::input::{Facts, Known, Payload, User};
use machine::model::{FactKind, Sender};
use machine::redeem::{Handed, Standing};
use machine::value::Value;
use machine::world::CounterKey;
use proptest::prelude::*;

use crate::sound;

const TEXT: &str = "
activity: gift-pack
title: { zh-CN: 测试, en: Test }
opens: 2026-10-25
closes: 2027-03-20
rewards:
  coupon: { title: { zh-CN: 券, en: Coupon }, kind: coupon }
  mug: { title: { zh-CN: 杯, en: Mug }, kind: coupon, stock: 4 }
redeem:
  per_user: 3
  codes:
    single: { list: single, per_user: 2, gives: [coupon, mug] }
    shared: { list: shared, uses: 2, gives: coupon }
    word: { word: HELLO, uses: 3, per_user: 2, gives: coupon }
";

const KINDS: [&str; 3] = ["single", "shared", "word"];

/// How often a code of each kind may be used, and how many of them by one user.
const USES: [u32; 3] = [1, 2, 3];
const PER_USER: [u32; 3] = [2, 1, 2];
const IN_ALL: u32 = 3;
const MUGS: u32 = 4;

fn stage() -> Stage {
    let definition = sound::definition("codes", TEXT);
    let opens = definition.window.opens;
    Stage::open(&definition, 7, &BTreeMap::new(), opens).unwrap()
}

fn hand_in(stage: &mut Stage, who: u8, code: Pseudonym, is: Standing) -> Result<usize, String> {
    let campaign = stage.campaign().unwrap();
    let user = User::nobody(&campaign.claims);
    let handed = Handed { code, is };
    let known = campaign.facts.iter().map(|fact| match &fact.what {
        FactKind::Redeem(_) => Known::Handed(handed.clone()),
        _ => Known::Unknown,
    });
    let facts = Facts::settle(&campaign.facts, known);
    let payload = Payload {
        fields: vec![Value::Str(code.to_string().into())],
    };
    let act = Act {
        who: Pseudonym([who; 16]),
        user: &user,
        facts: &facts,
        sender: Sender::User,
        event: Some((campaign.event("redeem").unwrap(), &payload)),
        now: campaign.window.opens,
    };
    match stage.play(&act) {
        Ok(played) => Ok(played.rewards().len()),
        Err(Refused::Rejected(no)) => Err(no.code().to_owned()),
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_code_gives_more_often_than_it_may_in_any_order(
        steps in prop::collection::vec((1_u8..6, 0_usize..4, 0_u8..3), 1..60),
    ) {
        let mut stage = stage();
        let (mut used, mut of_kind, mut in_all, mut mugs) =
            (BTreeMap::<Pseudonym, u32>::new(), BTreeMap::new(), BTreeMap::new(), 0);
        for (who, kind, number) in steps {
            let number = if kind == 2 { 0 } else { number };
            let code = Pseudonym([100 + 10 * kind as u8 + number; 16]);
            let Some(name) = KINDS.get(kind) else {
                let no = hand_in(&mut stage, who, code, Standing::Unknown);
                prop_assert_eq!(no, Err("code-unknown".to_owned()));
                continue;
            };
            let came = hand_in(&mut stage, who, code, Standing::Of((*name).into()));
            let times = used.entry(code).or_default();
            let own = of_kind.entry((who, kind)).or_insert(0);
            let all = in_all.entry(who).or_insert(0);
            let expected = if *own == PER_USER[kind] || *all == IN_ALL {
                Err("code-limit")
            } else if *times == USES[kind] {
                Err("code-used")
            } else if kind == 0 && mugs == MUGS {
                Err("sold-out")
            } else {
                (*times, *own, *all) = (*times + 1, *own + 1, *all + 1);
                mugs += u32::from(kind == 0);
                Ok(if kind == 0 { 2 } else { 1 })
            };
            prop_assert_eq!(came, expected.map_err(str::to_owned));
        }
        for (code, times) in used {
            let counter = stage.lane().unwrap().counters.get(&CounterKey::Code(code)).copied();
            prop_assert_eq!(counter.map_or(0, |counter| counter.issued), i64::from(times));
        }
    }
}
