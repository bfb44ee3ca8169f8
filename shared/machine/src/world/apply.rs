//! The commit: all checks first, then all writes, or none.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::admin::AdminOutcome;
use super::arms::arm;
use super::carry::admin;
use super::change::{
    Applied, Bound, Change, Commit, CounterKey, CounterMove, Left, Outcome, TALLY_DAYS,
};
use super::delivery::{Kept, apply_keep};
use super::pools::Unit;
use super::state::{
    CampaignWorld, Counter, Entry, LaneWorld, REMEMBER_MOST, Remembered, TenantWorld, World, find,
    remember,
};
use crate::calendar::Day;
use crate::ids::Lane;
use crate::ledger::{Row, is_by_hand};
use crate::model::RewardKind;
use crate::participant::Participant;

/// For how many days a counter of a day is kept, so that a call that crosses midnight still finds its day.
const KEEP_DAYS: i32 = 8;

/// Applies a change of any kind; used to replay a log, where only changes that succeeded stand.
pub fn apply(world: &mut World, change: &mut Change) -> bool {
    match change {
        Change::Commit(commit) => matches!(apply_commit(world, commit), Outcome::Committed(_)),
        Change::Admin(change) => matches!(apply_admin(world, change), AdminOutcome::Done(_)),
        Change::Keep(keep) => matches!(apply_keep(world, keep), Kept::Done(_)),
    }
}

/// Applies what ops staff did.
pub fn apply_admin(world: &mut World, change: &super::admin::Admin) -> AdminOutcome {
    admin(world, change)
}

/// Makes a commit true, or says why not. Stamps the commit's row numbers and serials.
pub fn apply_commit(world: &mut World, commit: &mut Commit) -> Outcome {
    let key = &commit.campaign;
    let tenant = world.tenants.get(&key.tenant);
    let found = world
        .campaigns
        .get_mut(&(key.tenant.clone(), key.campaign.clone(), key.edition));
    found.map_or(Outcome::Superseded, |campaign| {
        apply_within(tenant, campaign, commit)
    })
}

