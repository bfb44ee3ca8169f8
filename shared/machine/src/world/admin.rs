//! What ops staff can change, and what may come of it: publish, pause, top up. How a change is made true is in `carry`, what
//! the audit keeps of it in `audit`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::arms::share_percent;
use super::change::Answer;
use super::draft::{DraftDeed, FromDraft};
use super::lists::Lines;
use super::measure::Measure;
use super::pools::{CodeLines, CodesPut, Owner};
use super::state::Pause;
use crate::calendar::Millis;
use crate::ids::Lane;
use crate::luck::Seed;

/// A change by ops staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    /// Whose.
    pub tenant: Arc<str>,
    /// Who.
    pub by: Arc<str>,
    /// When.
    pub at: Millis,
    /// The caller's idempotency key and the fingerprint of what it asks.
    pub key: Option<(Arc<str>, [u8; 32])>,
    /// What.
    pub action: Action,
    /// Why, in the words of whoever does it; the audit keeps it.
    pub why: Option<Arc<str>>,
}

/// A definition that is to be a campaign's next revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Which campaign.
    pub campaign: Arc<str>,
    /// Which edition.
    pub edition: u32,
    /// The definition as JSON.
    pub definition: Arc<[u8]>,
    /// The stock of each limited reward.
    pub stock: Vec<(Arc<str>, u32)>,
    /// The budget in all, in minor units.
    pub budget: Option<i64>,
    /// Seeds for the live and the test lane, used by the first revision only.
    pub seeds: (Seed, Seed),
}

