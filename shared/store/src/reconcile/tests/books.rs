//! A lane's books in memory, sound at first, to be read as a store's and to be damaged.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use machine::Millis;
use machine::ids::{CampaignKey, Pseudonym};
use machine::ledger::{DrawRow, Rolled, Row};
use machine::luck::Seed;
use machine::model::Durability;
use machine::participant::Participant;
use machine::world::{
    Action, Admin, AdminOutcome, AuditEntry, Bound, Commit, CounterKey, Draft, Outcome, Parked,
    Parking, Recalled, Revision, World, apply_admin, apply_commit,
};
use tokio::sync::watch;

use super::super::*;
use crate::conformance::sample::{admin, commit, costing, giving, live, moving, publish, user};
use crate::{Asked, Copied, Health, Later, Page, Published};

/// Two rules, of which the samples' grants use the first; a budget for days.
const DEFINITION: &str = r#"{
    "rules_of_giving": [{ "id": "wheel-mug", "was": [] }, { "id": "wheel-hat", "was": [] }],
    "rewards": [{ "id": "mug", "stock": 20 }, { "id": "hat", "stock": null }],
    "budget": { "total": 1000, "per_day": 500, "when_spent": null },
    "calendar": { "timezone": "Asia/Shanghai", "day_starts_secs": 0, "skip_days": [] }
}"#;

/// The day of [`crate::conformance::sample::START`] in the definition's timezone.
pub(super) const DAY: i32 = 20_833;

/// A lane's books, to be read and to be damaged.
#[derive(Debug, Clone)]
pub(super) struct Books {
    pub definition: Vec<u8>,
    pub lane: Lane,
    pub rows: Vec<LedgerRow>,
    pub people: Vec<(Pseudonym, Participant)>,
    pub tallies: Vec<(Arc<str>, Day, u32)>,
    /// How many rows there are from the second look at the lane on.
    pub later: Option<u64>,
    pub looks: Arc<AtomicU64>,
}

/// Six users with three draws each; every second draw wins a mug for 10.
pub(super) fn sound() -> Books {
    let mut world = World::default();
    let create = Action::CreateTenant {
        secret: Seed([9; 32]),
    };
    for action in [create, publish(DEFINITION, &[("mug", 20)], Some(1000))] {
        assert!(matches!(
            apply_admin(&mut world, &admin(action)),
            AdminOutcome::Done(_)
        ));
    }
    let mut rows = Vec::new();
    for draw in 0..3 {
        for number in 0..6 {
            let mut made = step(user(number), draw, (number + draw) % 2 == 0);
            let outcome = apply_commit(&mut world, &mut made);
            assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
            rows.extend(LedgerRow::of(&made));
        }
    }
    let held = world.lane(&live()).unwrap();
    Books {
        tallies: Vec::new(),
        definition: DEFINITION.into(),
        lane: Lane {
            seed: held.seed.clone(),
            clock_offset: 0,
            counters: held.counters.clone().into_iter().collect(),
            participants: held.participants.len() as u64,
            rows: held.rows,
        },
        people: held
            .participants
            .iter()
            .map(|(user, entry)| (*user, (*entry.participant).clone()))
            .collect(),
        rows,
        later: None,
        looks: Arc::default(),
    }
}

pub(super) fn step(user: Pseudonym, draw: u64, wins: bool) -> Commit {
    let mut made = commit(user, draw, &format!("k-{draw}"));
    made.core.draws = draw + 1;
    made.rows = vec![Row::Draw(DrawRow {
        terms: machine::ledger::Terms::default(),
        index: draw,
        purpose: "wheel".into(),
        rolled: Rolled {
            pick: 1,
            of: 2,
            reward: "mug".into(),
            pity: false,
        },
        misses: 0,
        given: wins.then(|| "mug".into()),
        exhausted: Vec::new(),
        had: Vec::new(),
    })];
    if wins {
        made = costing(giving(made, "mug"), 10);
        let mut day = moving(CounterKey::BudgetDay(DAY), 10);
        day.bound = Bound::Given(500);
        made.moves.push(day);
        for row in &mut made.rows {
            if let Row::Grant(grant) = row {
                grant.cost = 10;
            }
        }
    }
    made
}

