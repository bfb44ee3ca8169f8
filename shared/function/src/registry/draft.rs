//! What a draft says as the next revision: checked, its stories played, and held against who approved it and what is live.
//! Whether it may is decided here and again by the store, in the step that publishes it.

use campaign::story::Report;
use campaign::tenant::Tenant;
use campaign::{Diagnostic, Diagnostics};
use machine::Millis;
use machine::world::{Action, Base, Draft, FromDraft, Refused};
use store::{Published, Store};

use super::check::{Checked, Sent, first_red};
use super::revise::{self, NotPublished, Terms};
use super::{LoadError, Registry};

/// Why a draft is not published.
#[derive(Debug)]
pub enum DraftRefused {
    /// It has errors.
    Unsound(Diagnostics),
    /// A story comes out differently, or can't be read.
    Red(Report),
    /// The process has no folder to check it in.
    Missing,
    /// Somebody has published since it was written.
    Moved {
        /// Over what it was written.
        base: Base,
        /// What is the newest now.
        newest: Base,
    },
    /// It is of an edition before the newest, which nobody is served.
    Past {
        /// Its edition.
        edition: u32,
        /// The newest.
        newest: u32,
    },
    /// It may not follow, or too few approve.
    No(NotPublished),
}

/// In words, for logs and the audit.
impl std::fmt::Display for DraftRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = |found: &Diagnostic| format!("{}: {}", found.code, found.message);
        match self {
            Self::Unsound(found) => {
                let first = found.iter().next().map_or_else(String::new, said);
                write!(f, "it has errors ({first})")
            }
            Self::Red(report) => f.write_str(&red(report)),
            Self::Missing => f.write_str("its tenant's folder is not on this machine"),
            Self::Moved { base, newest } => write!(
                f,
                "it was written over revision {} of edition {}, and revision {} of edition {} is the newest now: look at what it changes, and save it again over the newest",
                base.revision, base.edition, newest.revision, newest.edition
            ),
            Self::Past { edition, newest } => write!(
                f,
                "it is of edition {edition}, and edition {newest} is served"
            ),
            Self::No(no) => no.fmt(f),
        }
    }
}

impl From<NotPublished> for DraftRefused {
    fn from(no: NotPublished) -> Self {
        Self::No(no)
    }
}

impl From<Refused> for DraftRefused {
    fn from(no: Refused) -> Self {
        Self::No(no.into())
    }
}

/// The first that is wrong with stories, in words.
pub fn red(report: &Report) -> String {
    match first_red(report) {
        Some((Some(story), found)) => format!("the story `{story}`: {}", found.message),
        Some((None, found)) => format!("its stories: {}", found.message),
        None => "its stories".to_owned(),
    }
}

/// The newest revision of a campaign's newest edition.
pub fn newest(published: &[Published], tenant: &str, campaign: &str) -> Base {
    let own = published
        .iter()
        .filter(|known| *known.tenant == *tenant && *known.campaign == *campaign);
    own.max_by_key(|known| known.edition)
        .map_or_else(Base::default, |known| Base {
            edition: known.edition,
            revision: known.newest,
        })
}

/// The change that publishes a draft now, if it may be; `scheduled` where a schedule does.
pub async fn draft_publication(
    registry: &Registry,
    store: &dyn Store,
    tenant: &Tenant,
    draft: &Draft,
    (scheduled, reason): (Option<Millis>, Option<&str>),
    now: Millis,
) -> Result<Result<Action, DraftRefused>, LoadError> {
    let published = store.published().await?;
    let newest = newest(&published, &tenant.id, &draft.campaign);
    if draft.base != newest {
        let base = draft.base;
        return Ok(Err(DraftRefused::Moved { base, newest }));
    }
    let approvals = tenant.review.approvals;
    if let Some(no) = draft.stands_against(approvals) {
        return Ok(Err(no.into()));
    }
    let sent = Sent::from(&*draft.text);
    let checked = registry.check(&tenant.id, &draft.campaign, sent).await?;
    let definition = match checked {
        Checked::Sound(_, _, report) if report.failures.has_errors() => {
            return Ok(Err(DraftRefused::Red(report)));
        }
        Checked::Sound(definition, _, _) => definition,
        Checked::Unsound(found) => return Ok(Err(DraftRefused::Unsound(found))),
        Checked::Missing => return Ok(Err(DraftRefused::Missing)),
    };
    let edition = definition.edition;
    if edition < newest.edition {
        let newest = newest.edition;
        return Ok(Err(DraftRefused::Past { edition, newest }));
    }
    let over = if edition == newest.edition {
        newest.revision
    } else {
        0
    };
    let known = revise::edition(&published, &tenant.id, &definition);
    let terms = Terms {
        law: tenant.law.as_deref(),
        reason,
        full_pools: true,
    };
    Ok(
        match revise::publication(store, &definition, known, terms, now).await? {
            Ok(new) => {
                let from = FromDraft {
                    version: draft.version,
                    over,
                    approvals,
                    scheduled,
                };
                Ok(Action::PublishDraft(new, from))
            }
            Err(no) => Err(no.into()),
        },
    )
}