/// What ops staff can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Makes the tenant known. Nothing happens if it is.
    CreateTenant {
        /// What its pseudonyms will be made with.
        secret: Seed,
    },
    /// Publishes a definition as the next revision and makes it the live one. The first revision creates seeds and
    /// counters; a later one moves a counter's ceiling by what the config's figure moved.
    Publish(Publication),
    /// Stops the live lane, or one event of it.
    Pause {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The stop.
        pause: Pause,
    },
    /// Ends a stop.
    Resume {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
    },
    /// Raises a ceiling.
    AddStock {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Which lane.
        lane: Lane,
        /// Which reward.
        reward: Arc<str>,
        /// By how many units; at least 1.
        add: u32,
    },
    /// Moves the test lane's clock.
    MoveClock {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// How far from the real clock, in milliseconds.
        offset: i64,
    },
    /// Makes an earlier revision's definition the next revision and the live one; ceilings move as by a publish of it.
    Rollback {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The revision whose definition is taken, from 1.
        to: u32,
        /// The stock of each limited reward in that definition.
        stock: Vec<(Arc<str>, u32)>,
        /// Its budget in all, in minor units.
        budget: Option<i64>,
    },
    /// Removes everything of an edition, both lanes, for good: the audit and a mark that the edition was there are all
    /// that stays. Whether it is time to is for the caller to know.
    Purge {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Why; for the audit.
        reason: Option<Arc<str>>,
    },
    /// Takes a parked event away.
    Unpark {
        /// Which: its name among the tenant's parked events.
        id: Arc<str>,
        /// Why it is given up; none: it was told again, and taken.
        reason: Option<Arc<str>>,
    },
    /// Does something with a campaign's draft. The campaign need not have a revision yet.
    Draft {
        /// Which campaign.
        campaign: Arc<str>,
        /// What.
        deed: DraftDeed,
    },
    /// Publishes what a campaign's draft says, as [`Action::Publish`] would, and drops the draft: both, or neither.
    PublishDraft(Publication, FromDraft),
    /// What is done when something is wrong.
    Measure(Measure),
    /// Publishes a definition as the next revision for a share of the users; the others keep the one that is live. Ceilings
    /// move as by a publish: stock and budget are those of both.
    Release {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The definition as JSON.
        definition: Arc<[u8]>,
        /// The stock of each limited reward.
        stock: Vec<(Arc<str>, u32)>,
        /// The budget in all, in minor units.
        budget: Option<i64>,
        /// The one that is live, which this was held against.
        over: u32,
        /// The share, in parts of 10,000: at least 1, less than all.
        share: u32,
    },
    /// Gives the newer of two live revisions another share of the users.
    Share {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The two, the older first: those that were looked at before this was asked for.
        arms: (u32, u32),
        /// The newer one's share, in parts of 10,000: more than it has; 10,000 leaves it alone, 0 the older one.
        share: u32,
        /// The stock of each limited reward, where ceilings are to move: the older revision's, when it is left alone.
        stock: Vec<(Arc<str>, u32)>,
        /// The budget in all, likewise.
        budget: Option<i64>,
    },
    /// Puts a list in the place of the one of its name, or beside the others; its members were put where the store keeps them.
    PutList {
        /// Its name.
        list: Arc<str>,
        /// Names its members; the store's to say.
        version: Arc<str>,
        /// How many they are; the store's to say.
        members: u64,
        /// What became of the file's lines.
        lines: Lines,
        /// SHA-256 of the file.
        sha256: [u8; 32],
    },
    /// Takes a list away.
    DropList {
        /// Its name.
        list: Arc<str>,
    },
    /// Empties the test lane of an edition: participants, ledger, timers, what its counters gave. Stock and budget are again what
    /// the newest revision says, its clock is the real one. Its seed stays, so that what is played again comes out the same; the
    /// live lane is not looked at.
    PurgeTest {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Why; for the audit.
        reason: Option<Arc<str>>,
    },
    /// Adds codes to a pool, or makes one of them; the codes were put where the store keeps them.
    PutCodes {
        /// Its name.
        pool: Arc<str>,
        /// Names the codes; the store's to say.
        version: Arc<str>,
        /// How many they are; the store's to say.
        codes: u64,
        /// What became of the file's lines; how many are known already is the store's to say.
        lines: CodeLines,
        /// SHA-256 of the file.
        sha256: [u8; 32],
    },
    /// Gives a pool to a reward, for good; a pool that is not there begins without codes.
    BindPool {
        /// Its name.
        pool: Arc<str>,
        /// Whose it is from now on.
        owner: Owner,
    },
    /// Moves the stock of a reward, in both lanes, as a publish would that says this figure: its pool has got more codes.
    FillStock {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Which reward.
        reward: Arc<str>,
        /// The figure.
        units: u32,
    },
    /// Takes no more entries for a draw: what is in the ledger then is the list.
    CloseEntries {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Which lane.
        lane: Lane,
        /// Which draw.
        draw: Arc<str>,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminOutcome {
    /// Done.
    Done(Done),
    /// Nothing to do: it is so already.
    Already,
    /// It was done before under this key: this was answered.
    Replayed(Answer),
    /// The key was used for something else.
    KeyReused,
    /// It can't be done.
    Refused(Refused),
}

/// What was done, in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The audit entry's number.
    pub audit: u64,
    /// The revision now live, after a publish or a rollback; after a release and what becomes of it, the one that it gave more.
    pub revision: Option<u32>,
    /// The ceiling now, after a top-up or a withdrawal; how many entries there are, after they were closed.
    pub ceiling: Option<i64>,
    /// The draft's version now, after something was done with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<u64>,
    /// How many units were withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<i64>,
    /// What came of putting codes into a pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<CodesPut>,
}

