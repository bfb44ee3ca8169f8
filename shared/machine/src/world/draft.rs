//! A campaign's draft: the text that is to be its next revision, who wrote it, what others think of it, and when it is to be
//! published. A world keeps it whole, errors and all, and does not read it: what it says is for the caller to check.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::admin::{Admin, AdminOutcome, Refused};
use crate::calendar::Millis;
use crate::ids::hex;

/// How long a draft's texts may be, its file, its stories and its rules together, in bytes.
pub const DRAFT_BYTES: usize = 1 << 20;

/// How long its posters' files may be together, in bytes, those that are no text in Base64.
pub const DRAFT_POSTER_BYTES: usize = 3 << 20;

/// How many people may have written a draft.
const AUTHORS_MOST: usize = 100;

/// How many opinions of each kind are kept: one of each person.
const OPINIONS_MOST: usize = 100;

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Whose.
    pub campaign: Arc<str>,
    /// Which: every edit has a greater one than all before it, also across drafts of this campaign.
    pub version: u64,
    /// What it was written over.
    pub base: Base,
    /// Who edited it last.
    pub by: Arc<str>,
    /// When.
    pub at: Millis,
    /// All who edited it since it was begun, the first one first: none of them can approve it.
    pub authors: Vec<Arc<str>>,
    /// What it says. A list of several drafts leaves this out.
    pub text: Arc<DraftText>,
    /// Who approves of this very version.
    pub approvals: Vec<Opinion>,
    /// Who asks for changes; an edit answers nobody's objection, only whoever objected takes it back.
    pub objections: Vec<Opinion>,
    /// When it is to be published; an edit cancels it.
    pub schedule: Option<Schedule>,
    /// That it was not published when it should have been, and why.
    pub missed: Option<Missed>,
}

/// What a draft says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftText {
    /// The campaign's file.
    pub document: Arc<str>,
    /// Its stories by their file's name; none: those of the server's folder.
    pub stories: Option<Vec<(Arc<str>, Arc<str>)>>,
    /// Its rules by language: what is approved is what users will read, whatever becomes of the server's folder. None: those of
    /// the folder.
    pub rules: Option<Vec<(Arc<str>, Arc<str>)>>,
    /// The files of its posters by their path from the tenant's folder, those that are no text in Base64. None: those of the folder.
    pub posters: Option<Vec<(Arc<str>, Arc<str>)>>,
}

/// The newest revision of a campaign's newest edition; 0 and 0 before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The edition.
    pub edition: u32,
    /// The revision.
    pub revision: u32,
}

/// What somebody says of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// Who.
    pub by: Arc<str>,
    /// When.
    pub at: Millis,
    /// Of which version.
    pub version: u64,
    /// In their words.
    pub comment: Option<Arc<str>>,
}

/// A publish to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// When.
    pub at: Millis,
    /// Who wants it.
    pub by: Arc<str>,
    /// Why, where users get less than they were promised.
    pub reason: Option<Arc<str>>,
}

/// A publish that did not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// When it should have been.
    pub scheduled: Millis,
    /// When it was tried.
    pub at: Millis,
    /// Why it was refused.
    pub why: Arc<str>,
}

/// Where a campaign's draft is, or was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftPlace {
    /// The greatest version that was given.
    pub versions: u64,
    /// The draft, if there is one.
    pub draft: Option<Draft>,
}

/// What is done with a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DraftDeed {
    /// Writes it.
    Save {
        /// Over which version; 0: there must be none yet.
        over: u64,
        /// What it is written over.
        base: Base,
        /// What it says.
        text: Arc<DraftText>,
    },
    /// Drops it.
    Drop {
        /// Only this version.
        version: u64,
    },
    /// Approves of it.
    Approve {
        /// Of this version.
        version: u64,
        /// In their words.
        comment: Option<Arc<str>>,
    },
    /// Asks for changes, or takes that back.
    Object {
        /// Of this version.
        version: u64,
        /// Which changes; none: the objection is taken back.
        comment: Option<Arc<str>>,
    },
    /// Has it published at a time; the reason is the change's own.
    Schedule {
        /// This version.
        version: u64,
        /// When; none: not any more.
        at: Option<Millis>,
    },
    /// Notes that it could not be published when it should have been.
    Miss {
        /// This version.
        version: u64,
        /// When it should have been.
        scheduled: Millis,
        /// Why it could not.
        why: Arc<str>,
    },
}

