//! A thousand ways to tamper with an audit, each caught at its first place.

use machine::ids::Lane;
use machine::luck::Seed;
use machine::world::{Action, Admin, Pause, Publication, World, apply_admin};
use rand::rngs::ChaCha20Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

/// What a year of staff left: every kind of action, with words of people in it.
fn audit() -> Vec<Line> {
    let mut world = World::default();
    let campaign: Arc<str> = "spring".into();
    let mut actions = vec![Action::CreateTenant {
        secret: Seed([1; 32]),
    }];
    for number in 0..12_u32 {
        actions.push(Action::Publish(Publication {
            campaign: campaign.clone(),
            edition: 1,
            definition: format!("{{\"n\":{number}}}").into_bytes().into(),
            stock: vec![("mug".into(), 5 + number)],
            budget: Some(1000),
            seeds: (Seed([2; 32]), Seed([3; 32])),
        }));
        actions.push(Action::AddStock {
            campaign: campaign.clone(),
            edition: 1,
            lane: Lane::Live,
            reward: "mug".into(),
            add: 1 + number,
        });
        actions.push(Action::Pause {
            campaign: campaign.clone(),
            edition: 1,
            pause: Pause {
                reason: "奖品数量不对".into(),
                notice: Some("Back at two, \"maybe\"".into()),
                until: None,
                event: None,
            },
        });
        actions.push(Action::Resume {
            campaign: campaign.clone(),
            edition: 1,
        });
    }
    for (number, action) in actions.into_iter().enumerate() {
        let change = Admin {
            tenant: "acme".into(),
            by: ["ann", "宝"][number % 2].into(),
            at: 1_800_000_000_000 + number as i64 * 61_007,
            key: None,
            action,
            why: (number % 3 == 0).then(|| "the supplier said so".into()),
        };
        apply_admin(&mut world, &change);
    }
    world.tenants["acme"].audit.iter().map(line).collect()
}

fn line(entry: &AuditEntry) -> Line {
    let at = DateTime::from_timestamp_millis(entry.at).unwrap();
    Line {
        number: entry.number,
        at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
        at_ms: entry.at,
        by: entry.by.to_string(),
        action: entry.action.clone(),
        campaign: entry.campaign.as_deref().map(str::to_owned),
        details: entry.details.clone(),
        hash: hex(&entry.hash),
    }
}

fn text(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .map(|line| serde_json::to_string(line).unwrap())
        .collect()
}

fn look(lines: &[Line], head: Option<&str>) -> Verdict {
    verify(text(lines).iter().map(String::as_str), head)
}

/// The hash that this entry needs to pass after the one before.
fn forged(lines: &[Line], place: usize) -> String {
    let before = place
        .checked_sub(1)
        .map_or([0; 32], |before| bytes(&lines[before].hash).unwrap());
    let of = &lines[place];
    let entry = AuditEntry {
        number: of.number,
        at: of.at_ms,
        by: of.by.as_str().into(),
        action: of.action.clone(),
        campaign: of.campaign.as_deref().map(Arc::from),
        details: of.details.clone(),
        hash: [0; 32],
    };
    hex(&entry.expected_hash(before))
}

/// A text with one of its characters changed.
fn changed(text: &str, luck: &mut ChaCha20Rng) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = luck.random_range(0..letters.len());
    let mut other = letters.clone();
    // A hash stays a hash, so that it is the chain that finds it.
    let from: Vec<char> = "0123456789abcdef".chars().collect();
    while other == letters {
        other[at] = from[luck.random_range(0..from.len())];
    }
    other.into_iter().collect()
}

/// Changes one entry's content; a moment is changed in both of its writings.
fn alter(line: &mut Line, luck: &mut ChaCha20Rng) {
    match luck.random_range(0..6) {
        0 => line.number ^= 1 << luck.random_range(0..6),
        1 => {
            line.at_ms += luck.random_range(1..1_000_000);
            let at = DateTime::from_timestamp_millis(line.at_ms).unwrap();
            line.at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        }
        2 => line.by = changed(&line.by, luck),
        3 => line.action = changed(&line.action, luck),
        4 => {
            line.campaign = match &line.campaign {
                Some(campaign) => Some(changed(campaign, luck)),
                None => Some("summer".to_owned()),
            }
        }
        _ => line.details = changed(&line.details, luck),
    }
}

