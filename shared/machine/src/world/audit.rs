//! The audit of a tenant: what staff did, one entry a change, as a hash chain. An entry that is altered, dropped or moved no
//! longer fits the next one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::admin::{Action, Admin, Done, Publication};
use super::arms::WHOLE;
use crate::calendar::Millis;
use crate::ids::hex;

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, from 0.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// Who.
    pub by: Arc<str>,
    /// What, in one word.
    pub action: String,
    /// On which campaign.
    pub campaign: Option<Arc<str>>,
    /// What exactly, as JSON.
    pub details: String,
    /// SHA-256 over the entry before and this one.
    pub hash: [u8; 32],
}

impl AuditEntry {
    /// What the hash of this entry must be after one with `previous`.
    pub fn expected_hash(&self, previous: [u8; 32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(previous);
        let campaign = self.campaign.as_deref().unwrap_or("");
        for field in [
            &*self.number.to_string(),
            &self.at.to_string(),
            &self.by,
            &self.action,
            campaign,
            &self.details,
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field.as_bytes());
        }
        hash.finalize().into()
    }
}

/// Where an audit was tampered with: the number of the first entry that does not fit.
pub fn first_tampered(audit: &[AuditEntry]) -> Option<u64> {
    let mut previous = [0; 32];
    for (place, entry) in audit.iter().enumerate() {
        if entry.number != place as u64 || entry.expected_hash(previous) != entry.hash {
            return Some(place as u64);
        }
        previous = entry.hash;
    }
    None
}

impl Admin {
    /// The action in one word, and its particulars as JSON, the reason among them; secrets left out.
    pub fn told(&self, done: &Done) -> (String, String) {
        let (action, mut details) = self.action.told(done);
        if let (Some(why), Some(fields)) = (&self.why, details.as_object_mut()) {
            fields.insert("reason".to_owned(), (**why).into());
        }
        (action.to_owned(), details.to_string())
    }
}

impl Action {
    /// The action in one word, and its particulars; secrets left out.
    fn told(&self, done: &Done) -> (&'static str, serde_json::Value) {
        match self {
            Self::CreateTenant { .. } => ("create-tenant", serde_json::json!({})),
            Self::Publish(Publication {
                edition,
                definition,
                ..
            }) => (
                "publish",
                serde_json::json!({
                    "edition": edition,
                    "revision": done.revision,
                    "sha256": hex(&Sha256::digest(definition)),
                }),
            ),
            Self::Pause { edition, pause, .. } => (
                "pause",
                serde_json::json!({ "edition": edition, "pause": pause }),
            ),
            Self::Resume { edition, .. } => ("resume", serde_json::json!({ "edition": edition })),
            Self::AddStock {
                edition,
                lane,
                reward,
                add,
                ..
            } => (
                "add-stock",
                serde_json::json!({
                    "edition": edition, "lane": lane, "reward": reward, "add": add, "ceiling": done.ceiling,
                }),
            ),
            Self::MoveClock {
                edition, offset, ..
            } => (
                "move-clock",
                serde_json::json!({ "edition": edition, "offset_ms": offset }),
            ),
            Self::Rollback { edition, to, .. } => (
                "rollback",
                serde_json::json!({ "edition": edition, "to": to, "revision": done.revision }),
            ),
            Self::Purge {
                edition, reason, ..
            } => (
                "purge",
                serde_json::json!({ "edition": edition, "reason": reason }),
            ),
            Self::Release {
                edition,
                definition,
                over,
                share,
                ..
            } => (
                "publish",
                serde_json::json!({
                    "edition": edition,
                    "revision": done.revision,
                    "sha256": hex(&Sha256::digest(definition)),
                    "share": share,
                    "over": over,
                }),
            ),
            Self::Share {
                edition,
                arms: (old, new),
                share,
                ..
            } => (
                "share",
                serde_json::json!({
                    "edition": edition,
                    "live": { old.to_string(): WHOLE.saturating_sub(*share), new.to_string(): share },
                }),
            ),
            Self::PutList {
                list,
                members,
                lines,
                sha256,
                ..
            } => (
                "put-list",
                serde_json::json!({
                    "list": list, "members": members, "rows": lines.rows, "duplicates": lines.duplicates,
                    "rejected": lines.rejected, "sha256": hex(sha256),
                }),
            ),
            Self::DropList { list } => ("drop-list", serde_json::json!({ "list": list })),
            Self::PurgeTest {
                edition, reason, ..
            } => (
                "purge-test",
                serde_json::json!({ "edition": edition, "lane": "test", "reason": reason }),
            ),
            // Never the codes themselves: whoever reads an audit could use them.
            Self::PutCodes {
                pool,
                codes,
                lines,
                sha256,
                ..
            } => (
                "put-codes",
                serde_json::json!({
                    "pool": pool, "added": codes, "rows": lines.lines.rows, "duplicates": lines.lines.duplicates,
                    "known": lines.known, "rejected": lines.lines.rejected, "sha256": hex(sha256),
                }),
            ),
            Self::BindPool { pool, owner } => (
                "bind-pool",
                serde_json::json!({
                    "pool": pool, "campaign": owner.campaign, "edition": owner.edition, "reward": owner.reward,
                }),
            ),
            Self::FillStock {
                edition,
                reward,
                units,
                ..
            } => (
                "fill-stock",
                serde_json::json!({ "edition": edition, "reward": reward, "units": units }),
            ),
            Self::CloseEntries {
                edition,
                lane,
                draw,
                ..
            } => (
                "close-entries",
                serde_json::json!({ "edition": edition, "lane": lane, "draw": draw, "entries": done.ceiling }),
            ),
            Self::Unpark { id, reason: None } => {
                ("retry-parked", serde_json::json!({ "parked": id }))
            }
            Self::Unpark { id, reason } => (
                "drop-parked",
                serde_json::json!({ "parked": id, "reason": reason }),
            ),
            Self::Draft { deed, .. } => deed.told(done.draft),
            Self::PublishDraft(
                Publication {
                    edition,
                    definition,
                    ..
                },
                from,
            ) => (
                "publish",
                serde_json::json!({
                    "edition": edition,
                    "revision": done.revision,
                    "sha256": hex(&Sha256::digest(definition)),
                    "draft": from.version,
                    "scheduled_ms": from.scheduled,
                }),
            ),
            Self::Measure(measure) => measure.told(done),
        }
    }
}
