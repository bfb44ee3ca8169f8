//! Commits as the commit script takes them, and its word on each: several commits of one lane travel as one call.

use std::collections::HashMap;
use std::sync::Arc;

use machine::ids::{Lane, Pseudonym};
use machine::ledger::Row;
use machine::world::{Applied, Commit, CounterKey, CounterMove, Left, Outcome};
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
    /// The job and the value of the lease that it is made under.
    pub under: Option<(Arc<str>, String)>,
    version: u64,
    /// The version that was seen, and the core it named where that is known.
    seen: Vec<u8>,
    participant: Key,
    counters: Vec<CounterKey>,
    unsound: Option<usize>,
    /// Whether `grants` are all of them, those from before too.
    all_grants: bool,
    moves: Vec<Move>,
    alternatives: Vec<Move>,
    entry: Vec<u8>,
    core: Vec<u8>,
    grants: Vec<u8>,
    answer: Arc<[u8]>,
    rows: Vec<u8>,
    row_count: usize,
    timer: [u8; 8],
    event: Vec<u8>,
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
        let mut rules: Vec<Arc<str>> = Vec::new();
        for row in &commit.rows {
            if let Row::Grant(grant) = row
                && !rules.contains(&grant.rule)
            {
                rules.push(grant.rule.clone());
            }
        }
        // Each is counted in a byte on the way: what does not fit must not be left out silently.
        let most = usize::from(u8::MAX);
        let too_long = commit.moves.len() > most
            || commit.alternatives.len() > most
            || rules.len() > most
            || rules.iter().any(|rule| rule.len() > most);
        if too_long {
            return Err(failed(&"more counters or rules than a commit can have"));
        }
        let entry = if commit.event.is_some() {
            record::entry(&commit.key, &commit.fingerprint, commit.at)
        } else {
            Vec::new()
        };
        let mut seen = commit.expected.to_be_bytes().to_vec();
        if let Some(before) = &commit.seen {
            seen.extend(record::core(&before.core).map_err(|error| failed(&error))?);
        }
        let core = record::core(&after).map_err(|error| failed(&error))?;
        let carried = commit.carried.as_deref().unwrap_or_default();
        let grants =
            record::grants(carried.iter().chain(&commit.grants)).map_err(|error| failed(&error))?;
        let rows = record::rows(commit).map_err(|error| failed(&error))?;
        Ok(Self {
            user: commit.user,
            revision: commit.revision,
            bytes: 256 + core.len() + grants.len() + rows.len() + commit.answer.len(),
            rules,
            under,
            version: commit.expected,
            seen,
            participant: keys.participant(&commit.user),
            counters,
            unsound,
            all_grants: commit.carried.is_some(),
            moves,
            alternatives,
            entry,
            core,
            grants,
            answer: commit.answer.clone(),
            rows,
            row_count: commit.rows.len(),
            timer: record::timer(commit.timer),
            event: commit
                .event
                .as_ref()
                .map(|event| event.as_bytes().to_vec())
                .unwrap_or_default(),
        })
    }

    /// The counter to name when the store lost what it held: nothing is given until someone has looked.
    fn any_counter(&self) -> CounterKey {
        self.counters.first().cloned().unwrap_or(CounterKey::Budget)
    }

    fn extra(&self, places: &[u16], rules: &[Arc<str>], lease: Option<(u16, &str)>) -> Vec<u8> {
        let plain = self.moves.is_empty() && self.unsound.is_none() && !self.all_grants;
        if plain && rules.is_empty() && lease.is_none() {
            return Vec::new();
        }
        let place = |counter: usize| places.get(counter).copied().unwrap_or_default();
        let mut bytes = Vec::with_capacity(64);
        bytes.push(u8::from(self.all_grants));
        bytes.extend_from_slice(&self.unsound.map_or(0, place).to_be_bytes());
        for list in [&self.moves, &self.alternatives] {
            bytes.push(list.len() as u8);
            for one in list {
                bytes.extend_from_slice(&place(one.counter).to_be_bytes());
                bytes.push(one.kind);
                bytes.extend_from_slice(&one.add.to_be_bytes());
                bytes.extend_from_slice(&one.bound.to_be_bytes());
            }
        }
        bytes.push(rules.len() as u8);
        for rule in rules {
            bytes.push(rule.len() as u8);
            bytes.extend_from_slice(rule.as_bytes());
        }
        let (place, fence) = lease.unwrap_or_default();
        bytes.extend_from_slice(&place.to_be_bytes());
        bytes.extend_from_slice(fence.as_bytes());
        bytes
    }
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
            (CounterKey::BudgetDay(_), Some(_)) => 1,
            (CounterKey::BudgetDay(_), None) => 2,
            (CounterKey::Stock(_), _) => 3,
        };
        Self {
            counter,
            kind,
            // No bound is as high as this: more than it is never to be had.
            add: moved.add.clamp(-1, MOST + 1),
            bound: moved.bound.unwrap_or_default().clamp(0, MOST),
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
    let mut call = script
        .call()
        .key(keys.ledger())
        .key(keys.timers())
        .key(common.campaign.rules())
        .key(keys.counters())
        .key(keys.answers())
        .key(common.campaign.head())
        .key(keys.tally());
    call.keys
        .extend(counters.iter().map(|counter| keys.counter(counter)));
    call.keys
        .extend(commits.iter().map(|commit| commit.participant.clone()));
    call.keys.extend(leases.iter().map(|job| keys.lease(job)));
    let revision = commits.first().map_or(0, |commit| commit.revision);
    call = call
        .arg(counters.len().to_string())
        .arg(commits.len().to_string())
        .arg(leases.len().to_string())
        .arg(
            common
                .epoch
                .map_or(String::new(), |epoch| epoch.to_string()),
        )
        .arg(revision.to_string())
        .arg(common.lane.to_string())
        .arg(if common.waited { "1" } else { "0" });
    for commit in commits {
        let of: Vec<u16> = commit
            .counters
            .iter()
            .map(|counter| places.get(counter).copied().unwrap_or_default())
            .collect();
        let lease = commit.under.as_ref().and_then(|(job, fence)| {
            let place = leases.iter().position(|known| *known == &**job)?;
            Some((place as u16 + 1, fence.as_str()))
        });
        call = call
            .arg(commit.seen.as_slice())
            .arg(commit.version.wrapping_add(1).to_be_bytes())
            .arg(commit.entry.as_slice())
            .arg(commit.core.as_slice())
            .arg(commit.grants.as_slice())
            .arg(&*commit.answer)
            .arg(commit.rows.as_slice())
            .arg(commit.row_count.to_string())
            .arg(commit.timer)
            .arg(commit.event.as_slice())
            .arg(commit.extra(&of, &unknown(commit), lease));
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
