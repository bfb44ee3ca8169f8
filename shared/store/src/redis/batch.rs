//! Commits as the commit script takes them, and its word on each: several commits of one lane travel as one call.

use std::collections::HashMap;
use std::sync::Arc;

use machine::ids::{Lane, Pseudonym};
use machine::ledger::{Row, is_by_hand};
use machine::world::{Applied, Bound, Commit, CounterKey, CounterMove, Left, Outcome, place};
use redis::Value;

use super::head::Head;
use super::keys::{Key, OfCampaign, OfLane};
use super::record;
use super::script::{Call, Script};
use crate::Error;

/// The largest number that the script, whose numbers are doubles, counts exactly.
pub(super) const MOST: i64 = (1 << 53) - 1;

/// A commit made ready: everything is encoded, so that the one who sends it only puts it together.
#[derive(Debug)]
pub(super) struct Ready {
    pub user: Pseudonym,
    pub revision: u32,
    /// Its bytes on the way, about.
    pub bytes: usize,
    /// The rules that it grants by.
    pub rules: Vec<Arc<str>>,
    /// The rewards that it gives.
    rewards: Vec<Arc<str>>,
    /// The job and the value of the lease that it is made under.
    pub under: Option<(Arc<str>, String)>,
    version: u64,
    participant: Key,
    counters: Vec<CounterKey>,
    unsound: Option<usize>,
    /// Whether `grants` are all of them, those from before too.
    all_grants: bool,
    /// Whether staff amend what was given.
    amends: bool,
    /// The clock of the shell that decided.
    at: i64,
    moves: Vec<Move>,
    alternatives: Vec<Move>,
    /// The codes that it gives: the counter by its place, the how-many-th of its units, what the grant is known by.
    codes: Vec<(usize, u16, u64)>,
    /// The version that was seen, and the core it named where that is known.
    seen: Vec<u8>,
    /// The version and the core that it leaves.
    after: Vec<u8>,
    entry: Vec<u8>,
    grants: Vec<u8>,
    answer: Arc<[u8]>,
    rows: Vec<u8>,
    row_count: u32,
    timer: [u8; 8],
    /// The user's place, by which the script knows the arm.
    place: [u8; 2],
    event: Option<Arc<str>>,
}

/// A move: the counter by its place in [`Ready::counters`].
#[derive(Debug, Clone, Copy)]
struct Move {
    counter: usize,
    kind: u8,
    add: i64,
    bound: i64,
}