/// Under what a draft is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromDraft {
    /// Its version.
    pub version: u64,
    /// The newest revision of the edition that it is published in: it must be this one still; 0: there is none.
    pub over: u32,
    /// How many others must approve.
    pub approvals: u32,
    /// For when it was to be, where a schedule publishes it: it must be so still.
    pub scheduled: Option<Millis>,
}

impl DraftDeed {
    /// The deed in one word, and its particulars for the audit; of what a draft says, its hash. `now`: the version after it.
    pub(super) fn told(&self, now: Option<u64>) -> (&'static str, serde_json::Value) {
        match self {
            Self::Save { over, base, text } => (
                "save-draft",
                json!({
                    "draft": now,
                    "over": over,
                    "base": base,
                    "sha256": hex(&Sha256::digest(text.document.as_bytes())),
                    "bytes": text.bytes(),
                    "stories": text.stories.as_ref().map(Vec::len),
                    "rules": text.rules.as_ref().map(Vec::len),
                    "posters": text.posters.as_ref().map(Vec::len),
                }),
            ),
            Self::Drop { version } => ("drop-draft", json!({ "draft": version })),
            Self::Approve { version, comment } => (
                "approve-draft",
                json!({ "draft": version, "comment": comment }),
            ),
            Self::Object {
                version,
                comment: None,
            } => ("lift-objection", json!({ "draft": version })),
            Self::Object { version, comment } => (
                "object-draft",
                json!({ "draft": version, "comment": comment }),
            ),
            Self::Schedule { version, at: None } => ("cancel-publish", json!({ "draft": version })),
            Self::Schedule { version, at } => {
                ("schedule-publish", json!({ "draft": version, "at_ms": at }))
            }
            Self::Miss {
                version,
                scheduled,
                why,
            } => (
                "miss-publish",
                json!({ "draft": version, "scheduled_ms": scheduled, "why": why }),
            ),
        }
    }
}

impl DraftText {
    /// Whether it is no longer than a draft may be.
    pub fn fits(&self) -> bool {
        let posters = self.posters.iter().flatten();
        let posters: usize = posters.map(|(name, text)| name.len() + text.len()).sum();
        self.bytes() <= DRAFT_BYTES && posters <= DRAFT_POSTER_BYTES
    }

    /// How long it is, in bytes, its posters apart.
    pub fn bytes(&self) -> usize {
        let beside = self.stories.iter().chain(&self.rules).flatten();
        let beside: usize = beside.map(|(name, text)| name.len() + text.len()).sum();
        self.document.len() + beside
    }
}

impl Draft {
    /// The same without what it says.
    #[must_use]
    pub fn outline(&self) -> Self {
        Self {
            text: Arc::default(),
            ..self.clone()
        }
    }

    /// Why it may not be published yet, where so many others must approve; none: it may.
    pub fn stands_against(&self, approvals: u32) -> Option<Refused> {
        if approvals == 0 {
            return None;
        }
        if let Some(objection) = self.objections.first() {
            let no = Refused::Objected(self.campaign.clone(), objection.by.clone());
            return Some(no);
        }
        let has = u32::try_from(self.approvals.len()).unwrap_or(u32::MAX);
        (has < approvals).then(|| Refused::NotApproved {
            campaign: self.campaign.clone(),
            has,
            wants: approvals,
        })
    }
}

impl DraftPlace {
    /// The draft, if it is of this version.
    fn at(&self, campaign: &Arc<str>, version: u64) -> Result<&Draft, Refused> {
        match &self.draft {
            Some(draft) if draft.version == version => Ok(draft),
            Some(draft) => Err(Refused::DraftMoved(campaign.clone(), draft.version)),
            None => Err(Refused::NoSuchDraft(campaign.clone())),
        }
    }

