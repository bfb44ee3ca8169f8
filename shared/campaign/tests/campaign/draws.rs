//! Draws on a stage, with the real commit: what several at once, exclusions and chances bought come to.

use std::collections::BTreeMap;

use campaign::play::{Act, Played, Refused, Stage};
use machine::calendar::HOUR_MS;
use machine::ids::Pseudonym;
use machine::input::{Facts, Known, Payload, User};
use machine::ledger::{DrawRow, Row};
use machine::model::{Definition, Sender};
use machine::step::Rejection;
use machine::{Millis, Value};
use proptest::prelude::*;

use crate::ledger::support::OPENS;
use crate::ledger::{listed, on_terms};
use crate::sound;

fn definition(text: &str) -> Definition {
    sound::definition("trial", text)
}

fn open(definition: &Definition, stock: &[(&str, u32)]) -> Stage {
    let stock: BTreeMap<String, u32> = stock
        .iter()
        .map(|(id, units)| ((*id).to_owned(), *units))
        .collect();
    Stage::open(definition, 7, &stock, definition.window.opens).unwrap()
}

fn send(
    stage: &mut Stage,
    number: u64,
    event: &str,
    sender: Sender,
    facts: &Facts,
    now: Millis,
) -> Result<Played, Refused> {
    let campaign = stage.campaign().unwrap();
    let user = User::nobody(&campaign.claims);
    let act = Act {
        who: Pseudonym::of(&[2; 32], &format!("member-{number}")),
        user: &user,
        facts,
        sender,
        event: Some((campaign.event(event).unwrap(), &Payload::default())),
        now,
    };
    stage.play(&act)
}

fn draws(played: &Played) -> Vec<DrawRow> {
    let draw = |row: &Row| match row {
        Row::Draw(draw) => Some(draw.clone()),
        _ => None,
    };
    played.decision.rows.iter().filter_map(draw).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// With the real commit too, which names what is gone bit by bit: five at once are five single draws, whatever others took before.
    #[test]
    fn draws_at_once_are_single_draws_to_the_store(
        mugs in 0..8u32, laptops in 0..4u32, others in proptest::collection::vec((0..6u64, any::<bool>()), 0..25), listed_too: bool,
    ) {
        let definition = on_terms(200);
        let stock = [("mug", mugs), ("laptop", laptops)];
        let (mut one, mut two) = (open(&definition, &stock), open(&definition, &stock));
        let mut now = OPENS;
        for (number, many) in others {
            now += HOUR_MS / 2;
            let event = if many { "draw-many" } else { "draw" };
            let facts = listed(&definition, number);
            let first = send(&mut one, number, event, Sender::User, &facts, now);
            let second = send(&mut two, number, event, Sender::User, &facts, now);
            prop_assert_eq!(first.map(|played| played.decision).ok(), second.map(|played| played.decision).ok());
        }
        let facts = listed(&definition, u64::from(!listed_too));
        let together = send(&mut one, 99, "draw-many", Sender::User, &facts, now).unwrap();
        let mut rows = Vec::new();
        for _ in 0..5 {
            rows.extend(send(&mut two, 99, "draw", Sender::User, &facts, now).unwrap().decision.rows);
        }
        // With their serials.
        prop_assert_eq!(together.decision.rows, rows);
    }

    /// Who is on the list rolls what they would have rolled, by the same odds; only what it gives differs, and only by the stand-in.
    #[test]
    fn an_exclusion_never_touches_a_roll(number in any::<u64>(), many in any::<bool>()) {
        let definition = on_terms(200);
        let event = if many { "draw-many" } else { "draw" };
        let (mut free, mut kept) = (open(&definition, &[]), open(&definition, &[]));
        let known = |known| Facts::settle(&definition.facts, [known]);
        for turn in 0..12 {
            let now = OPENS + turn * 24 * HOUR_MS;
            let theirs = send(&mut free, number, event, Sender::User, &known(Known::No), now);
            let own = send(&mut kept, number, event, Sender::User, &known(Known::Yes), now);
            let (Ok(theirs), Ok(own)) = (theirs, own) else { break };
            for (theirs, own) in draws(&theirs).iter().zip(draws(&own)) {
                prop_assert!(theirs.terms.excluded.is_empty());
                prop_assert_ne!(own.given.as_deref(), Some("laptop"));
                prop_assert_eq!(!own.terms.excluded.is_empty(), &*own.rolled.reward == "laptop");
                prop_assert_eq!(own.terms.tier, theirs.terms.tier);
                // Pity apart, whose count follows from what was given.
                if !own.rolled.pity && !theirs.rolled.pity {
                    prop_assert_eq!(&own.rolled, &theirs.rolled);
                }
            }
        }
    }

    /// Whatever is earned, drawn and bought in whatever order: a purchase takes its whole price and adds all that it sold, or is refused
    /// and changes nothing; nothing that was paid for is cut.
    #[test]
    fn a_purchase_is_whole_or_refused(turns in proptest::collection::vec((0..4u8, 0..10i64), 1..80)) {
        let definition = definition(SHOP);
        let mut stage = open(&definition, &[]);
        let campaign = stage.campaign().unwrap();
        let slot = |name: &str| campaign.vars.iter().position(|var| var.name == name).unwrap();
        let (chances, points) = (slot("chances"), slot("points"));
        let mut now = definition.window.opens;
        let mut bought = BTreeMap::new();
        for (what, hours) in turns {
            now += hours * HOUR_MS;
            let who = Pseudonym::of(&[2; 32], "member-1");
            let user = User::nobody(&campaign.claims);
            let act = Act { who, user: &user, facts: &Facts::default(), sender: Sender::User, event: None, now };
            let held = |stage: &Stage| {
                let held = stage.look(&act, |view| [chances, points].map(|slot| view.turn.core.vars[slot].clone()));
                held.unwrap().map(|value| match value { Value::Int(held) => held, _ => panic!("a balance") })
            };
            let [chances, points] = held(&stage);
            let day = campaign.calendar.day(now);
            match what {
                0 => {
                    let _ = send(&mut stage, 1, "order-paid", Sender::Backend, &Facts::default(), now);
                }
                1 => {
                    let _ = send(&mut stage, 1, "draw-many", Sender::User, &Facts::default(), now);
                }
                2 => {
                    let _ = send(&mut stage, 1, "draw", Sender::User, &Facts::default(), now);
                }
                _ => match send(&mut stage, 1, "buy-chance", Sender::User, &Facts::default(), now) {
                    Ok(_) => {
                        prop_assert_eq!(held(&stage), [chances + 2, points - 30]);
                        *bought.entry(day).or_insert(0) += 1;
                        prop_assert!(bought[&day] <= 2);
                    }
                    Err(Refused::Rejected(Rejection::Custom(code))) => {
                        let why = match &*code {
                            "too-few-to-pay" => points < 30,
                            "bought-enough-today" => bought.get(&day) == Some(&2),
                            "holds-enough" => chances + 2 > 12,
                            _ => false,
                        };
                        prop_assert!(why, "{}", code);
                        prop_assert_eq!(held(&stage), [chances, points]);
                    }
                    Err(other) => prop_assert!(false, "{other}"),
                },
            }
            let [chances, points] = held(&stage);
            prop_assert!((0..=12).contains(&chances) && points >= 0);
        }
    }
}