impl Ready {
    /// Makes a commit ready.
    pub fn new(
        keys: &OfLane,
        commit: &Commit,
        under: Option<(Arc<str>, String)>,
    ) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::NotWritten(format!("the commit can't be encoded: {error}"))
        };
        // A record that will have the version after: the script never looks into the core.
        let mut after = commit.core.clone();
        after.version = commit.expected.wrapping_add(1);
        let mut counters: Vec<CounterKey> = Vec::new();
        let moves = commit
            .moves
            .iter()
            .map(|one| Move::of(&mut counters, one))
            .collect();
        let alternatives = commit
            .alternatives
            .iter()
            .map(|one| Move::of(&mut counters, one))
            .collect();
        let unsound = commit
            .unsound()
            .and_then(|key| counters.iter().position(|known| known == key));
        let coded = record::coded(commit).into_iter();
        let codes: Vec<(usize, u16, u64)> = coded
            .filter_map(|(key, place, grant)| {
                let counter = counters.iter().position(|known| *known == key)?;
                Some((counter, place, grant))
            })
            .collect();
        let (mut rules, mut rewards): (Vec<Arc<str>>, Vec<Arc<str>>) = (Vec::new(), Vec::new());
        for row in &commit.rows {
            let Row::Grant(grant) = row else { continue };
            if !rules.contains(&grant.rule) && !is_by_hand(&grant.rule) {
                rules.push(grant.rule.clone());
            }
            if !rewards.contains(&grant.reward) {
                rewards.push(grant.reward.clone());
            }
        }
        // Each is counted in a byte on the way: what does not fit must not be left out silently.
        let most = usize::from(u8::MAX);
        let too_long = commit.moves.len() > most
            || commit.alternatives.len() > most
            || codes.len() > most
            || [&rules, &rewards].iter().any(|names| names.len() > most)
            || rules.iter().chain(&rewards).any(|name| name.len() > most)
            || commit
                .event
                .as_ref()
                .is_some_and(|event| event.len() > most);
        if too_long {
            return Err(failed(
                &"more counters or rules than a commit can have, or longer names",
            ));
        }
        let entry = if commit.is_answered() {
            record::entry(&commit.key, &commit.fingerprint, commit.at)
        } else {
            Vec::new()
        };
        let seen = match &commit.seen {
            Some(before) => record::core(commit.expected, &before.core, &before.heard)
                .map_err(|error| failed(&error))?,
            None => commit.expected.to_be_bytes().to_vec(),
        };
        let after =
            record::core(after.version, &after, &commit.heard).map_err(|error| failed(&error))?;
        let carried = commit.carried.as_deref().unwrap_or_default();
        let grants =
            record::grants(carried.iter().chain(&commit.grants)).map_err(|error| failed(&error))?;
        let rows = record::rows(commit).map_err(|error| failed(&error))?;
        Ok(Self {
            user: commit.user,
            revision: commit.revision,
            bytes: 256 + seen.len() + after.len() + grants.len() + rows.len() + commit.answer.len(),
            rules,
            rewards,
            under,
            version: commit.expected,
            participant: keys.participant(&commit.user),
            counters,
            unsound,
            all_grants: commit.carried.is_some(),
            amends: commit.is_amendment(),
            at: commit.at,
            moves,
            alternatives,
            codes,
            seen,
            after,
            entry,
            grants,
            answer: commit.answer.clone(),
            rows,
            row_count: u32::try_from(commit.rows.len()).map_err(|error| failed(&error))?,
            timer: record::timer(commit.timer),
            // Below 10,000.
            place: (place(&commit.campaign, &commit.user) as u16).to_be_bytes(),
            event: commit.event.clone(),
        })
    }

    /// The counter to name when the store lost what it held: nothing is given until someone has looked.
    fn any_counter(&self) -> CounterKey {
        self.counters.first().cloned().unwrap_or(CounterKey::Budget)
    }

    /// Appends what the script reads first: how many rows, the timer, the clock, the user's place, the event; then, only where there is
    /// any of it, rewards, counters, rules and the lease.
    fn plan(
        &self,
        bytes: &mut Vec<u8>,
        places: &HashMap<&CounterKey, u16>,
        rules: &[Arc<str>],
        lease: Option<(u16, &str)>,
    ) {
        bytes.extend_from_slice(&self.row_count.to_be_bytes());
        bytes.extend_from_slice(&self.timer);
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes.extend_from_slice(&self.place);
        short(bytes, self.event.as_deref().unwrap_or_default());
        let plain = self.moves.is_empty() && self.unsound.is_none() && self.rewards.is_empty();
        if plain && !self.all_grants && !self.amends && rules.is_empty() && lease.is_none() {
            return;
        }
        let place = |counter: usize| {
            let key = self.counters.get(counter);
            let place = key.and_then(|key| places.get(key)).copied();
            place.unwrap_or_default().to_be_bytes()
        };
        bytes.push(u8::from(self.all_grants) | u8::from(self.amends) << 1);
        bytes.extend_from_slice(&self.unsound.map_or([0; 2], place));
        bytes.push(self.rewards.len() as u8);
        for reward in &self.rewards {
            short(bytes, reward);
        }
        for list in [&self.moves, &self.alternatives] {
            bytes.push(list.len() as u8);
            for one in list {
                bytes.extend_from_slice(&place(one.counter));
                bytes.push(one.kind);
                bytes.extend_from_slice(&one.add.to_be_bytes());
                bytes.extend_from_slice(&one.bound.to_be_bytes());
            }
        }
        bytes.push(rules.len() as u8);
        for rule in rules {
            short(bytes, rule);
        }
        bytes.push(self.codes.len() as u8);
        for (counter, unit, grant) in &self.codes {
            bytes.extend_from_slice(&place(*counter));
            bytes.extend_from_slice(&unit.to_be_bytes());
            bytes.extend_from_slice(&grant.to_be_bytes());
        }
        let (place, fence) = lease.unwrap_or_default();
        bytes.extend_from_slice(&place.to_be_bytes());
        bytes.extend_from_slice(fence.as_bytes());
    }
}

/// A name of at most 255 bytes, its length before it.
fn short(bytes: &mut Vec<u8>, name: &str) {
    bytes.push(name.len() as u8);
    bytes.extend_from_slice(name.as_bytes());
}