/// Why it can't be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The tenant was never created.
    #[error("tenant `{0}` is not known to this store")]
    NoSuchTenant(Arc<str>),
    /// The campaign has no revision.
    #[error("campaign `{0}` has no published edition {1}")]
    NoSuchCampaign(Arc<str>, u32),
    /// The reward has no stock.
    #[error("reward `{0}` has no limited stock")]
    NoSuchStock(Arc<str>),
    /// A number beyond what a counter holds.
    #[error("that is more than a counter holds")]
    TooMuch,
    /// The edition has no such revision.
    #[error("campaign `{0}` has no revision {1}")]
    NoSuchRevision(Arc<str>, u32),
    /// There is no such parked event (any more).
    #[error("no parked event `{0}` is kept")]
    NoSuchParked(Arc<str>),
    /// The edition was purged, and an edition that is over never begins again.
    #[error("edition {1} of campaign `{0}` was purged and never reopens: write `edition: {next}` for the next run", next = .1.saturating_add(1))]
    Purged(Arc<str>, u32),
    /// The campaign has no draft.
    #[error("campaign `{0}` has no draft")]
    NoSuchDraft(Arc<str>),
    /// The draft is of another version than the caller has seen.
    #[error("the draft of campaign `{0}` is at version {1} now: look at it again")]
    DraftMoved(Arc<str>, u64),
    /// Who wrote a draft is not who approves of it.
    #[error("{1} wrote in the draft of campaign `{0}`: somebody else approves it")]
    OwnDraft(Arc<str>, Arc<str>),
    /// Somebody asks for changes.
    #[error(
        "{1} asks for changes in the draft of campaign `{0}`: it waits until {1} approves, or takes that back"
    )]
    Objected(Arc<str>, Arc<str>),
    /// Too few approve.
    #[error("the draft of campaign `{campaign}` has {has} of the {wants} approvals that it needs")]
    NotApproved {
        /// The campaign.
        campaign: Arc<str>,
        /// How many approve.
        has: u32,
        /// How many must.
        wants: u32,
    },
    /// What the draft was written over is not the newest any more.
    #[error(
        "revision {1} of campaign `{0}` is the newest, and the draft was written over another: look at what it changes now, and save it again over the newest"
    )]
    BaseMoved(Arc<str>, u32),
    /// The schedule was cancelled, or is another.
    #[error("the draft of campaign `{0}` is not to be published at that time any more")]
    NotScheduled(Arc<str>),
    /// The texts are longer than what is kept, or too many people wrote them.
    #[error("the draft of campaign `{0}` is longer than a draft may be")]
    TooLong(Arc<str>),
    /// Two revisions are live already.
    #[error("two revisions are live: finish the release or take it back first (`gala release`)")]
    TwoAreLive,
    /// One revision is live for all: there is no share to change.
    #[error("one revision is live for all users: no release is under way")]
    OneIsLive,
    /// Others are live than those that the caller looked at.
    #[error("other revisions are live than those that were looked at: look again")]
    OthersAreLive,
    /// No share of the users.
    #[error("a share is more than 0 % and less than 100 %")]
    NoShare,
    /// Less than the revision has: users would be moved back.
    #[error("the revision has {} % of the users, and a share only grows: take the release back as a whole (`--back`)", share_percent(*.0))]
    Narrower(u32),
    /// The campaign has no such draw.
    #[error("no revision of the campaign has the draw `{0}`")]
    NoSuchDraw(Arc<str>),
    /// The store has no such list.
    #[error("no list `{0}` is in the store")]
    NoSuchList(Arc<str>),
    /// A pool's codes are another reward's.
    #[error(
        "the codes of pool `{0}` are those of reward `{reward}` of campaign `{campaign}`, edition {edition}: a pool is one reward's for good, so put codes into another pool",
        reward = .1.reward, campaign = .1.campaign, edition = .1.edition
    )]
    PoolTaken(Arc<str>, Owner),
}

impl Action {
    /// The campaign and the edition that it is about, if it is about one; a draft is of edition 0, which no campaign has.
    pub fn campaign(&self) -> Option<(&Arc<str>, u32)> {
        match self {
            Self::CreateTenant { .. }
            | Self::Unpark { .. }
            | Self::PutList { .. }
            | Self::DropList { .. }
            | Self::PutCodes { .. }
            | Self::BindPool { .. } => None,
            Self::Draft { campaign, .. } => Some((campaign, 0)),
            Self::Publish(Publication {
                campaign, edition, ..
            })
            | Self::PublishDraft(
                Publication {
                    campaign, edition, ..
                },
                _,
            )
            | Self::Pause {
                campaign, edition, ..
            }
            | Self::Resume { campaign, edition }
            | Self::AddStock {
                campaign, edition, ..
            }
            | Self::MoveClock {
                campaign, edition, ..
            }
            | Self::Rollback {
                campaign, edition, ..
            }
            | Self::Purge {
                campaign, edition, ..
            }
            | Self::Release {
                campaign, edition, ..
            }
            | Self::PurgeTest {
                campaign, edition, ..
            }
            | Self::FillStock {
                campaign, edition, ..
            }
            | Self::CloseEntries {
                campaign, edition, ..
            }
            | Self::Share {
                campaign, edition, ..
            } => Some((campaign, *edition)),
            Self::Measure(measure) => measure.campaign(),
        }
    }
}
