//! A store that is broken on purpose: it skips the stock check. For tests alone: no program that is shipped can reach it.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use machine::model::Durability;
use machine::world::{
    Admin, AdminOutcome, AuditEntry, Block, Commit, CounterKey, Draft, Outcome, Parked, Parking,
    Recalled, Revision,
};
use machine::{Day, Millis};
use store::{
    Asked, Copied, Embedded, Health, Lane, Later, Lease, LedgerRow, Page, Published, Store,
};
use tokio::sync::watch;

/// An embedded store whose commits neither look at stock nor move it. All else is the real one's.
pub struct Oversells(pub Embedded);

/// The commit as somebody would make it who forgot the stock.
fn without_stock(mut commit: Box<Commit>) -> Box<Commit> {
    let is_stock = |key: &CounterKey| matches!(key, CounterKey::Stock(_));
    commit.moves.retain(|counter| !is_stock(&counter.key));
    commit
        .alternatives
        .retain(|counter| !is_stock(&counter.key));
    commit
}

impl Store for Oversells {
    fn commit(&self, commit: Box<Commit>) -> Later<'_, Outcome> {
        self.0.commit(without_stock(commit))
    }

    fn commit_under<'a>(&'a self, commit: Box<Commit>, lease: &'a Lease) -> Later<'a, Outcome> {
        self.0.commit_under(without_stock(commit), lease)
    }

    fn uses<'a>(&'a self, key: &'a CampaignKey, codes: &'a [Pseudonym]) -> Later<'a, Vec<u32>> {
        self.0.uses(key, codes)
    }

    fn tallies<'a>(
        &'a self,
        key: &'a CampaignKey,
        team: &'a Arc<str>,
        days: RangeInclusive<Day>,
    ) -> Later<'a, Vec<u32>> {
        self.0.tallies(key, team, days)
    }

    fn all_tallies<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, Day, u32)>> {
        self.0.all_tallies(key)
    }

    fn is_known<'a>(&'a self, lanes: &'a [CampaignKey], user: Pseudonym) -> Later<'a, bool> {
        self.0.is_known(lanes, user)
    }

    fn lease<'a>(
        &'a self,
        key: &'a CampaignKey,
        job: &'a str,
        term: Duration,
    ) -> Later<'a, Option<Lease>> {
        self.0.lease(key, job, term)
    }

    fn recall<'a>(
        &'a self,
        key: &'a CampaignKey,
        user: Pseudonym,
        asked: Option<Asked<'a>>,
    ) -> Later<'a, Recalled> {
        self.0.recall(key, user, asked)
    }

    fn admin(&self, change: Box<Admin>) -> Later<'_, AdminOutcome> {
        self.0.admin(change)
    }

    fn tenant_secret<'a>(&'a self, tenant: &'a str) -> Later<'a, Option<Seed>> {
        self.0.tenant_secret(tenant)
    }

    fn published(&self) -> Later<'_, Vec<Published>> {
        self.0.published()
    }

    fn revision<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<Revision>> {
        self.0.revision(tenant, campaign, edition, revision)
    }

    fn lane<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Lane>> {
        self.0.lane(key)
    }

    fn ledger<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: u64,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        self.0.ledger(key, from, most)
    }

    fn history<'a>(
        &'a self,
        tenant: &'a str,
        user: Pseudonym,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>> {
        self.0.history(tenant, user, most)
    }

    fn participants<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: Option<&'a str>,
        most: usize,
    ) -> Later<'a, Page> {
        self.0.participants(key, from, most)
    }

    fn due<'a>(
        &'a self,
        key: &'a CampaignKey,
        now: Millis,
        most: usize,
    ) -> Later<'a, Vec<Pseudonym>> {
        self.0.due(key, now, most)
    }

    fn block<'a>(&'a self, tenant: &'a str, user: Pseudonym) -> Later<'a, Option<Block>> {
        self.0.block(tenant, user)
    }

    fn audit<'a>(&'a self, tenant: &'a str, from: u64) -> Later<'a, Vec<AuditEntry>> {
        self.0.audit(tenant, from)
    }

    fn mark<'a>(&'a self, key: &'a CampaignKey, name: &'a str, at: u64) -> Later<'a, u64> {
        self.0.mark(key, name, at)
    }

    fn marks<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, u64)>> {
        self.0.marks(key)
    }

    fn park<'a>(&'a self, tenant: &'a str, parked: Parked) -> Later<'a, u64> {
        self.0.park(tenant, parked)
    }

    fn parking<'a>(&'a self, tenant: &'a str) -> Later<'a, Parking> {
        self.0.parking(tenant)
    }

    fn drafts<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<Draft>> {
        self.0.drafts(tenant)
    }

    fn draft<'a>(&'a self, tenant: &'a str, campaign: &'a str) -> Later<'a, Option<Draft>> {
        self.0.draft(tenant, campaign)
    }

    fn parked<'a>(&'a self, tenant: &'a str, id: &'a str) -> Later<'a, Option<Parked>> {
        self.0.parked(tenant, id)
    }

    fn backup(&self, dest: PathBuf) -> Later<'_, Copied> {
        self.0.backup(dest)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes()
    }

    fn health(&self) -> Health {
        self.0.health()
    }

    fn is_remote(&self) -> bool {
        self.0.is_remote()
    }

    fn falls_short(&self, wanted: Durability) -> Option<String> {
        self.0.falls_short(wanted)
    }

    fn clock_ahead_ms(&self) -> Option<i64> {
        self.0.clock_ahead_ms()
    }
}