impl Move {
    fn of(counters: &mut Vec<CounterKey>, moved: &CounterMove) -> Self {
        let counter = counters
            .iter()
            .position(|known| *known == moved.key)
            .unwrap_or_else(|| {
                counters.push(moved.key.clone());
                counters.len() - 1
            });
        let kind = match (&moved.key, moved.bound) {
            (CounterKey::Budget, _) => 0,
            (CounterKey::BudgetDay(_) | CounterKey::Quota(..), Bound::Given(_)) => 1,
            // What is stopped is no counter: nothing of it is there.
            (CounterKey::Tally(..), Bound::Given(_)) => 4,
            (CounterKey::Code(_), Bound::Given(_)) => 5,
            (
                CounterKey::BudgetDay(_)
                | CounterKey::Quota(..)
                | CounterKey::Tally(..)
                | CounterKey::Code(_),
                Bound::Own | Bound::Held(_),
            )
            | (CounterKey::Stopped(_), _) => 2,
            (CounterKey::Stock(_) | CounterKey::Entries(_), _) => 3,
        };
        let bound = match (kind, moved.bound) {
            (1 | 4 | 5, Bound::Given(bound)) => bound,
            (_, bound) => bound.held(),
        };
        Self {
            counter,
            kind,
            // No bound is as high as this: more than it is never to be had.
            add: moved.add.clamp(-1, MOST + 1),
            bound: bound.clamp(0, MOST),
        }
    }
}

/// What all commits of a call share.
#[derive(Debug)]
pub(super) struct Common<'a> {
    pub campaign: &'a OfCampaign,
    pub lane: Lane,
    pub keys: &'a OfLane,
    /// The epoch that this process knows; none: it has not looked yet.
    pub epoch: Option<u64>,
    /// Whether a WAIT follows.
    pub waited: bool,
}

/// Several commits as one call of the script. `unknown` says which of a commit's rules the store may not know yet.
pub(super) fn call<'a>(
    script: &'a Script,
    common: &Common<'_>,
    commits: &[&Ready],
    unknown: impl Fn(&Ready) -> Vec<Arc<str>>,
) -> (Call<'a>, Vec<CounterKey>) {
    let mut counters: Vec<CounterKey> = Vec::new();
    let mut places: HashMap<&CounterKey, u16> = HashMap::new();
    let mut leases: Vec<&str> = Vec::new();
    for commit in commits {
        for counter in &commit.counters {
            places.entry(counter).or_insert_with(|| {
                counters.push(counter.clone());
                counters.len() as u16
            });
        }
        if let Some((job, _)) = &commit.under
            && !leases.contains(&&**job)
        {
            leases.push(job);
        }
    }
    let keys = common.keys;
    let revision = commits.first().map_or(0, |commit| commit.revision);
    let epoch = common.epoch.map(|epoch| epoch.to_string());
    let mut call = script
        .call()
        .key(keys.ledger())
        .key(keys.timers())
        .key(common.campaign.rules())
        .key(keys.counters())
        .key(keys.answers())
        .key(common.campaign.blocked())
        .key(common.campaign.halt())
        .key(common.campaign.head())
        .key(keys.tally())
        .keys(counters.iter().map(|counter| keys.counter(counter)))
        .keys(commits.iter().map(|commit| &commit.participant))
        .keys(leases.iter().map(|job| keys.lease(job)))
        .arg(counters.len().to_string())
        .arg(commits.len().to_string())
        .arg(leases.len().to_string())
        .arg(epoch.unwrap_or_default())
        .arg(revision.to_string())
        .arg(common.lane.to_string())
        .arg(if common.waited { "1" } else { "0" });
    for commit in commits {
        let lease = commit.under.as_ref().and_then(|(job, fence)| {
            let place = leases.iter().position(|known| *known == &**job)?;
            Some((place as u16 + 1, fence.as_str()))
        });
        call = call
            .arg(&commit.seen)
            .arg(&commit.after)
            .arg(&commit.entry)
            .arg(&commit.grants)
            .arg(&commit.answer)
            .arg(&commit.rows)
            .arg_with(|bytes| commit.plan(bytes, &places, &unknown(commit), lease));
    }
    (call, counters)
}

