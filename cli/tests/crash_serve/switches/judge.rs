//! Who says what was late: pure, from what clients noted, what staff did, and what the ledger and the audit tell.

use serde_json::{Value, json};

/// What is so from a switch on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What staff did to get here, as the audit calls it.
    pub action: &'static str,
    /// The newest revision.
    pub revision: u64,
    /// What it gives.
    pub gives: &'static str,
    pub paused: bool,
    /// How many rows there were when it had been acknowledged.
    pub rows: u64,
    /// How many there were when the next switch was about to be sent.
    pub rows_at_end: u64,
}

/// A call and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shot {
    /// The last switch that was acknowledged before it was sent.
    pub from: usize,
    /// The last one that was begun before it was answered.
    pub to: usize,
    pub got: Got,
    /// How often it was asked to try again (503, nothing changed) before that, with the same key.
    pub tries: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    Reward(String),
    Paused,
    Other(String),
}

/// All that is later than it may be, and all that nobody did.
pub fn judge(states: &[State], shots: &[Shot], rows: &[Value], audit: &[Value]) -> Vec<String> {
    let mut late = Vec::new();
    for shot in shots {
        let possible = states
            .get(shot.from..=shot.to)
            .unwrap_or_default()
            .iter()
            .any(|state| match &shot.got {
                Got::Reward(reward) => !state.paused && reward == state.gives,
                Got::Paused => state.paused,
                Got::Other(_) => false,
            });
        if !possible {
            late.push(format!(
                "no state from {} to {}: {shot:?}",
                shot.from, shot.to
            ));
        }
    }
    let gives = |revision: u64| {
        let state = states.iter().find(|state| state.revision == revision);
        state.map(|state| state.gives)
    };
    for (number, row) in rows.iter().enumerate() {
        let revision = row["revision"].as_u64().unwrap_or(0);
        // The ledger's places: every switch acknowledged before this row was written.
        let newest = states
            .iter()
            .filter(|state| state.rows <= number as u64)
            .map(|state| state.revision)
            .max();
        if newest.is_some_and(|newest| revision < newest) {
            late.push(format!(
                "row {number} is of revision {revision}, after {newest:?}"
            ));
        }
        if row["grant"]["reward"].as_str() != gives(revision) {
            late.push(format!(
                "row {number} gives what its revision does not: {row}"
            ));
        }
    }
    for (number, state) in states.iter().enumerate() {
        if state.paused && state.rows_at_end != state.rows {
            late.push(format!(
                "{} rows were written during pause {number}",
                state.rows_at_end - state.rows
            ));
        }
    }
    let granted = shots
        .iter()
        .filter(|shot| matches!(shot.got, Got::Reward(_)));
    if granted.count() != rows.len() {
        late.push(format!(
            "the ledger has {} rows, and answers say otherwise",
            rows.len()
        ));
    }
    let told: Vec<(&str, Option<u64>)> = audit
        .iter()
        .map(|entry| {
            let details = entry["details"].as_str().unwrap_or_default();
            let details: Value = serde_json::from_str(details).unwrap_or_default();
            (
                entry["action"].as_str().unwrap_or_default(),
                details["revision"].as_u64(),
            )
        })
        .collect();
    let done: Vec<_> = states
        .iter()
        .map(|state| {
            let revises = ["publish", "rollback"].contains(&state.action);
            (state.action, revises.then_some(state.revision))
        })
        .collect();
    if told != done {
        late.push(format!("the audit tells {told:?}"));
    }
    late
}

/// A change of what the judge is shown.
type Change<'a> = &'a dyn Fn(&mut Vec<State>, &mut Vec<Shot>, &mut Vec<Value>, &mut Vec<Value>);

/// Whether the judge would notice.
#[test]
fn the_judge_of_switches_finds_what_is_late() {
    let state = |action, revision, gives, paused, rows, rows_at_end| State {
        action,
        revision,
        gives,
        paused,
        rows,
        rows_at_end,
    };
    let states = [
        state("publish", 1, "a", false, 0, 1),
        state("publish", 2, "b", false, 2, 3),
        state("pause", 2, "b", true, 3, 3),
    ];
    let shot = |from, to, reward: &str| Shot {
        from,
        to,
        got: match reward {
            "paused" => Got::Paused,
            reward => Got::Reward(reward.to_owned()),
        },
        tries: 0,
    };
    let shots = vec![
        shot(0, 0, "a"),
        shot(0, 1, "a"),
        shot(1, 1, "b"),
        shot(2, 2, "paused"),
    ];
    let row = |revision: u64, reward: &str| json!({ "revision": revision, "grant": { "reward": reward } });
    let rows = vec![row(1, "a"), row(1, "a"), row(2, "b")];
    let entry = |action: &str, revision: u64| json!({ "action": action, "details": json!({ "revision": revision }).to_string() });
    let audit = vec![
        entry("publish", 1),
        entry("publish", 2),
        json!({ "action": "pause", "details": "{}" }),
    ];
    assert_eq!(judge(&states, &shots, &rows, &audit), Vec::<String>::new());

    let wrong = |change: Change<'_>| {
        let (mut states, mut shots) = (states.to_vec(), shots.clone());
        let (mut rows, mut audit) = (rows.clone(), audit.clone());
        change(&mut states, &mut shots, &mut rows, &mut audit);
        judge(&states, &shots, &rows, &audit).join("\n")
    };
    // A grant of the old revision, sent after the word; an answer that gives while it is paused; no pause where there is none.
    assert!(wrong(&|_, shots, _, _| shots[2] = shot(1, 1, "a")).contains("no state from 1 to 1"));
    assert!(wrong(&|_, shots, _, _| shots[3] = shot(2, 2, "b")).contains("no state from 2 to 2"));
    assert!(
        wrong(&|_, shots, _, _| shots[0] = shot(0, 1, "paused")).contains("no state from 0 to 1")
    );
    assert!(wrong(&|_, _, rows, _| rows[2] = row(1, "a")).contains("row 2 is of revision 1"));
    assert!(wrong(&|_, _, rows, _| rows[2] = row(2, "a")).contains("its revision does not"));
    assert!(wrong(&|_, _, rows, _| rows.push(row(2, "b"))).contains("the ledger has 4 rows"));
    assert!(wrong(&|states, _, _, _| states[2].rows_at_end = 4).contains("during pause 2"));
    assert!(wrong(&|_, _, _, audit| audit.truncate(2)).contains("the audit tells"));
}
