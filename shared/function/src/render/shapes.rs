//! The shapes of answers: the contract of the HTTP API, and what `openapi.json` is made from.

use std::sync::Arc;

use machine::ids::Lane;
use machine::model::Phase;
use machine::participant::Status;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::parts::ViewParts;
use crate::poster::PosterView;

/// The answer to an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventAnswer<'a> {
    /// The campaign's id.
    pub campaign: &'a str,
    /// The event.
    pub event: &'a str,
    /// The state that the participant is in now.
    pub state: &'a str,
    /// The variables that clients may see.
    #[schema(value_type = Object)]
    pub context: Map<String, Json>,
    /// What the user can do now.
    pub events: Vec<EventView<'a>>,
    /// What this event gave: only the new grants.
    pub grants: Vec<GrantView<'a>>,
    /// The draws that this event made, in order; absent when it made none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub draws: Vec<DrawView<'a>>,
    /// The outcome that a block raised (`won`, `missed`, `signed`, ...), if one did.
    pub outcome: Option<&'static str>,
    /// The record's version; for `If-Match`.
    pub version: u64,
    /// `live` or `test`.
    #[schema(value_type = String)]
    pub lane: Lane,
}

/// What a button needs to know about an event that a user may send.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView<'a> {
    /// The event.
    pub event: &'a str,
    /// Whether it would be taken now. A guard that reads the payload counts as possible.
    pub possible: bool,
    /// The code of the no it would meet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// That no in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When that may change by itself (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
    /// The fields that the event carries, by name; absent when it carries none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub payload: Option<Map<String, Json>>,
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView<'a> {
    /// Its stable id.
    pub id: String,
    /// Under which rule.
    pub rule: &'a str,
    /// Which reward.
    pub reward: &'a str,
    /// What it is: `points`, `coupon`, `code`, `physical`, `cash`, `entitlement`.
    pub kind: Json,
    /// Its title in the caller's language.
    pub title: &'a str,
    /// How much, where it is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// The code itself, where the reward takes its codes from a pool, and the grant is neither held nor taken back. In the view and in the
    /// list of grants; the answer to an event has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub code: Option<Arc<str>>,
    /// `pending`, `held`, `needs-claim`, `sent`, `confirmed`, `failed`, `expired`, `forfeited` or `reversed`.
    #[schema(value_type = String)]
    pub status: Status,
    /// When it was given (RFC 3339).
    pub at: String,
    /// Until when it can be used (RFC 3339), if it expires.
    pub expires: Option<String>,
}

/// A draw, as a client animates it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DrawView<'a> {
    /// Its index among all draws of this participant, from 0: with it anyone finds it in the ledger.
    pub index: u64,
    /// What it ended in: the reward that was given, or the one that stands for a miss; none where the campaign has none.
    pub reward: Option<&'a str>,
    /// Its title in the caller's language.
    pub title: Option<&'a str>,
    /// The address of its picture.
    pub image: Option<&'a str>,
    /// Whether it gave something.
    pub won: bool,
    /// Whether pity decided, without a roll.
    pub pity: bool,
}

/// A participant's view.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViewAnswer<'a> {
    /// The campaign's id.
    pub campaign: &'a str,
    /// Its edition.
    pub edition: u32,
    /// `live` or `test`.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// The activity's id.
    pub activity: &'a str,
    /// The campaign's title in the caller's language.
    pub title: &'a str,
    /// The server's clock (RFC 3339).
    pub now: String,
    /// `preview`, `open`, `paused`, `claiming` or `ended`.
    #[schema(value_type = String)]
    pub phase: Phase,
    /// What users are told, about a pause or without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// The first instant of play.
    pub opens: String,
    /// The first instant after play.
    pub closes: String,
    /// The first instant after claims.
    pub claim_until: String,
    /// Whether the user may take part.
    pub eligible: Eligible,
    /// The state the participant is in.
    pub state: &'a str,
    /// The variables that clients may see.
    #[schema(value_type = Object)]
    pub context: Map<String, Json>,
    /// What the user can do now.
    pub events: Vec<EventView<'a>>,
    /// The newest grants, at most 100, oldest first.
    pub grants: Vec<GrantView<'a>>,
    /// How many older ones there are; `/grants` has them all. Not there where there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub earlier_grants: usize,
    /// The record's version; for `If-Match`.
    pub version: u64,
    /// Posters to share, those that are for this participant.
    pub posters: Vec<PosterView>,
    /// What the campaign's blocks add: `calendar`, `wheel`, `chances`, `pack`, `tasks`, `raffle`, `team`.
    #[serde(flatten)]
    #[schema(value_type = ViewParts)]
    pub blocks: Map<String, Json>,
}

/// Whether a user may take part.
#[derive(Debug, Serialize, ToSchema)]
pub struct Eligible {
    /// Whether.
    pub ok: bool,
    /// The code if not.
    pub code: Option<&'static str>,
}

impl Eligible {
    /// One who may not.
    pub(super) const fn no(code: crate::problem::Code) -> Self {
        Self {
            ok: false,
            code: Some(code.as_str()),
        }
    }
}

/// A user's grants.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantsAnswer<'a> {
    /// Oldest first.
    pub grants: Vec<GrantView<'a>>,
    /// What to pass as `after` for the next page; none at the end.
    pub next: Option<String>,
}

/// The page that anyone may see.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicAnswer<'a> {
    /// The tenant's id.
    pub tenant: &'a str,
    /// The campaign's id.
    pub campaign: &'a str,
    /// Its edition.
    pub edition: u32,
    /// The activity's id.
    pub activity: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Who runs it.
    pub organizer: &'a str,
    /// `preview`, `open`, `paused`, `claiming` or `ended`.
    #[schema(value_type = String)]
    pub phase: Phase,
    /// What users are told, about a pause or without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// The first instant of play.
    pub opens: String,
    /// The first instant after play.
    pub closes: String,
    /// The first instant after claims.
    pub claim_until: String,
    /// The campaign's timezone.
    pub timezone: &'static str,
    /// Where its rules can be read; none if it has none.
    pub rules_url: Option<String>,
    /// What can be had: `reward`, `kind`, `title`, `image`, `amount`, `value`. Never how many are left.
    pub rewards: Vec<Json>,
    /// SHA-256 of the secret seed of its draws.
    pub seed_hash: String,
    /// The seed itself, once no draw can be made with it any more: with it anyone can make every draw again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// The published revision.
    pub revision: u32,
    /// SHA-256 of that revision.
    pub config_hash: String,
    /// What the campaign's blocks show: prizes with their exact odds, packs.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub blocks: Map<String, Json>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_none(count: &usize) -> bool {
    *count == 0
}