impl Store for Books {
    fn uses<'a>(&'a self, _key: &'a CampaignKey, codes: &'a [Pseudonym]) -> Later<'a, Vec<u32>> {
        let used = |code: &Pseudonym| {
            let mut counters = self.lane.counters.iter();
            let found = counters.find(|(key, _)| *key == CounterKey::Code(*code));
            found.map_or(0, |(_, counter)| counter.issued as u32)
        };
        let uses: Vec<u32> = codes.iter().map(used).collect();
        Box::pin(async { Ok(uses) })
    }

    fn all_tallies<'a>(&'a self, _key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, Day, u32)>> {
        let tallies = self.tallies.clone();
        Box::pin(async { Ok(tallies) })
    }

    fn tallies<'a>(
        &'a self,
        _key: &'a CampaignKey,
        team: &'a Arc<str>,
        days: RangeInclusive<Day>,
    ) -> Later<'a, Vec<u32>> {
        let tally = |day| {
            let mut tallies = self.tallies.iter();
            let found = tallies.find(|(known, on, _)| known == team && *on == day);
            found.map_or(0, |(_, _, counted)| *counted)
        };
        let tallies: Vec<u32> = days.map(tally).collect();
        Box::pin(async { Ok(tallies) })
    }

    fn lane<'a>(&'a self, _key: &'a CampaignKey) -> Later<'a, Option<Lane>> {
        Box::pin(async {
            let mut lane = self.lane.clone();
            if self.looks.fetch_add(1, Ordering::Relaxed) > 0 {
                lane.rows = self.later.unwrap_or(lane.rows);
            }
            Ok(Some(lane))
        })
    }

    fn ledger<'a>(
        &'a self,
        _key: &'a CampaignKey,
        from: u64,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        let rows = self.rows.iter().filter(move |row| row.number >= from);
        Box::pin(async move { Ok(rows.take(most).cloned().collect()) })
    }

    fn participants<'a>(
        &'a self,
        _key: &'a CampaignKey,
        from: Option<&'a str>,
        _most: usize,
    ) -> Later<'a, Page> {
        let from: usize = from.map_or(0, |from| from.parse().unwrap());
        // Pages of two that overlap: a walk may tell of one twice.
        let page = self.people.iter().skip(from).take(3);
        let participants = page
            .map(|(user, record)| (*user, Arc::new(record.clone())))
            .collect();
        let next = (from + 2 < self.people.len()).then(|| (from + 2).to_string());
        Box::pin(async move { Ok(Page { participants, next }) })
    }

    fn revision<'a>(
        &'a self,
        _tenant: &'a str,
        _campaign: &'a str,
        _edition: u32,
        _revision: u32,
    ) -> Later<'a, Option<Revision>> {
        Box::pin(async {
            Ok(Some(Revision {
                sha256: [0; 32],
                definition: self.definition.clone().into(),
                at: 0,
                by: "ops".into(),
            }))
        })
    }

    fn commit(&self, _commit: Box<Commit>) -> Later<'_, Outcome> {
        unreachable!("it only reads")
    }

    fn commit_under<'a>(
        &'a self,
        _commit: Box<Commit>,
        _lease: &'a crate::Lease,
    ) -> Later<'a, Outcome> {
        unreachable!("it only reads")
    }

    fn lease<'a>(
        &'a self,
        _key: &'a CampaignKey,
        _job: &'a str,
        _term: std::time::Duration,
    ) -> Later<'a, Option<crate::Lease>> {
        unreachable!("it only reads")
    }

    fn recall<'a>(
        &'a self,
        _key: &'a CampaignKey,
        _user: Pseudonym,
        _asked: Option<Asked<'a>>,
    ) -> Later<'a, Recalled> {
        unreachable!()
    }

    fn admin(&self, _change: Box<Admin>) -> Later<'_, AdminOutcome> {
        unreachable!()
    }

    fn tenant_secret<'a>(&'a self, _tenant: &'a str) -> Later<'a, Option<Seed>> {
        unreachable!()
    }

    /// Nothing: so no pool of codes is looked for.
    fn published(&self) -> Later<'_, Vec<Published>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn history<'a>(
        &'a self,
        _tenant: &'a str,
        _user: Pseudonym,
        _most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        unreachable!()
    }

    fn block<'a>(&'a self, _: &'a str, _: Pseudonym) -> Later<'a, Option<machine::world::Block>> {
        unreachable!()
    }

    fn due<'a>(
        &'a self,
        _key: &'a CampaignKey,
        _now: Millis,
        _most: usize,
    ) -> Later<'a, Vec<Pseudonym>> {
        unreachable!()
    }

    fn audit<'a>(&'a self, _tenant: &'a str, _from: u64) -> Later<'a, Vec<AuditEntry>> {
        unreachable!()
    }

    fn mark<'a>(&'a self, _key: &'a CampaignKey, _name: &'a str, _at: u64) -> Later<'a, u64> {
        unreachable!()
    }

    fn marks<'a>(&'a self, _key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, u64)>> {
        unreachable!()
    }

    fn park<'a>(&'a self, _tenant: &'a str, _parked: Parked) -> Later<'a, u64> {
        unreachable!()
    }

    fn parking<'a>(&'a self, _tenant: &'a str) -> Later<'a, Parking> {
        unreachable!()
    }

    fn drafts<'a>(&'a self, _tenant: &'a str) -> Later<'a, Vec<Draft>> {
        unreachable!("it reads lanes")
    }

    fn draft<'a>(&'a self, _tenant: &'a str, _campaign: &'a str) -> Later<'a, Option<Draft>> {
        unreachable!("it reads lanes")
    }

    fn parked<'a>(&'a self, _tenant: &'a str, _id: &'a str) -> Later<'a, Option<Parked>> {
        unreachable!()
    }

    fn backup(&self, _dest: PathBuf) -> Later<'_, Copied> {
        unreachable!()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        unreachable!()
    }

    fn health(&self) -> Health {
        Health {
            durability: Durability::Strict,
            failure: None,
        }
    }
}
