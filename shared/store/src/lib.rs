//! Where campaigns live: one trait, [`Store`], and the embedded store behind it. Rules and wording live elsewhere; what
//! a commit means is [`machine::world::apply_commit`], and every store must agree with it ([`conformance`]).

pub mod codes;
pub mod conformance;
pub mod embedded;
pub mod lease;
pub mod ledger;
pub mod lists;
pub mod log;
pub mod rate;
pub mod reconcile;
pub mod redis;
pub mod settlement;

mod delivery;
mod error;

use std::future::Future;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use machine::model::Durability;
use machine::participant::Participant;
use machine::world::{
    Admin, AdminOutcome, AuditEntry, Block, Commit, Counter, CounterKey, Draft, Live, Notice,
    Outcome, Owner, Parked, Parking, Pause, Recalled, Revision, Unit,
};
use machine::{Day, Millis};
use tokio::sync::watch;

pub use embedded::Embedded;
pub use error::Error;
pub use lease::Lease;
pub use ledger::LedgerRow;
pub use rate::TokenSource;

/// An answer of a store, later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A store. All answers, reads too, tell only of what is as durable as the store declares.
///
/// Dropping the future of a [`Store::commit`] does not undo it: a commit that was handed over happens or does not
/// happen, whether or not someone waits.
pub trait Store: Send + Sync + 'static {
    /// Makes a step true, or says why not.
    fn commit(&self, commit: Box<Commit>) -> Later<'_, Outcome>;

    /// As [`Store::commit`], if `lease` is still held when it is carried out; else [`Error::LeaseLost`] and nothing is
    /// written. The lease must be of the commit's campaign and lane.
    fn commit_under<'a>(&'a self, commit: Box<Commit>, lease: &'a Lease) -> Later<'a, Outcome>;

    /// Takes the lease on a campaign's job (`[a-z0-9-]{1,64}`) for `term` (1 ms to a day); none: someone else holds it. What
    /// it promises, and what not: [`lease`].
    fn lease<'a>(
        &'a self,
        key: &'a CampaignKey,
        job: &'a str,
        term: Duration,
    ) -> Later<'a, Option<Lease>>;

    /// What is known about a caller and a key, in one read.
    fn recall<'a>(
        &'a self,
        key: &'a CampaignKey,
        user: Pseudonym,
        asked: Option<Asked<'a>>,
    ) -> Later<'a, Recalled>;

    /// Does what ops staff ask.
    fn admin(&self, change: Box<Admin>) -> Later<'_, AdminOutcome>;

    /// What a tenant's pseudonyms are made with; none before the tenant was created.
    fn tenant_secret<'a>(&'a self, tenant: &'a str) -> Later<'a, Option<Seed>>;

    /// All published campaigns.
    fn published(&self) -> Later<'_, Vec<Published>>;

    /// A revision of a campaign.
    fn revision<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<Revision>>;

    /// The SHA-256 of a revision's definition: whoever has the definition itself, need not read it.
    fn sha256<'a>(
        &'a self,
        tenant: &'a str,
        campaign: &'a str,
        edition: u32,
        revision: u32,
    ) -> Later<'a, Option<[u8; 32]>> {
        let found = self.revision(tenant, campaign, edition, revision);
        Box::pin(async move { Ok(found.await?.map(|found| found.sha256)) })
    }

    /// What a lane holds, participants apart, at one moment: the counters stand where its first `rows` rows put them.
    fn lane<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Lane>>;

    /// What a lane was begun with: of [`Store::lane`] what a process needs that serves it.
    fn setup<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Option<Setup>> {
        let lane = self.lane(key);
        Box::pin(async move {
            Ok(lane.await?.map(|lane| Setup {
                seed: lane.seed,
                clock_offset: lane.clock_offset,
            }))
        })
    }

    /// Up to `most` rows of a campaign's ledger from number `from` on, in order.
    fn ledger<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: u64,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>>;

    /// The newest `most` rows of one participant across a tenant's campaigns, oldest first.
    fn history<'a>(
        &'a self,
        tenant: &'a str,
        user: Pseudonym,
        most: usize,
    ) -> Later<'a, Vec<LedgerRow>>;

    /// Some participants of a lane, from the beginning or from where the last [`Page`] ended (`next`); `most` is a wish,
    /// at least 1. In any order. A walk to its end tells at least once of everyone who was there all the time; it may tell
    /// of one twice, and a page may be empty and not the last.
    fn participants<'a>(
        &'a self,
        key: &'a CampaignKey,
        from: Option<&'a str>,
        most: usize,
    ) -> Later<'a, Page>;

    /// Up to `most` participants whose delayed transitions are due and who are not blocked.
    fn due<'a>(
        &'a self,
        key: &'a CampaignKey,
        now: Millis,
        most: usize,
    ) -> Later<'a, Vec<Pseudonym>>;

    /// A tenant's audit from entry `from` on.
    fn audit<'a>(&'a self, tenant: &'a str, from: u64) -> Later<'a, Vec<AuditEntry>>;

    /// The block on a user, one that has ended by itself too.
    fn block<'a>(&'a self, tenant: &'a str, user: Pseudonym) -> Later<'a, Option<Block>>;

    /// Notes how far a reader of a lane's ledger has come, and answers where its mark stands then: at the greater of `at` and
    /// what was noted before; at 0 where there is no such lane. `name`: 1 to 200 bytes of printable ASCII without spaces.
    ///
    /// A mark may be lost (a store that fails over, a purge) and stands lower then, never higher than what was noted: whoever
    /// reads on from it reads something twice, and passes over nothing.
    fn mark<'a>(&'a self, key: &'a CampaignKey, name: &'a str, at: u64) -> Later<'a, u64>;

    /// All marks of a lane, by name.
    fn marks<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, u64)>>;

    /// Keeps an event that can't be delivered, among its tenant's newest [`PARKED_MOST`](machine::world::PARKED_MOST); how
    /// often it was parked. What was parked before is one entry, which tells of the last time. An error: it is not kept (for
    /// all that is known), and whoever has it keeps it. Taken away by [`Action::Unpark`](machine::world::Action::Unpark).
    fn park<'a>(&'a self, tenant: &'a str, parked: Parked) -> Later<'a, u64>;

    /// A tenant's parked events without what they say, the one parked last at the end, and how many were let go.
    fn parking<'a>(&'a self, tenant: &'a str) -> Later<'a, Parking>;

    /// A parked event with what it says.
    fn parked<'a>(&'a self, tenant: &'a str, id: &'a str) -> Later<'a, Option<Parked>>;

    /// A tenant's drafts without what they say, by campaign.
    fn drafts<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<Draft>>;

    /// A campaign's draft with what it says. Written by [`Action::Draft`](machine::world::Action::Draft), published by
    /// [`Action::PublishDraft`](machine::world::Action::PublishDraft).
    fn draft<'a>(&'a self, tenant: &'a str, campaign: &'a str) -> Later<'a, Option<Draft>>;

    /// Copies everything durable into an empty folder, while serving.
    fn backup(&self, dest: PathBuf) -> Later<'_, Copied>;

    /// Changes whenever what is published changes; to be watched.
    fn changes(&self) -> watch::Receiver<u64>;

    /// How it is.
    fn health(&self) -> Health;

    /// Puts a list ([`Action::PutList`](machine::world::Action::PutList)) whose members are `members`, in order and each once, or
    /// nothing: who looks anyone up finds the list before or this one.
    fn put_list(&self, change: Box<Admin>, members: Vec<Pseudonym>) -> Later<'_, AdminOutcome> {
        drop((change, members));
        Box::pin(async { Err(Error::NotWritten("this store keeps no lists".to_owned())) })
    }

    /// A tenant's lists, by name.
    fn lists<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<lists::Named>> {
        let _ = tenant;
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Whether someone is in each of these versions of a tenant's lists; none where a version is not there (any more): that is
    /// unknown, and never a no.
    fn listed<'a>(
        &'a self,
        tenant: &'a str,
        versions: &'a [Arc<str>],
        user: Pseudonym,
    ) -> Later<'a, Vec<Option<bool>>> {
        let _ = (tenant, user);
        Box::pin(async { Ok(vec![None; versions.len()]) })
    }

    /// Adds codes to a pool ([`Action::PutCodes`](machine::world::Action::PutCodes)), or makes one of them: all of them but those that
    /// stand in a pool of the tenant already, or nothing.
    fn put_codes(&self, change: Box<Admin>, codes: codes::Codes) -> Later<'_, AdminOutcome> {
        drop((change, codes));
        Box::pin(async { Err(Error::NotWritten("this store keeps no codes".to_owned())) })
    }

    /// A tenant's pools of codes, by name.
    fn pools<'a>(&'a self, tenant: &'a str) -> Later<'a, Vec<codes::Named>> {
        let _ = tenant;
        Box::pin(async { Ok(Vec::new()) })
    }

    /// The codes that these units of a reward are, in a pool (`Owner::from` is not looked at); none for a unit that is no code of it, or
    /// whose code can't be read.
    fn codes<'a>(
        &'a self,
        tenant: &'a str,
        pool: &'a str,
        owner: &'a Owner,
        serials: &'a [u64],
    ) -> Later<'a, Vec<Option<Arc<str>>>> {
        let _ = (tenant, pool, owner);
        Box::pin(async { Ok(vec![None; serials.len()]) })
    }

    /// Which units of stock those of a participant's grants are that are codes: of every grant of kind `code` of a limited reward, in
    /// order.
    fn units<'a>(&'a self, key: &'a CampaignKey, user: Pseudonym) -> Later<'a, Vec<Unit>> {
        let _ = (key, user);
        Box::pin(async { Ok(Vec::new()) })
    }

    /// How many members of a team, by its hash, signed in on each of these days; 0 where nobody did.
    fn tallies<'a>(
        &'a self,
        key: &'a CampaignKey,
        team: &'a Arc<str>,
        days: RangeInclusive<Day>,
    ) -> Later<'a, Vec<u32>>;

    /// How often each of these codes, by their digests, was used in a lane; 0 where nobody did.
    fn uses<'a>(&'a self, key: &'a CampaignKey, codes: &'a [Pseudonym]) -> Later<'a, Vec<u32>>;

    /// All tallies of a lane: the team's hash, the day, how many. For those who reconcile: it may take long, and what is counted
    /// meanwhile is told or not.
    fn all_tallies<'a>(&'a self, key: &'a CampaignKey) -> Later<'a, Vec<(Arc<str>, Day, u32)>> {
        let _ = key;
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Whether someone has a record in any of these lanes: something of theirs was committed there, and not purged. One look a
    /// lane at most, in no order; a commit that is under way may be seen or not.
    fn is_known<'a>(&'a self, lanes: &'a [CampaignKey], user: Pseudonym) -> Later<'a, bool> {
        Box::pin(async move {
            for key in lanes {
                if self.recall(key, user, None).await?.participant.is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Whether every call is a round trip to another machine. A caller of such a store commits on what it knows and reads
    /// only when that fails; and the configs folder only seeds it, since other processes share what it holds.
    fn is_remote(&self) -> bool {
        false
    }

    /// Where rate limits that hold over all processes are counted; none where there is one process.
    fn tokens(&self) -> Option<Arc<dyn TokenSource>> {
        None
    }

    /// Why a campaign that declares `wanted` can't be answered now, in words for staff; none: the store gives what is
    /// declared. Other campaigns go on.
    fn falls_short(&self, wanted: Durability) -> Option<String> {
        let _ = wanted;
        None
    }

    /// Grows whenever the store may have lost something that it told: it was started anew, or a replica took its place. A
    /// version may then name two records, and what a caller remembers of one is worth nothing.
    fn rewinds(&self) -> u64 {
        0
    }

    /// How far this machine's clock is ahead of the store's, in milliseconds; none where both are one.
    fn clock_ahead_ms(&self) -> Option<i64> {
        None
    }
}

/// A caller's idempotency key, what it is used for, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The key.
    pub key: &'a str,
    /// SHA-256 of the event and the meaning of the body.
    pub fingerprint: &'a [u8; 32],
    /// The clock.
    pub now: Millis,
}

/// A published campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Whose.
    pub tenant: Arc<str>,
    /// Which.
    pub campaign: Arc<str>,
    /// Which edition.
    pub edition: u32,
    /// The newest revision.
    pub newest: u32,
    /// The live ones.
    pub live: Vec<Live>,
    /// Whether it is paused by itself.
    pub pause: Option<Pause>,
    /// Whether all of its tenant is.
    pub tenant_pause: Option<Pause>,
    /// The rewards of which nothing is given in the live lane, in order.
    pub stopped: Vec<Arc<str>>,
    /// What users are told.
    pub notice: Option<Notice>,
    /// The rules that have granted.
    pub granted_rules: Vec<Arc<str>>,
}

impl Published {
    /// The stop that users meet: the tenant's before its own.
    pub fn stop(&self) -> Option<&Pause> {
        self.tenant_pause.as_ref().or(self.pause.as_ref())
    }
}

/// What a lane holds, participants apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The secret of its draws.
    pub seed: Seed,
    /// How far its clock is moved, in milliseconds.
    pub clock_offset: i64,
    /// Stock and budget.
    pub counters: Vec<(CounterKey, Counter)>,
    /// How many participants.
    pub participants: u64,
    /// How many ledger rows.
    pub rows: u64,
}

/// What a lane was begun with, and where its clock is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The secret of its draws.
    pub seed: Seed,
    /// How far its clock is moved, in milliseconds.
    pub clock_offset: i64,
}

/// A stretch of a walk over participants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Who, and the record.
    pub participants: Vec<(Pseudonym, Arc<Participant>)>,
    /// Where to go on, in the store's own words; none: that was the last.
    pub next: Option<String>,
}

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Where to.
    pub dest: PathBuf,
    /// The last change that is in it.
    pub last_change: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What its answers promise at best.
    pub durability: Durability,
    /// What is wrong, if it takes no commits.
    pub failure: Option<String>,
}

/// The folder that `GALA_DATA` names when nothing else does.
pub fn default_folder() -> &'static Path {
    Path::new("data")
}
