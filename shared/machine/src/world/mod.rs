//! The meaning of a commit, pure: a world in memory, the changes it takes, and [`apply`].
//!
//! The embedded store and the simulator run this; the conformance suite holds every other store against it. `apply`
//! checks everything first and then writes everything, or writes nothing. Given the same world and the same change it
//! gives the same outcome, which is what lets the embedded store's log be a list of changes.

mod admin;
mod apply;
mod arms;
mod audit;
mod carry;
mod change;
mod delivery;
mod draft;
mod lists;
mod measure;
mod pools;
mod revise;
mod state;

pub use admin::{Action, Admin, AdminOutcome, Done, Publication, Refused};
pub use apply::{apply, apply_admin, apply_commit, apply_within};
pub use arms::{WHOLE, arm, place, share_percent};
pub use audit::{AuditEntry, first_tampered};
pub use change::{
    Answer, Applied, Attribution, Bound, Change, Commit, CounterKey, CounterMove, KeyWasUsed, Left,
    Outcome, Recalled, TALLY_DAYS, TALLY_MOST,
};
pub use delivery::{
    Keep, Kept, PARKED_DATA_BYTES, PARKED_MOST, Parked, ParkedFrom, Parking, apply_keep, is_mark,
};
pub use draft::{
    Base, DRAFT_BYTES, Draft, DraftDeed, DraftPlace, DraftText, FromDraft, Missed, Opinion,
    Schedule,
};
pub use lists::{Lines, List};
pub use measure::{Block, Blocked, Deed, Measure, Notice};
pub use pools::{CodeLines, CodesPut, Owner, Pool, Segment, Unit};
pub use revise::shared;
pub use state::{
    CampaignWorld, Counter, Entry, LaneWorld, Live, Pause, REMEMBER_MOST, REMEMBER_MS, Remembered,
    Revision, TenantWorld, World,
};