    /// The place after a deed; or why nothing is done.
    pub fn after(
        &self,
        change: &Admin,
        campaign: &Arc<str>,
        deed: &DraftDeed,
    ) -> Result<Self, AdminOutcome> {
        let next = match deed {
            DraftDeed::Save { over, base, text } => {
                self.saved(change, campaign, *over, *base, text)?
            }
            DraftDeed::Drop { version } => {
                self.at(campaign, *version)?;
                None
            }
            DraftDeed::Approve { version, comment } => {
                let mut draft = self.at(campaign, *version)?.clone();
                if draft.authors.contains(&change.by) {
                    let no = Refused::OwnDraft(campaign.clone(), change.by.clone());
                    return Err(AdminOutcome::Refused(no));
                }
                draft.objections.retain(|known| known.by != change.by);
                give(&mut draft.approvals, change, *version, comment.as_ref());
                Some(draft)
            }
            DraftDeed::Object { version, comment } => {
                let mut draft = self.at(campaign, *version)?.clone();
                if let Some(comment) = comment {
                    draft.approvals.retain(|known| known.by != change.by);
                    give(&mut draft.objections, change, *version, Some(comment));
                } else {
                    let before = draft.objections.len();
                    draft.objections.retain(|known| known.by != change.by);
                    if draft.objections.len() == before {
                        return Err(AdminOutcome::Already);
                    }
                }
                Some(draft)
            }
            DraftDeed::Schedule { version, at } => {
                let mut draft = self.at(campaign, *version)?.clone();
                if at.is_none() && draft.schedule.is_none() {
                    return Err(AdminOutcome::Already);
                }
                draft.schedule = at.map(|at| Schedule {
                    at,
                    by: change.by.clone(),
                    reason: change.why.clone(),
                });
                draft.missed = None;
                Some(draft)
            }
            DraftDeed::Miss {
                version,
                scheduled,
                why,
            } => {
                let mut draft = self.at(campaign, *version)?.clone();
                // Cancelled meanwhile, or put off, or noted by another process.
                if draft.schedule.as_ref().map(|schedule| schedule.at) != Some(*scheduled) {
                    return Err(AdminOutcome::Already);
                }
                draft.schedule = None;
                draft.missed = Some(Missed {
                    scheduled: *scheduled,
                    at: change.at,
                    why: why.clone(),
                });
                Some(draft)
            }
        };
        Ok(Self {
            versions: next.as_ref().map_or(self.versions, |draft| draft.version),
            draft: next,
        })
    }

    /// The draft after an edit.
    fn saved(
        &self,
        change: &Admin,
        campaign: &Arc<str>,
        over: u64,
        base: Base,
        text: &Arc<DraftText>,
    ) -> Result<Option<Draft>, AdminOutcome> {
        let known = match (&self.draft, over) {
            (None, 0) => None,
            (Some(draft), 0) => {
                let no = Refused::DraftMoved(campaign.clone(), draft.version);
                return Err(AdminOutcome::Refused(no));
            }
            _ => Some(self.at(campaign, over)?),
        };
        let mut authors = known.map_or_else(Vec::new, |known| known.authors.clone());
        if !authors.contains(&change.by) {
            authors.push(change.by.clone());
        }
        if !text.fits() || authors.len() > AUTHORS_MOST {
            return Err(AdminOutcome::Refused(Refused::TooLong(campaign.clone())));
        }
        Ok(Some(Draft {
            campaign: campaign.clone(),
            version: self.versions.saturating_add(1),
            base,
            by: change.by.clone(),
            at: change.at,
            authors,
            text: text.clone(),
            approvals: Vec::new(),
            objections: known.map_or_else(Vec::new, |known| known.objections.clone()),
            schedule: None,
            missed: None,
        }))
    }

    /// The place after the draft was published, `newest` being the newest revision of its edition; or why it may not be.
    pub fn published(
        &self,
        campaign: &Arc<str>,
        from: &FromDraft,
        newest: u32,
    ) -> Result<Self, Refused> {
        let draft = self.at(campaign, from.version)?;
        let scheduled = draft.schedule.as_ref().map(|schedule| schedule.at);
        if from.scheduled.is_some() && scheduled != from.scheduled {
            return Err(Refused::NotScheduled(campaign.clone()));
        }
        if newest != from.over {
            return Err(Refused::BaseMoved(campaign.clone(), newest));
        }
        if let Some(no) = draft.stands_against(from.approvals) {
            return Err(no);
        }
        Ok(Self {
            versions: self.versions,
            draft: None,
        })
    }
}

/// Keeps an opinion in the place of the same person's before.
fn give(opinions: &mut Vec<Opinion>, change: &Admin, version: u64, comment: Option<&Arc<str>>) {
    opinions.retain(|known| known.by != change.by);
    opinions.push(Opinion {
        by: change.by.clone(),
        at: change.at,
        version,
        comment: comment.cloned(),
    });
    if opinions.len() > OPINIONS_MOST {
        opinions.remove(0);
    }
}

impl From<Refused> for AdminOutcome {
    fn from(no: Refused) -> Self {
        Self::Refused(no)
    }
}
