//! A campaign's draft: shown, written, dropped, published now or at a time. Whether it may be published is
//! `function::registry`'s to judge; who approves of it is said in `review`.

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::response::Response;
use chrono::DateTime;
use function::idempotency::Key;
use function::problem::{Code, Problem, Words};
use function::registry::{self, DraftRefused, Sent};
use machine::Millis;
use machine::world::{
    Action, AdminOutcome, Base, DRAFT_BYTES, Done, Draft, DraftDeed, DraftText, Opinion, Refused,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use store::Published;

use super::gate::{Visit, json as answer};
use super::revise::{
    self, NO_FILE, Nothing, Posters, Rules, Stories, begun, not_published, red, sound_posters,
    sound_reason, sound_stories, unreadable, unsound, would,
};
use super::row::utc;
use super::write::{answered, carry_out, invalid, replayed};

/// The draft with all that there is to say about it, and what is live.
pub(super) async fn show(visit: &Visit) -> Result<Response, Problem> {
    let Nothing {} = visit.query()?;
    let published = visit.soon(visit.store().published()).await?;
    let draft = current(visit).await?;
    if draft.is_none() {
        begun(visit, &published).await?;
    }
    let newest = newest(visit, &published);
    let mut found = json!({
        "campaign": visit.param("campaign"),
        "live": live(visit, &published, newest).await?,
        "approvals_needed": visit.tenant.tenant.review.approvals,
        "draft": null,
    });
    let Some(draft) = draft else {
        return Ok(answer(&found));
    };
    found["draft"] = shown(&draft);
    let judged = judged(visit, &published, &draft, newest).await?;
    if let Some(draft) = found["draft"].as_object_mut() {
        draft.extend(judged);
    }
    Ok(tagged(answer(&found), draft.version))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Save {
    yaml: String,
    stories: Option<Stories>,
    rules: Option<Rules>,
    posters: Option<Posters>,
    base: Option<Base>,
}

/// Writes the draft: what was sent, errors and all. Over the version in `If-Match`; without one there must be none yet.
pub(super) async fn save(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let Save {
        yaml,
        stories,
        rules,
        posters,
        base,
    } = visit.body()?;
    let rules = if let Some(rules) = rules {
        let owned = |(language, text): (String, String)| (language.into(), text.into());
        Some(rules.into_iter().map(owned).collect())
    } else {
        // What others approve of must not change with a file of the folder.
        let rules = visit.desk.registry.rules(visit.tenant_id(), &yaml).await;
        rules.map_err(|error| unreadable(visit, error))?
    };
    sound_posters(posters.as_ref())?;
    let posters = if let Some(posters) = posters {
        let owned = |(path, text): (String, String)| (path.into(), text.into());
        Some(posters.into_iter().map(owned).collect())
    } else {
        let posters = visit.desk.registry.posters(visit.tenant_id(), &yaml).await;
        posters.map_err(|error| unreadable(visit, error))?
    };
    let text = DraftText {
        document: yaml.into(),
        stories: stories.map(sound_stories).transpose()?,
        rules,
        posters,
    };
    if !text.fits() {
        return Err(Problem::new(Code::PayloadTooLarge).with("limit_bytes", DRAFT_BYTES));
    }
    let over = over(visit)?;
    let published = visit.soon(visit.store().published()).await?;
    begun(visit, &published).await?;
    let newest = newest(visit, &published);
    let base = match base {
        Some(base) if (base.edition, base.revision) <= (newest.edition, newest.revision) => base,
        Some(_) => return Err(invalid("/base", "a revision that there is")),
        // What a draft was written over changes only where somebody says that they have looked.
        None => current(visit).await?.map_or(newest, |draft| draft.base),
    };
    let text = Arc::new(text);
    let deed = DraftDeed::Save {
        over,
        base,
        text: text.clone(),
    };
    let what = format!("draft {}", visit.param("campaign"));
    let (done, repeat) = match carry_out(visit, &key, &what, of(visit, deed), None).await? {
        AdminOutcome::Done(done) => (done, false),
        AdminOutcome::Replayed(known) => match serde_json::from_slice::<Done>(&known) {
            Ok(done) => (done, true),
            Err(_) => return Err(Problem::new(Code::IdempotencyKeyReused)),
        },
        AdminOutcome::Refused(Refused::DraftMoved(..) | Refused::NoSuchDraft(_)) => {
            return Err(stale(visit, over == 0).await?);
        }
        other => return answered(other),
    };
    let version = done.draft.unwrap_or_default();
    let mut told = json!({ "draft": version, "audit": done.audit, "base": base, "base_is_newest": base == newest });
    let found = looked(visit, &published, &text, visit.now).await?;
    if let Some(told) = told.as_object_mut() {
        told.extend(found);
    }
    let response = tagged(answer(&told), version);
    Ok(if repeat { replayed(response) } else { response })
}

/// Drops the draft of the version in `If-Match`.
pub(super) async fn discard(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let version = seen(visit)?;
    deed(visit, &key, "drop", DraftDeed::Drop { version }, None).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Publish {
    draft: u64,
    at: Option<String>,
    reason: Option<String>,
}

/// Publishes the draft of just this version and drops it, or has that done at a time.
pub(super) async fn publish(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let Publish { draft, at, reason } = visit.body()?;
    let reason = sound_reason(reason)?;
    let at = at.as_deref().map(|at| time(at, visit.now)).transpose()?;
    let what = format!("publish {}", visit.param("campaign"));
    let version = draft;
    let found = current(visit).await?;
    let Some(draft) = found.filter(|found| found.version == version) else {
        // A version never comes back, so that this can't be done: the store answers a repeat, or says no.
        let (campaign, at) = (visit.param("campaign").into(), None);
        let deed = DraftDeed::Schedule { version, at };
        let action = Action::Draft { campaign, deed };
        return match carry_out(visit, &key, &what, action, None).await? {
            AdminOutcome::Refused(_) => Err(stale(visit, false).await?),
            other => answered(other),
        };
    };
    let published = visit.soon(visit.store().published()).await?;
    begun(visit, &published).await?;
    revise::expected(visit, newest(visit, &published).revision)?;
    let (registry, tenant) = (&visit.desk.registry, &visit.tenant.tenant);
    let how = (None, reason.as_deref());
    // What is to be published at a time is judged as of then; and once more when it has come.
    let now = at.unwrap_or(visit.now);
    let judged =
        registry::draft_publication(registry, visit.store(), tenant, &draft, how, now).await;
    let action = judged
        .map_err(|error| unreadable(visit, error))?
        .map_err(|no| refused(visit, &no))?;
    let action = match at {
        None => action,
        at => of(visit, DraftDeed::Schedule { version, at }),
    };
    answered(carry_out(visit, &key, &what, action, reason).await?)
}

/// Takes back that the draft of the version in `If-Match` is published at a time.
pub(super) async fn cancel(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let (version, at) = (seen(visit)?, None);
    let cancel = DraftDeed::Schedule { version, at };
    deed(visit, &key, "cancel", cancel, None).await
}

/// Does something with the draft, and tells of it.
pub(super) async fn deed(
    visit: &Visit,
    key: &Key,
    what: &str,
    deed: DraftDeed,
    why: Option<String>,
) -> Result<Response, Problem> {
    let what = format!("{what} {}", visit.param("campaign"));
    match carry_out(visit, key, &what, of(visit, deed), why).await? {
        AdminOutcome::Refused(Refused::DraftMoved(..)) => Err(stale(visit, false).await?),
        other => answered(other),
    }
}

fn of(visit: &Visit, deed: DraftDeed) -> Action {
    let campaign = visit.param("campaign").into();
    Action::Draft { campaign, deed }
}

async fn current(visit: &Visit) -> Result<Option<Draft>, Problem> {
    let (tenant, campaign) = (visit.tenant_id(), visit.param("campaign"));
    visit.soon(visit.store().draft(tenant, campaign)).await
}

fn newest(visit: &Visit, published: &[Published]) -> Base {
    registry::newest(published, visit.tenant_id(), visit.param("campaign"))
}

/// Over which version an edit is made; 0: there must be none.
fn over(visit: &Visit) -> Result<u64, Problem> {
    let headers = &visit.parts.headers;
    if headers.contains_key(IF_MATCH) {
        return seen(visit);
    }
    match headers.get(IF_NONE_MATCH) {
        None => Ok(0),
        Some(any) if any.as_bytes().trim_ascii() == b"*" => Ok(0),
        Some(_) => {
            let problem = "If-None-Match: * begins a draft; If-Match names the version to edit";
            Err(Problem::new(Code::BadRequest).with("problem", problem))
        }
    }
}

/// The version in `If-Match`.
fn seen(visit: &Visit) -> Result<u64, Problem> {
    let tag = visit.parts.headers.get(IF_MATCH);
    let tag = tag.and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    let number = tag.trim().trim_matches('"').parse().ok();
    number.filter(|number| *number > 0).ok_or_else(|| {
        let problem = "If-Match names the draft's version that you have seen: \"3\"";
        Problem::new(Code::BadRequest).with("problem", problem)
    })
}

/// A time to come.
fn time(text: &str, now: Millis) -> Result<Millis, Problem> {
    let at = DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    at.ok().filter(|at| *at > now).ok_or_else(|| {
        let problem = "a time to come as RFC 3339, such as 2026-12-01T10:00:00+08:00";
        invalid("/at", problem)
    })
}

fn tagged(mut response: Response, version: u64) -> Response {
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The caller has seen another draft than there is: this one, so that nothing that anybody wrote is lost.
async fn stale(visit: &Visit, begins: bool) -> Result<Problem, Problem> {
    let draft = current(visit).await?;
    let words = match (&draft, begins) {
        (None, _) => GONE,
        (Some(_), true) => THERE,
        (Some(_), false) => STALE,
    };
    let problem = Problem::new(Code::StalePage)
        .saying(words)
        .with("draft", draft.as_ref().map(shown));
    let tag = draft.map(|draft| HeaderValue::try_from(format!("\"{}\"", draft.version)));
    Ok(match tag {
        Some(Ok(tag)) => problem.header(ETAG, tag),
        _ => problem,
    })
}

/// A draft as it is kept.
fn shown(draft: &Draft) -> Json {
    let text = |(name, text): &(Arc<str>, Arc<str>)| (name.to_string(), json!(text));
    let texts = |texts: &Vec<_>| texts.iter().map(text).collect::<Map<_, _>>();
    let opinion = |opinion: &Opinion| {
        json!({
            "by": opinion.by, "at": utc(opinion.at), "draft": opinion.version, "comment": opinion.comment,
        })
    };
    let opinions = |all: &[Opinion]| all.iter().map(opinion).collect::<Vec<_>>();
    json!({
        "version": draft.version,
        "base": draft.base,
        "by": draft.by,
        "at": utc(draft.at),
        "authors": draft.authors,
        "yaml": draft.text.document,
        "stories": draft.text.stories.as_ref().map(texts),
        "rules": draft.text.rules.as_ref().map(texts),
        "posters": draft.text.posters.as_ref().map(texts),
        "approvals": opinions(&draft.approvals),
        "objections": opinions(&draft.objections),
        "schedule": draft.schedule.as_ref().map(|schedule| {
            json!({ "at": utc(schedule.at), "by": schedule.by, "reason": schedule.reason })
        }),
        "missed": draft.missed.as_ref().map(|missed| {
            json!({ "scheduled": utc(missed.scheduled), "at": utc(missed.at), "why": missed.why })
        }),
    })
}

/// What a publish of a draft would do, at the time for which it is to be.
async fn judged(
    visit: &Visit,
    published: &[Published],
    draft: &Draft,
    newest: Base,
) -> Result<Map<String, Json>, Problem> {
    let now = draft
        .schedule
        .as_ref()
        .map_or(visit.now, |schedule| schedule.at.max(visit.now));
    let mut found = looked(visit, published, &draft.text, now).await?;
    let approvals = visit.tenant.tenant.review.approvals;
    let waits = draft.stands_against(approvals).map(|no| no.to_string());
    found.insert("base_is_newest".to_owned(), json!(draft.base == newest));
    found.insert("waits_for".to_owned(), json!(waits));
    Ok(found)
}

/// What a publish of a text would do; nothing is known of it where the tenant's folder is not on this machine.
async fn looked(
    visit: &Visit,
    published: &[Published],
    text: &DraftText,
    now: Millis,
) -> Result<Map<String, Json>, Problem> {
    if !visit.desk.registry.can_check() {
        return Ok(Map::new());
    }
    Ok(
        match would(visit, published, Sent::from(text), now).await? {
            Json::Object(found) => found,
            _ => Map::new(),
        },
    )
}

/// The newest revision, whoever is served it.
async fn live(visit: &Visit, published: &[Published], newest: Base) -> Result<Json, Problem> {
    let (tenant, campaign) = (visit.tenant_id(), visit.param("campaign"));
    let Base { edition, revision } = newest;
    let Some(known) = published.iter().find(|known| {
        *known.tenant == *tenant && *known.campaign == *campaign && known.edition == edition
    }) else {
        return Ok(Json::Null);
    };
    let found = visit.store().revision(tenant, campaign, edition, revision);
    let found = visit.soon(found).await?;
    Ok(json!({
        "edition": edition,
        "revision": revision,
        "by": found.as_ref().map(|found| &found.by),
        "at": found.as_ref().map(|found| utc(found.at)),
        "paused": known.pause.is_some(),
    }))
}

/// Why a draft is not published.
fn refused(visit: &Visit, no: &DraftRefused) -> Problem {
    match no {
        DraftRefused::Unsound(found) => unsound(visit, found),
        DraftRefused::Red(report) => red(visit, report),
        DraftRefused::Missing => Problem::new(Code::NoSuchCampaign).saying(NO_FILE),
        DraftRefused::Moved { base, newest } => Problem::new(Code::NotPossible)
            .saying(MOVED)
            .with("problem", no.to_string())
            .with("base", json!(base))
            .with("newest", json!(newest)),
        DraftRefused::Past { .. } => {
            Problem::new(Code::NotPossible).with("problem", no.to_string())
        }
        DraftRefused::No(no) => not_published(no),
    }
}

const STALE: Words = Words {
    en: "Somebody has edited the draft since you looked. It is in this answer (`draft`); nothing was overwritten.",
    zh: "在您查看之后草稿已被他人修改，最新草稿见 draft 字段。本次未覆盖任何内容。",
};

const THERE: Words = Words {
    en: "The campaign has a draft already. It is in this answer (`draft`): edit it with its version in If-Match. Nothing was overwritten.",
    zh: "该活动已有草稿，见 draft 字段；如需修改，请在 If-Match 中注明其版本。本次未覆盖任何内容。",
};

const GONE: Words = Words {
    en: "There is no such draft any more: it was published or dropped.",
    zh: "该草稿已不存在：已发布或已删除。",
};

const MOVED: Words = Words {
    en: "Somebody has published since the draft was written. Look at what it changes now (GET of the campaign), and save it again with the newest revision as `base`. Nothing was published.",
    zh: "草稿编写之后已有新版本发布。请查看其当前改动，并以最新版本为 base 重新保存。本次未发布。",
};