const SHOP: &str = "activity: lottery
title: { zh-CN: 测试, en: Test }
opens: 2026-12-01 10:00
closes: 2027-12-15 22:00
rewards:
  points: { title: { zh-CN: 积分, en: Points }, kind: points, amount: 10, odds: 60% }
  nothing: { title: { zh-CN: 谢谢, en: Next time }, odds: rest }
chances: { first_visit: 6, each_day: 1, hold_at_most: 12 }
draws: { at_once: 5, for: 4 }
earn: { order-paid: { from: backend, chances: 3, per_day: 2 } }
buy: { chances: 2, for: { points: 30 }, per_day: 2 }
";

#[test]
fn a_default_machine_has_only_what_its_campaign_asks_for() {
    let plain = SHOP
        .replace("draws: { at_once: 5, for: 4 }\n", "")
        .replace("buy: { chances: 2, for: { points: 30 }, per_day: 2 }\n", "");
    let names = |text: &str| -> Vec<String> {
        let definition = definition(text);
        definition
            .events
            .iter()
            .map(|event| event.name.to_string())
            .collect()
    };
    assert_eq!(names(&plain), ["order-paid", "draw"]);
    assert_eq!(
        names(SHOP),
        ["order-paid", "buy-chance", "draw", "draw-many"]
    );
    let free = SHOP.replace("for: 4", "at_most: { day: 7 }");
    let mut stage = open(&definition(&free), &[]);
    let now = stage.campaign().unwrap().window.opens;
    let no = |played: Result<Played, Refused>| match played {
        Err(Refused::Rejected(no)) => no.code().to_owned(),
        other => panic!("{other:?}"),
    };
    // As many chances as draws unless said, and the limit before the chances.
    send(
        &mut stage,
        1,
        "draw-many",
        Sender::User,
        &Facts::default(),
        now,
    )
    .unwrap();
    assert_eq!(
        no(send(
            &mut stage,
            1,
            "draw-many",
            Sender::User,
            &Facts::default(),
            now
        )),
        "draw-limit"
    );
    send(&mut stage, 1, "draw", Sender::User, &Facts::default(), now).unwrap();
    send(&mut stage, 1, "draw", Sender::User, &Facts::default(), now).unwrap();
    assert_eq!(
        no(send(
            &mut stage,
            1,
            "draw",
            Sender::User,
            &Facts::default(),
            now
        )),
        "draw-limit"
    );
}

/// A page says when a limit of draws ends: tomorrow, on Monday, or never.
#[test]
fn a_limit_of_draws_says_when_it_ends() {
    let rows = [
        ("{ day: 5 }", Some("2026-12-02")),
        ("{ day: 5, week: 20 }", Some("2026-12-02")),
        ("{ week: 5 }", Some("2026-12-07")),
        ("{ day: 5, week: 5 }", Some("2026-12-07")),
        ("{ week: 5, edition: 5 }", None),
    ];
    for (limit, expected) in rows {
        let definition = definition(&SHOP.replace("for: 4", &format!("at_most: {limit}")));
        let mut stage = open(&definition, &[]);
        let campaign = stage.campaign().unwrap();
        let now = definition.window.opens;
        send(
            &mut stage,
            1,
            "draw-many",
            Sender::User,
            &Facts::default(),
            now,
        )
        .unwrap();
        let user = User::nobody(&campaign.claims);
        let act = Act {
            who: Pseudonym::of(&[2; 32], "member-1"),
            user: &user,
            facts: &Facts::default(),
            sender: Sender::User,
            event: None,
            now,
        };
        let draw = campaign.event("draw").unwrap();
        let (code, next) = stage
            .look(&act, |view| {
                let draw = view
                    .events
                    .iter()
                    .find(|possible| possible.event == draw)
                    .unwrap();
                (
                    draw.no.as_ref().map(|no| no.code().to_owned()),
                    draw.next_at,
                )
            })
            .unwrap();
        assert_eq!(code.as_deref(), Some("draw-limit"), "{limit}");
        let expected = expected.map(|day| {
            let day = machine::calendar::day_number(day.parse().unwrap());
            campaign.calendar.start_of(day)
        });
        assert_eq!(next, expected, "{limit}");
    }
}
