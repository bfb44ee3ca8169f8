//! Draws from a list of entries, for strangers: the Python of docs/FAIRNESS.md and our own verification make the same draw again
//! from the ledger alone, and both find what was changed.

// A purpose of this file alone: it runs another language's program on files.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use campaign::codec::{encode, link, sha256};
use campaign::play::{Act, Stage};
use campaign::verify::{Kind, Promise, Published, Row, What, verify};
use machine::ids::{CampaignKey, Lane, Pseudonym, hex};
use machine::input::{Facts, Payload, User};
use machine::ledger::{RaffleRow, Row as Booked};
use machine::luck::{Seed, Source as Luck};
use machine::model::{Definition, Sender};
use machine::raffle::{Entries, Told, nobody, reward_of};

use crate::sound;

const PAGE: &str = include_str!("../../../../docs/FAIRNESS.md");

/// What the stage makes of the number 7.
const SEED: Seed = Seed([
    0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

const FILE: &str = "
activity: lottery
title: { zh-CN: 抽奖, en: Raffle }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
claim_until: 2027-01-15 22:00
rewards:
  laptop: { title: { zh-CN: 笔记本, en: Laptop }, kind: physical, stock: 2, cost: 5999.00 }
  coupon: { title: { zh-CN: 券, en: Coupon }, kind: coupon, stock: 20, cost: 10.00 }
chances: { first_visit: 1, each_day: 1 }
raffle:
  entries_close: 2026-12-10 20:00
  draw_at: 2026-12-10 21:00
  entries_each: 5
  prizes: [{ reward: laptop, winners: 2 }, { reward: coupon, winners: 20 }]
  alternates: 5
  claim_within: 7 days
";

#[derive(Clone)]
struct Ledger {
    rows: Vec<Row>,
    definition: Definition,
}

fn definition() -> Definition {
    sound::definition("raffle", FILE)
}

/// A hundred people enter one to five times, the draw is made, most winners claim.
fn play() -> Ledger {
    let definition = definition();
    let campaign = link(definition.clone(), 1).unwrap();
    let (params, spec) = blocks::raffle::of(&definition).unwrap();
    let opens = definition.window.opens;
    let mut stage = Stage::open(&definition, 7, &BTreeMap::new(), opens).unwrap();
    let key = CampaignKey {
        tenant: definition.tenant.clone(),
        campaign: definition.campaign.clone(),
        edition: 1,
        lane: Lane::Live,
    };
    let (user, facts, payload) = (
        User::nobody(&campaign.claims),
        Facts::default(),
        Payload::default(),
    );
    let act = |who, event: Option<u16>, now| Act {
        who,
        user: &user,
        facts: &facts,
        sender: if event.is_some() {
            Sender::User
        } else {
            Sender::Timer
        },
        event: event.map(|event| (event, &payload)),
        now,
    };
    let (enter, claim) = (
        campaign.event("enter").unwrap(),
        campaign.event("claim-prize").unwrap(),
    );
    let (mut rows, mut entries) = (Vec::new(), Entries::default());
    for turn in 0..300_u64 {
        let who = Pseudonym::of(&[2; 32], &format!("member-{}", turn * turn % 101));
        let now = opens + turn as i64 * 2_000_000;
        let Ok(played) = stage.play(&act(who, Some(enter), now)) else {
            continue;
        };
        for (row, number) in played.decision.rows.iter().zip(played.applied.first_row..) {
            if let Booked::Entry(entry) = row {
                entries.add(entry.number.unwrap(), number, who).unwrap();
            }
            rows.push(Row::of(number, &key, 1, &who, now, row));
        }
    }
    let (count, sha256) = (entries.count(), entries.sha256());
    assert!(count > 100, "{count}");
    let path = format!("{}/{}", definition.tenant, definition.campaign);
    let mut luck = Luck::new(&SEED, &path, 1).raffle(&spec.name, &sha256);
    let order = entries.order(params.winners() + params.alternates, &mut luck);
    let drawn = RaffleRow {
        draw: spec.name.clone(),
        entries: count,
        sha256,
        prizes: params.named(&definition),
        alternates: params.alternates,
        claim_within: params.claim_within,
        order: order.clone(),
    };
    // The stage does not draw: its row is put where the next one would be, and those after it move on by one.
    let at = params.draw_at;
    let number = rows.len() as u64;
    let who = nobody(&key, &spec.name);
    let prizes = drawn.prizes.clone();
    rows.push(Row::of(number, &key, 1, &who, at, &Booked::Raffle(drawn)));
    for (slot, who) in (1..).zip(&order) {
        let Some(reward) = reward_of(&prizes, slot) else {
            break;
        };
        let told = Told::Won {
            slot,
            reward,
            until: Some(at + 1_000_000),
        };
        let told = stage.tell(&act(*who, None, at), &told).unwrap().unwrap();
        let claimed = (slot % 4 != 0).then(|| stage.play(&act(*who, Some(claim), at)).unwrap());
        for played in [Some(told), claimed].into_iter().flatten() {
            for (row, number) in played.decision.rows.iter().zip(played.applied.first_row..) {
                rows.push(Row::of(number + 1, &key, 1, who, at, row));
            }
        }
    }
    Ledger { rows, definition }
}

/// What ours finds, and what the page's program says.
fn judged(ledger: &Ledger) -> (campaign::verify::Report, String) {
    let published = Published {
        sha256: sha256(&ledger.definition),
        definition: encode(&ledger.definition),
    };
    let revisions = BTreeMap::from([(1, published)]);
    let promise = Promise {
        revisions: &revisions,
        seed: &SEED,
        commitment: SEED.commitment(),
        whole: true,
    };
    let ours = verify(&promise, ledger.rows.iter().cloned());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let program = PAGE
        .split("```python\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let lines: String = ledger
        .rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap() + "\n")
        .collect();
    let definition = write("definition.json", &revisions[&1].definition);
    let arguments = [
        write("verify.py", program.as_bytes()),
        write("ledger.ndjson", lines.as_bytes()),
        hex(&SEED.0),
        hex(&SEED.commitment()),
        format!("1={definition}={}", hex(&revisions[&1].sha256)),
    ];
    let run = Command::new("python3")
        .args(["-I", "-B"])
        .args(arguments)
        .output();
    let run = run.expect("this test runs the verifier of docs/FAIRNESS.md: install python3 (apt-get install python3)");
    let said =
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    (ours, said)
}

#[test]
fn winners_are_recomputed_from_the_ledger_alone() {
    let (ours, said) = judged(&play());
    assert_eq!(ours.findings, []);
    assert_eq!((ours.raffles, said.as_str()), (1, "verified\n"));
    assert!(ours.entries > 100);
}

fn raffle(ledger: &mut Ledger) -> &mut campaign::verify::Raffle {
    let mut found = ledger
        .rows
        .iter_mut()
        .filter_map(|row| match &mut row.what {
            What::Raffle { raffle } => Some(raffle),
            _ => None,
        });
    found.next().unwrap()
}

#[test]
fn whatever_was_changed_about_a_draw_is_found() {
    type Tampering = (&'static str, Kind, fn(&mut Ledger));
    let tamperings: [Tampering; 8] = [
        ("an entry of somebody else's", Kind::Raffle, |ledger| {
            ledger.rows[5].user = ledger.rows[6].user.clone();
        }),
        ("an entry's number", Kind::Entry, |ledger| {
            if let What::Entry { entry } = &mut ledger.rows[5].what {
                entry.number = 9;
            }
        }),
        ("an entry dropped from the end", Kind::Raffle, |ledger| {
            let at = ledger
                .rows
                .iter()
                .position(|row| matches!(row.what, What::Raffle { .. }))
                .unwrap();
            ledger.rows[at - 1].what = What::Message;
        }),
        ("an entry after the close", Kind::Entry, |ledger| {
            ledger.rows[7].at = Some("2026-12-10T20:00:00+08:00".to_owned());
        }),
        ("another winner", Kind::Raffle, |ledger| {
            raffle(ledger).order.swap(0, 9);
        }),
        ("another hash", Kind::Raffle, |ledger| {
            raffle(ledger).sha256 = "00".repeat(32);
        }),
        ("more prizes than were promised", Kind::Raffle, |ledger| {
            raffle(ledger).prizes[0].winners = 3;
        }),
        ("a prize for a stranger", Kind::Raffle, |ledger| {
            let grant = ledger
                .rows
                .iter()
                .position(|row| matches!(row.what, What::Grant { .. }))
                .unwrap();
            ledger.rows[grant].user = "ff".repeat(16);
        }),
    ];
    let honest = play();
    for (what, kind, tamper) in tamperings {
        let mut ledger = honest.clone();
        tamper(&mut ledger);
        let (ours, said) = judged(&ledger);
        assert!(
            ours.findings.iter().any(|finding| finding.kind == kind),
            "{what}: {:?}",
            ours.findings
        );
        assert!(
            !said.contains("Traceback") && said.ends_with("findings\n"),
            "{what}: {said}"
        );
        let word = serde_json::to_value(kind).unwrap();
        assert!(said.contains(word.as_str().unwrap()), "{what}: {said}");
    }
}
