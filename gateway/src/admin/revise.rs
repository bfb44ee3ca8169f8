//! The next revision, and the end of an edition: publish, rollback, purge. What may follow what is
//! `function::registry`'s to judge; whether an edition's time is over is judged here.

use axum::response::Response;
use campaign::{Diagnostics, Language};
use function::idempotency::Key;
use function::lang;
use function::problem::{Code, Problem, Words};
use function::registry::{self, Checked, LoadError, NotPublished};
use machine::Millis;
use machine::calendar::HOUR_MS;
use machine::world::Action;
use serde::Deserialize;
use store::Published;

use super::find::Definitions;
use super::gate::Visit;
use super::row::utc;
use super::write::{WORDS_MOST, asked, change, invalid, refused};

/// How long an edition's books are kept after its last claim, in milliseconds: two years, as prize draws are to be
/// archived.
const RETENTION_MS: Millis = 2 * 366 * 24 * HOUR_MS;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    document: Option<String>,
}

/// Publishes a campaign: the document that was sent, checked against the server's own folder in its file's place, or that
/// file as it is. The folder stays as it is either way.
pub(super) async fn publish(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let Document { document } = visit.body()?;
    let (tenant, campaign) = (visit.tenant_id(), visit.param("campaign"));
    let published = visit.soon(visit.store().published()).await?;
    let check = |document| visit.desk.registry.check(tenant, campaign, document);
    let unreadable = |error: LoadError| match error {
        LoadError::Store(error) => visit.store_failed(&error),
        LoadError::Folder(..)
        | LoadError::BundleFile(..)
        | LoadError::Bundle(..)
        | LoadError::NoParser(_) => {
            let request_id = &visit.request_id;
            tracing::error!(request_id, %error, "the folder can't be read");
            Problem::new(Code::Internal)
        }
    };
    let known = |found: &&Published| *found.tenant == *tenant && *found.campaign == *campaign;
    // A campaign begins as a file of the folder: what has none would be published and served by nobody.
    let begun = published.iter().any(|found| known(&found))
        || !matches!(check(None).await.map_err(unreadable)?, Checked::Missing);
    if !begun {
        return Err(Problem::new(Code::NoSuchCampaign));
    }
    let definition = match check(document.as_deref()).await.map_err(unreadable)? {
        Checked::Sound(definition) => definition,
        Checked::Unsound(diagnostics) => return Err(unsound(visit, &diagnostics)),
        Checked::Missing => return Err(Problem::new(Code::NoSuchCampaign).saying(NO_FILE)),
    };
    let known = registry::edition(&published, tenant, &definition);
    let action = visit
        .soon(registry::publication(
            visit.store(),
            tenant,
            &definition,
            known,
            visit.now,
        ))
        .await?;
    let action = action.map_err(|no| not_published(&no))?;
    change(visit, &key, "publish", action).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Back {
    revision: u32,
}

/// Makes an earlier revision's definition the next revision.
pub(super) async fn rollback(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Back { revision } = visit.body()?;
    let action = registry::rollback(visit.store(), &found, revision, visit.now);
    let action = visit.soon(action).await?;
    let action = action.map_err(|no| not_published(&no))?;
    change(visit, &key, "rollback", action).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    reason: Option<String>,
    #[serde(default)]
    force: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TheEdition {
    edition: Option<u32>,
}

/// Removes an edition for good, when it has been over long enough; before that only by force and with a reason.
pub(super) async fn purge(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let asked: TheEdition = visit.query()?;
    // The newest is a good guess for everything but this.
    let Some(edition) = asked.edition else {
        let problem = Problem::new(Code::BadRequest);
        return Err(problem.with("problem", "name the edition: ?edition=N"));
    };
    let End { reason, force } = visit.body()?;
    let fits = |words: &String| !words.trim().is_empty() && words.chars().count() <= WORDS_MOST;
    if !reason.as_ref().is_none_or(fits) {
        return Err(invalid("/reason", "1 to 500 characters"));
    }
    if force && reason.is_none() {
        return Err(invalid("/reason", "what is forced needs a reason"));
    }
    let campaign = visit.param("campaign");
    let published = visit.soon(visit.store().published()).await?;
    let found = published.iter().find(|found| {
        *found.tenant == *visit.tenant_id()
            && *found.campaign == *campaign
            && found.edition == edition
    });
    // One that is gone already is the store's to tell from one that never was.
    if let (Some(found), false) = (found, force) {
        let until = kept_until(visit, found).await?;
        if until.is_none_or(|until| visit.now < until) {
            let problem = Problem::new(Code::NotPossible).saying(KEPT);
            return Err(problem.with("kept_until", until.map(utc)));
        }
    }
    let action = Action::Purge {
        campaign: campaign.into(),
        edition,
        reason: reason.map(Into::into),
    };
    change(visit, &key, "purge", action).await
}

/// Until when an edition's books are kept: by the longest window that any of its revisions had. None: one can't be read,
/// and what can't be read can't be known to be over.
async fn kept_until(visit: &Visit, found: &Published) -> Result<Option<Millis>, Problem> {
    let mut definitions = Definitions::new(visit);
    let mut last = Millis::MIN;
    for number in 1..=found.newest {
        let definition = definitions.of(&found.campaign, found.edition, number);
        let Some(definition) = visit.soon(definition).await? else {
            return Ok(None);
        };
        last = last.max(definition.window.claim_until);
    }
    Ok(Some(last.saturating_add(RETENTION_MS)))
}

/// What is wrong with a file, place by place, in the language that the caller asks for.
fn unsound(visit: &Visit, diagnostics: &Diagnostics) -> Problem {
    let spoken = [Language::English, Language::Chinese];
    let tags = spoken.map(|language| language.tag().to_owned());
    let tag = lang::pick(None, &visit.parts.headers, &tags, Language::English.tag());
    let language = Language::of(tag).unwrap_or_default();
    let diagnostics = diagnostics.in_language(language);
    Problem::new(Code::InvalidPayload)
        .saying(UNSOUND)
        .with("diagnostics", diagnostics.to_json())
}

fn not_published(no: &NotPublished) -> Problem {
    match no {
        NotPublished::Refused(no) => refused(no),
        NotPublished::Stranded { against, .. } => {
            let against: Vec<_> = against.iter().map(ToString::to_string).collect();
            Problem::new(Code::NotPossible)
                .saying(STRANDED)
                .with("problem", no.to_string())
                .with("against", against)
        }
        NotPublished::Before(_) | NotPublished::Unreadable(_) | NotPublished::Replaced { .. } => {
            Problem::new(Code::NotPossible).with("problem", no.to_string())
        }
        NotPublished::NoRandomness => Problem::new(Code::Internal),
    }
}

const UNSOUND: Words = Words {
    en: "The campaign's file has errors; nothing was published.",
    zh: "活动配置有误，未发布。",
};

const STRANDED: Words = Words {
    en: "This revision cannot follow the one that is live; nothing was published.",
    zh: "该版本不能接替当前版本，未发布。",
};

const NO_FILE: Words = Words {
    en: "The campaign has no file on the server; send one as `document`.",
    zh: "服务器上没有该活动的配置文件，请通过 document 提交。",
};

const KEPT: Words = Words {
    en: "The books of this edition must still be kept; with `force` and a reason they can be purged all the same.",
    zh: "该期活动的数据仍在保存期内；如需清除，请使用 force 并说明原因。",
};