/// As [`apply_commit`], within the campaign that the commit is of; none as the tenant: none of its measures holds.
pub fn apply_within(
    tenant: Option<&TenantWorld>,
    campaign: &mut CampaignWorld,
    commit: &mut Commit,
) -> Outcome {
    let key = &commit.campaign;

    // Checks: nothing is written above the line below.
    let lane = campaign.lane(key.lane);
    let entry = lane.participants.get(&commit.user);
    if let Some(entry) = entry {
        match find(
            &entry.remembered,
            &commit.key,
            &commit.fingerprint,
            commit.at,
        ) {
            Some(Ok(answer)) => return Outcome::Replayed(answer),
            Some(Err(_)) => return Outcome::KeyReused,
            None => {}
        }
    }
    // Not only live, but this user's: another arm's step is as wrong as an old revision's.
    if arm(&campaign.live, key, &commit.user) != Some(commit.revision) {
        return Outcome::Superseded;
    }
    if !commit.is_amendment() {
        let halt = tenant.and_then(|tenant| tenant.pause.as_ref());
        let mut stops = halt.into_iter().chain(&campaign.pause);
        if key.lane == Lane::Live
            && let Some(pause) = stops.find(|pause| pause.stops(commit.event.as_deref()))
        {
            return Outcome::Paused(pause.clone());
        }
        if let Some(blocked) = tenant.and_then(|tenant| tenant.blocked(&commit.user, commit.at)) {
            return Outcome::Blocked(blocked);
        }
    }
    let version = entry.map_or(0, |entry| entry.participant.core.version);
    if version != commit.expected {
        return Outcome::Stale(entry.map(|entry| entry.participant.clone()));
    }
    if let Some(key) = commit.unsound() {
        return Outcome::Frozen(key.clone());
    }
    // The live lane's only, as with a pause: testers see whether what was wrong is right again.
    let nothing = BTreeSet::new();
    let stopped = match key.lane {
        Lane::Live => &campaign.stopped,
        Lane::Test => &nothing,
    };
    match bounds(lane, commit, stopped) {
        Ok(()) => {}
        Err(outcome) => return outcome,
    }

    // Writes: nothing can fail from here on.
    let lane_key = key.lane;
    let lane = campaign.lane_mut(lane_key);
    commit.first_row = lane.rows;
    lane.rows += commit.rows.len() as u64;
    stamp(lane, commit);
    for counter in &commit.moves {
        if !lane.counters.contains_key(&counter.key) {
            begin(lane, &counter.key);
        }
        let Some(found) = lane.counters.get_mut(&counter.key) else {
            continue;
        };
        found.issued = found.issued.saturating_add(counter.add);
        if let (true, Bound::Given(bound)) = (counter.key.begins_by_itself(), counter.bound) {
            found.ceiling = bound.max(found.issued);
        }
    }
    let entry = lane
        .participants
        .entry(commit.user)
        .or_insert_with(|| Entry {
            participant: Arc::new(Participant {
                core: commit.core.clone(),
                grants: Vec::new(),
                heard: Vec::new(),
            }),
            remembered: std::collections::VecDeque::new(),
            timer: None,
            units: Vec::new(),
        });
    let record = Arc::make_mut(&mut entry.participant);
    record.core.become_like(&commit.core);
    record.core.version = version + 1;
    if let Some(carried) = &commit.carried {
        record.grants.clone_from(carried);
    }
    record.grants.extend(commit.grants.iter().cloned());
    entry.units.extend(coded(commit));
    record.heard.clone_from(&commit.heard);
    if let Some(old) = entry.timer {
        lane.timers.remove(&(old, commit.user));
    }
    entry.timer = commit.timer;
    if let Some(due) = commit.timer {
        lane.timers.insert((due, commit.user));
    }
    // Where only time passed, or a campaign told another, nobody will ask again: an answer that somebody may ask for must not
    // be pushed out.
    if commit.is_answered() {
        let answer = Remembered {
            key: commit.key.clone(),
            fingerprint: commit.fingerprint,
            at: commit.at,
            answer: commit.answer.clone(),
        };
        remember(&mut entry.remembered, answer, REMEMBER_MOST);
    }
    for row in &commit.rows {
        if let Row::Grant(grant) = row
            && !is_by_hand(&grant.rule)
            && !campaign.granted_rules.contains(&grant.rule)
        {
            campaign.granted_rules.insert(grant.rule.clone());
        }
    }
    Outcome::Committed(Applied {
        version: version + 1,
        first_row: commit.first_row,
    })
}

/// Whether every counter has room and nothing is given that is stopped; if not, all that lack it are named.
fn bounds(lane: &LaneWorld, commit: &Commit, stopped: &BTreeSet<Arc<str>>) -> Result<(), Outcome> {
    let mut exhausted = Vec::new();
    for counter in &commit.moves {
        let left = left(lane, counter).map_err(Outcome::Frozen)?;
        // What is asked for is the sum: two moves of one counter must not each find the same last unit.
        let same = commit.moves.iter().filter(|other| other.key == counter.key);
        let wanted = same.fold(0_i64, |sum, other| sum.saturating_add(other.add));
        if left < wanted || counter.add < 0 {
            name(&mut exhausted, counter, left);
        }
    }
    let is_stopped =
        |row: &Row| matches!(row, Row::Grant(grant) if stopped.contains(&grant.reward));
    if exhausted.is_empty() && !commit.rows.iter().any(is_stopped) {
        return Ok(());
    }
    for counter in &commit.alternatives {
        let left = left(lane, counter).map_err(Outcome::Frozen)?;
        if left < counter.add {
            name(&mut exhausted, counter, left);
        }
    }
    // What was withdrawn is not sold out: whoever makes a draw again could not see how it went.
    let withdrawn = exhausted.iter().filter_map(|left| match &left.key {
        CounterKey::Stock(reward) if !stopped.contains(reward) => {
            let counter = lane.counters.get(&left.key)?;
            (counter.ceiling < counter.configured).then_some((reward, left.left))
        }
        _ => None,
    });
    let names = stopped.iter().map(|reward| (reward, 0)).chain(withdrawn);
    let names: Vec<Left> = names
        .map(|(reward, left)| Left {
            key: CounterKey::Stopped(reward.clone()),
            left,
        })
        .collect();
    exhausted.extend(names);
    Err(Outcome::Exhausted(exhausted))
}

