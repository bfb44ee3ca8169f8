//! Campaigns, users and commits to try a store with.

use std::sync::Arc;

use machine::Millis;
use machine::ids::{CampaignKey, Lane, Period, Pseudonym};
use machine::ledger::{GrantRow, MessageRow, Row};
use machine::luck::Seed;
use machine::model::{RewardKind, Sender};
use machine::participant::{Core, Grant, Status};
use machine::value::Value;
use machine::world::{
    Action, Admin, Attribution, Bound, Commit, CounterKey, CounterMove, Publication,
};

/// When everything begins.
pub const START: Millis = 1_800_000_000_000;

/// The tenant.
pub const TENANT: &str = "acme";

/// The campaign.
pub const CAMPAIGN: &str = "spring";

/// The campaign's live lane.
pub fn live() -> CampaignKey {
    CampaignKey {
        tenant: TENANT.into(),
        campaign: CAMPAIGN.into(),
        edition: 1,
        lane: Lane::Live,
    }
}

/// The campaign's test lane.
pub fn test() -> CampaignKey {
    CampaignKey {
        lane: Lane::Test,
        ..live()
    }
}

/// A user.
pub fn user(number: u64) -> Pseudonym {
    let mut bytes = [0x5a; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Pseudonym(bytes)
}

/// What a key is used for, unless a test says otherwise: a value of its own for each key.
pub fn fingerprint(key: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (at, byte) in key.bytes().enumerate() {
        bytes[at % 32] ^= byte.rotate_left((at / 32) as u32);
    }
    bytes
}

/// The bytes that answer a commit: not JSON, and not even text.
pub fn answer(user: Pseudonym, expected: u64, key: &str) -> Arc<[u8]> {
    let mut bytes = vec![0, 0xff, b'\n'];
    bytes.extend_from_slice(&user.0);
    bytes.extend_from_slice(&expected.to_le_bytes());
    bytes.extend_from_slice(key.as_bytes());
    bytes.into()
}

/// A step of a user that saw version `expected`, with one message.
pub fn commit(user: Pseudonym, expected: u64, key: &str) -> Commit {
    Commit {
        campaign: live(),
        revision: 1,
        user,
        expected,
        event: Some("sign-in".into()),
        sender: Sender::User,
        key: key.into(),
        fingerprint: fingerprint(key),
        at: START,
        attribution: Attribution {
            request_id: key.into(),
            ..Attribution::default()
        },
        core: Core {
            revision: 1,
            version: expected,
            state: 0,
            entered_at: START,
            now: START,
            draws: expected,
            after_done: 0,
            vars: vec![Value::Int(expected as i64), Value::Str(key.into())],
        },
        grants: Vec::new(),
        moves: Vec::new(),
        alternatives: Vec::new(),
        rows: vec![Row::Message(MessageRow {
            message: "seen".into(),
            fields: Vec::new(),
        })],
        first_row: 0,
        timer: None,
        answer: answer(user, expected, key),
        carried: None,
        heard: Vec::new(),
        seen: None,
    }
}

/// A move of a counter that has a bound of its own.
pub fn moving(key: CounterKey, add: i64) -> CounterMove {
    CounterMove {
        key,
        add,
        bound: Bound::Own,
    }
}

/// A stock's counter.
pub fn stock(reward: &str) -> CounterKey {
    CounterKey::Stock(reward.into())
}

/// The same step, giving one unit of `reward` too.
#[must_use]
pub fn giving(mut commit: Commit, reward: &str) -> Commit {
    let period = Period::Draw(commit.expected);
    let n = 1 + commit.grants.len() as u32;
    commit.grants.push(Grant {
        rule: 0,
        reward: 0,
        period,
        n,
        amount: 1,
        at: commit.at,
        expires: None,
        status: Status::Pending,
    });
    let moves = &mut commit.moves;
    match moves.iter_mut().find(|known| known.key == stock(reward)) {
        Some(known) => known.add += 1,
        None => moves.push(moving(stock(reward), 1)),
    }
    commit.rows.push(Row::Grant(GrantRow {
        rule: format!("wheel-{reward}").into(),
        reward: reward.into(),
        kind: RewardKind::Physical,
        period,
        n,
        amount: 1,
        value: 0,
        cost: 0,
        expires: None,
        serial: None,
    }));
    commit
}

/// The same step, costing `cost` too.
#[must_use]
pub fn costing(mut commit: Commit, cost: i64) -> Commit {
    commit.moves.push(moving(CounterKey::Budget, cost));
    commit
}

/// What ops staff does, without a key.
pub fn admin(action: Action) -> Admin {
    Admin {
        tenant: TENANT.into(),
        by: "ops@acme".into(),
        at: START,
        key: None,
        action,
        why: None,
    }
}

/// A publish of the campaign: a definition, stocks, a budget.
pub fn publish(definition: &str, stock: &[(&str, u32)], budget: Option<i64>) -> Action {
    Action::Publish(Publication {
        campaign: CAMPAIGN.into(),
        edition: 1,
        definition: definition.as_bytes().into(),
        stock: stock
            .iter()
            .map(|(reward, units)| (Arc::from(*reward), *units))
            .collect(),
        budget,
        seeds: (Seed([1; 32]), Seed([2; 32])),
    })
}
