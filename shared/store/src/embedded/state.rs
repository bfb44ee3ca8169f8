//! What the writer keeps in memory: the world, which of it is ahead of the disk, and where in the log a ledger's rows are.

use std::collections::{BTreeMap, HashSet};
use std::ops::{Bound, RangeInclusive};
use std::sync::Arc;

use machine::Day;
use machine::ids::{self, CampaignKey, Pseudonym};
use machine::world::{Action, Admin, Commit, CounterKey, World};
use serde::{Deserialize, Serialize};

use crate::{Lane, Page, Published};

/// In memory.
#[derive(Debug, Default)]
pub(super) struct State {
    pub world: World,
    pub index: Index,
    /// Whose changes are applied but not yet durable.
    in_flight: HashSet<Pseudonym>,
    /// Whether anything is.
    ahead: bool,
    /// Whether an admin change is, which anyone's view may show.
    admin_ahead: bool,
}

/// Where in the log a campaign's ledger rows are: a mark every so many rows, so that a read from the middle need not
/// begin at the beginning.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    marks: BTreeMap<CampaignKey, Vec<(u64, u64)>>,
}

impl Index {
    /// How many rows lie between two marks.
    const EVERY: u64 = 1024;

    /// Notes that a commit stands in the log as change `seq`.
    pub fn note(&mut self, commit: &Commit, seq: u64) {
        if commit.rows.is_empty() {
            return;
        }
        match self.marks.get_mut(&commit.campaign) {
            None => {
                self.marks
                    .insert(commit.campaign.clone(), vec![(commit.first_row, seq)]);
            }
            Some(marks) => {
                if marks
                    .last()
                    .is_none_or(|(row, _)| commit.first_row >= row + Self::EVERY)
                {
                    marks.push((commit.first_row, seq));
                }
            }
        }
    }

    /// Forgets where the rows of a purged edition or lane are: they stay in the log's bytes, and no reader finds them any more.
    pub fn forget(&mut self, change: &Admin) {
        let (campaign, edition, only) = match &change.action {
            Action::Purge {
                campaign, edition, ..
            } => (campaign, edition, None),
            Action::PurgeTest {
                campaign, edition, ..
            } => (campaign, edition, Some(ids::Lane::Test)),
            _ => return,
        };
        self.marks.retain(|key, _| {
            !(key.tenant == change.tenant
                && key.campaign == *campaign
                && key.edition == *edition
                && only.is_none_or(|lane| key.lane == lane))
        });
    }

    /// A change at or before the one that holds row `from`; none if there is no such row yet.
    pub fn change_of(&self, key: &CampaignKey, from: u64) -> Option<u64> {
        let marks = self.marks.get(key)?;
        let after = marks.partition_point(|(row, _)| *row <= from);
        marks.get(after.saturating_sub(1)).map(|(_, seq)| *seq)
    }
}

impl State {
    pub fn new(world: World, index: Index) -> Self {
        Self {
            world,
            index,
            ..Self::default()
        }
    }

    /// Notes that a participant's change is applied and not yet durable.
    pub fn begin(&mut self, user: Pseudonym) {
        self.ahead = true;
        self.in_flight.insert(user);
    }

    /// Notes that an admin change is applied and not yet durable.
    pub fn begin_admin(&mut self) {
        self.ahead = true;
        self.admin_ahead = true;
    }

    /// Notes that something kept for deliveries is applied and not yet durable.
    pub fn begin_keep(&mut self) {
        self.ahead = true;
    }

    /// Notes that everything applied is durable.
    pub fn settled(&mut self) {
        self.ahead = false;
        self.admin_ahead = false;
        self.in_flight.clear();
    }

    /// Whether anything is ahead of the disk.
    pub fn ahead(&self) -> bool {
        self.ahead
    }

    /// Whether what this participant sees is ahead of the disk.
    pub fn changing(&self, user: &Pseudonym) -> bool {
        self.admin_ahead || self.in_flight.contains(user)
    }

    pub fn published(&self) -> Vec<Published> {
        let campaigns = self.world.campaigns.iter();
        campaigns
            .map(|((tenant, campaign, edition), found)| Published {
                tenant: tenant.clone(),
                campaign: campaign.clone(),
                edition: *edition,
                newest: found
                    .revisions
                    .last_key_value()
                    .map_or(0, |(number, _)| *number),
                live: found.live.clone(),
                pause: found.pause.clone(),
                tenant_pause: self
                    .world
                    .tenants
                    .get(tenant)
                    .and_then(|tenant| tenant.pause.clone()),
                stopped: found.stopped.iter().cloned().collect(),
                notice: found.notice.clone(),
                granted_rules: found.granted_rules.iter().cloned().collect(),
            })
            .collect()
    }

    /// Up to `most` participants after `from`, in the order of their pseudonyms.
    pub fn participants(&self, key: &CampaignKey, from: Option<Pseudonym>, most: usize) -> Page {
        let Some(lane) = self.world.lane(key) else {
            return Page::default();
        };
        let after = from.map_or(Bound::Unbounded, Bound::Excluded);
        let found = lane.participants.range((after, Bound::Unbounded));
        let participants: Vec<_> = found
            .take(most)
            .map(|(user, entry)| (*user, entry.participant.clone()))
            .collect();
        let last = participants.last().filter(|_| participants.len() == most);
        Page {
            next: last.map(|(user, _)| user.to_string()),
            participants,
        }
    }

    /// A team's tallies.
    pub fn tallies(
        &self,
        key: &CampaignKey,
        team: &Arc<str>,
        days: RangeInclusive<Day>,
    ) -> Vec<u32> {
        let lane = self.world.lane(key);
        let tally = |day| {
            let counter = lane?.counters.get(&CounterKey::Tally(team.clone(), day))?;
            u32::try_from(counter.issued).ok()
        };
        days.map(|day| tally(day).unwrap_or(0)).collect()
    }

    /// How often each of these codes was used.
    pub fn uses(&self, key: &CampaignKey, codes: &[Pseudonym]) -> Vec<u32> {
        let lane = self.world.lane(key);
        let uses = |code: &Pseudonym| {
            let counter = lane?.counters.get(&CounterKey::Code(*code))?;
            u32::try_from(counter.issued).ok()
        };
        codes.iter().map(|code| uses(code).unwrap_or(0)).collect()
    }

    /// Every tally of a lane.
    pub fn all_tallies(&self, key: &CampaignKey) -> Vec<(Arc<str>, Day, u32)> {
        let lane = self.world.lane(key).into_iter();
        let counters = lane.flat_map(|lane| &lane.counters);
        let tallies = counters.filter_map(|(key, counter)| match key {
            CounterKey::Tally(team, day) => {
                let issued = u32::try_from(counter.issued).ok()?;
                Some((team.clone(), *day, issued))
            }
            _ => None,
        });
        tallies.collect()
    }

    pub fn lane(&self, key: &CampaignKey) -> Option<Lane> {
        self.world.lane(key).map(|lane| Lane {
            seed: lane.seed.clone(),
            clock_offset: lane.clock_offset,
            // Tallies and codes are many, and asked for one by one.
            counters: lane
                .counters
                .iter()
                .filter(|(key, _)| !key.is_apart())
                .map(|(key, counter)| (key.clone(), *counter))
                .collect(),
            participants: lane.participants.len() as u64,
            rows: lane.rows,
        })
    }
}