#[test]
fn a_thousand_tamperings_are_each_named_at_their_first_place() {
    let sound = audit();
    let head = sound.last().unwrap().hash.clone();
    assert_eq!(look(&sound, Some(&head)).first, None);
    let seed = 20_261_127;
    let mut luck = ChaCha20Rng::seed_from_u64(seed);
    let many = sound.len();
    let mut kinds = [0; 10];
    for turn in 0..1000 {
        let mut lines = sound.clone();
        let at = luck.random_range(0..many);
        let kind = turn % kinds.len();
        kinds[kind] += 1;
        let expected = match kind {
            0 => {
                alter(&mut lines[at], &mut luck);
                at
            }
            1 => {
                lines[at].hash = changed(&lines[at].hash, &mut luck);
                at
            }
            // What people read of a moment, without the moment.
            2 => {
                lines[at].at = changed(&lines[at].at, &mut luck);
                at
            }
            3 => {
                lines.remove(at);
                // The last one's absence shows by the head only, and is named by the same place.
                at
            }
            4 => {
                let other = (at + luck.random_range(1..many)) % many;
                lines.swap(at, other);
                at.min(other)
            }
            5 => {
                let copy = lines[at].clone();
                lines.insert(at, copy);
                at + 1
            }
            6 => {
                let mut made = lines[at].clone();
                made.details = "{\"made\":\"up\"}".to_owned();
                lines.insert(at, made);
                let hash = forged(&lines, at);
                lines[at].hash = hash;
                // It fits where it was put; what was there does not any more.
                at + 1
            }
            7 => {
                lines.truncate(at);
                at
            }
            // One entry with a hash that fits: the next one's does not. The last one's shows by the head.
            8 => {
                alter_in_place(&mut lines[at], &mut luck);
                let hash = forged(&lines, at);
                lines[at].hash = hash;
                at + 1
            }
            // All from there on written anew, which only a head can tell.
            _ => {
                alter_in_place(&mut lines[at], &mut luck);
                for place in at..many {
                    let hash = forged(&lines, place);
                    lines[place].hash = hash;
                }
                many
            }
        };
        let found = look(&lines, Some(&head)).first;
        assert_eq!(
            found.as_ref().map(|found| found.place),
            Some(expected),
            "seed {seed}, turn {turn}, kind {kind}, at {at}: {found:?}"
        );
        // Without a head everything but a missing or rewritten end.
        let at_the_end = matches!(kind, 7 | 9) || (at + 1 == many && matches!(kind, 3 | 8));
        assert_eq!(
            look(&lines, None).first.is_none(),
            at_the_end,
            "turn {turn}"
        );
    }
    assert_eq!(kinds, [100; 10]);
}

/// Another text, the number being what it was.
fn alter_in_place(line: &mut Line, luck: &mut ChaCha20Rng) {
    line.details = changed(&line.details, luck);
}

#[test]
fn a_head_from_before_is_still_there_later() {
    let lines = audit();
    let earlier = lines[7].hash.clone();
    assert_eq!(look(&lines, Some(&earlier)).first, None);
    let verdict = look(&lines[..7], Some(&earlier));
    assert_eq!(verdict.first.unwrap().place, 7);
    assert_eq!(
        look(&[], None),
        Verdict {
            entries: 0,
            head: None,
            first: None
        }
    );
}

#[test]
fn what_is_no_entry() {
    let lines = text(&audit());
    for (from, to) in [
        ("\"by\"", "\"By\""),
        ("{\"number\":2", "{\"number\":2,\"number\":2"),
        ("{\"number\":2", "{\"more\":1,\"number\":2"),
        ("\"campaign\":\"spring\"", "\"campaign\":\"\""),
    ] {
        let mut lines = lines.clone();
        lines[2] = lines[2].replacen(from, to, 1);
        let verdict = verify(lines.iter().map(String::as_str), None);
        assert_eq!(verdict.first.unwrap().place, 2, "{from}");
    }
}