/// What the script said of each commit of a call.
pub(super) fn outcomes(
    value: Value,
    commits: &[&Ready],
    counters: &[CounterKey],
) -> Result<Vec<Result<Outcome, Error>>, Error> {
    let Value::Array(told) = value else {
        return Err(Error::Unknown("the script's answer is no list".to_owned()));
    };
    if told.len() != commits.len() {
        return Err(Error::Unknown(format!(
            "the script answered {} of {} commits",
            told.len(),
            commits.len()
        )));
    }
    Ok(commits
        .iter()
        .zip(told)
        .map(|(commit, told)| outcome(commit, told, counters))
        .collect())
}

fn outcome(commit: &Ready, told: Value, counters: &[CounterKey]) -> Result<Outcome, Error> {
    let broken =
        |what: &str| Error::Unknown(format!("the script's answer is not readable: {what}"));
    let parts = match told {
        Value::Int(first) => {
            return Ok(Outcome::Committed(Applied {
                version: commit.version.wrapping_add(1),
                first_row: first as u64,
            }));
        }
        Value::Array(parts) => parts,
        _ => return Err(broken("neither a number nor a list")),
    };
    let mut parts = parts.into_iter();
    let Some(Value::BulkString(word)) = parts.next() else {
        return Err(broken("no word"));
    };
    let counter = |value: Option<Value>| match value {
        Some(Value::Int(at)) => usize::try_from(at - 1)
            .ok()
            .and_then(|at| counters.get(at).cloned())
            .ok_or_else(|| broken("no such counter")),
        _ => Err(broken("no counter")),
    };
    match word.as_slice() {
        b"R" => match parts.next() {
            Some(Value::BulkString(answer)) => Ok(Outcome::Replayed(answer.into())),
            _ => Err(broken("no answer")),
        },
        b"K" => Ok(Outcome::KeyReused),
        b"S" => Ok(Outcome::Superseded),
        b"P" => match parts.next() {
            Some(Value::BulkString(head)) => {
                let head = Head::read(&head).map_err(|error| broken(&error.to_string()))?;
                head.pause
                    .map(Outcome::Paused)
                    .ok_or_else(|| broken("no pause"))
            }
            _ => Err(broken("no head")),
        },
        b"T" => match parts.next() {
            Some(Value::BulkString(pause)) => {
                super::measure::read_pause(&pause).map(Outcome::Paused)
            }
            _ => Err(broken("no pause")),
        },
        b"B" => match parts.next() {
            Some(Value::BulkString(until)) => {
                Ok(Outcome::Blocked(super::measure::read_blocked(&until)))
            }
            _ => Err(broken("no end of a block")),
        },
        b"V" => match parts.next() {
            Some(Value::BulkString(value)) => {
                let record = record::Value::of(&value).and_then(|value| value.participant());
                let record = record.map_err(|error| {
                    Error::NotWritten(format!("the participant's record: {error}"))
                })?;
                Ok(Outcome::Stale(Some(Arc::new(record))))
            }
            _ => Ok(Outcome::Stale(None)),
        },
        b"E" => {
            let mut left = Vec::new();
            while let Some(at) = parts.next() {
                if let Value::BulkString(reward) = at {
                    // Of what was withdrawn, and not stopped, some units may still be there.
                    let reward = String::from_utf8_lossy(&reward);
                    let (reward, units) = reward.split_once(':').unwrap_or((&reward, "0"));
                    let units = units.parse().map_err(|_| broken("no figure"))?;
                    let key = CounterKey::Stopped(reward.into());
                    left.push(Left { key, left: units });
                    continue;
                }
                let key = counter(Some(at))?;
                match parts.next() {
                    Some(Value::Int(units)) => left.push(Left { key, left: units }),
                    _ => return Err(broken("no figure")),
                }
            }
            Ok(Outcome::Exhausted(left))
        }
        b"F" => Ok(Outcome::Frozen(counter(parts.next())?)),
        b"L" => Ok(Outcome::Frozen(commit.any_counter())),
        b"G" => Err(Error::NotWritten(
            "it was done before, and its answer is not kept any more".to_owned(),
        )),
        b"H" => Err(Error::LeaseLost),
        b"X" => Err(Error::NotWritten(
            "the participant's record is of a form that this version does not know".to_owned(),
        )),
        other => Err(broken(&String::from_utf8_lossy(other))),
    }
}