fn name(exhausted: &mut Vec<Left>, counter: &CounterMove, left: i64) {
    if !exhausted.iter().any(|known| known.key == counter.key) {
        exhausted.push(Left {
            key: counter.key.clone(),
            left,
        });
    }
}

/// How much is left of a counter; an error when it should exist and does not. Only what is of a day (its budget, its quotas,
/// its tallies), and a code's use, takes its bound from the move and begins by itself: the others are created by a publish and by nothing else.
fn left(lane: &LaneWorld, counter: &CounterMove) -> Result<i64, CounterKey> {
    let known = lane.counters.get(&counter.key);
    let bound = match (&counter.key, counter.bound) {
        (key, Bound::Given(bound)) if key.begins_by_itself() => Some(bound),
        (
            CounterKey::BudgetDay(_)
            | CounterKey::Quota(..)
            | CounterKey::Tally(..)
            | CounterKey::Code(_)
            | CounterKey::Stopped(_),
            _,
        ) => None,
        (CounterKey::Stock(_) | CounterKey::Budget | CounterKey::Entries(_), bound) => {
            known.map(|found| found.ceiling.saturating_sub(bound.held()))
        }
    };
    let issued = known.map_or(0, |found| found.issued);
    bound
        .map(|bound| bound.saturating_sub(issued).max(0))
        .ok_or_else(|| counter.key.clone())
}

/// Begins a counter of a day, and with it those of days long past end.
fn begin(lane: &mut LaneWorld, key: &CounterKey) {
    if let Some(day) = key.day() {
        let oldest = day.saturating_sub(KEEP_DAYS);
        lane.counters
            .retain(|key, _| key.day().is_none_or(|old| old >= oldest));
    }
    if let CounterKey::Tally(team, day) = key {
        let from = CounterKey::Tally(team.clone(), Day::MIN);
        let to = CounterKey::Tally(team.clone(), day.saturating_sub(TALLY_DAYS));
        let old: Vec<CounterKey> = lane
            .counters
            .range(from..to)
            .map(|(key, _)| key.clone())
            .collect();
        for key in old {
            lane.counters.remove(&key);
        }
    }
    let empty = Counter {
        issued: 0,
        ceiling: 0,
        configured: 0,
        shortfall: 0,
    };
    lane.counters.insert(key.clone(), empty);
}

/// The codes among what a commit gives, each with the serial that its row was stamped with.
fn coded(commit: &Commit) -> impl Iterator<Item = Unit> {
    commit.rows.iter().filter_map(|row| match row {
        Row::Grant(row) if row.kind == RewardKind::Code => Some(Unit {
            grant: Unit::grant(&row.reward, row.period, row.n),
            serial: row.serial?,
        }),
        _ => None,
    })
}

/// Gives each unit of stock its serial, and each entry of a draw its number.
fn stamp(lane: &LaneWorld, commit: &mut Commit) {
    let moves = &commit.moves;
    let mut taken: Vec<(&CounterKey, i64)> = Vec::new();
    for row in &mut commit.rows {
        let mut keys = moves.iter().map(|counter| &counter.key);
        let number = keys.find(|key| key.is_unit(row)).map(|key| {
            let known = lane.counters.get(key);
            let issued = known.map_or(0, |counter| counter.issued);
            let before = taken.iter_mut().find(|(other, _)| *other == key);
            let place = if let Some((_, place)) = before {
                *place += 1;
                *place
            } else {
                taken.push((key, 0));
                0
            };
            (issued + place) as u64
        });
        match row {
            Row::Grant(grant) => grant.serial = number,
            Row::Entry(entry) => entry.number = number,
            Row::Draw(_) | Row::Message(_) | Row::Hand(_) | Row::Amended(_) | Row::Raffle(_) => {}
        }
    }
}
