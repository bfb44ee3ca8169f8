//! The next revision, and the end of an edition: publish, rollback, purge. What may follow what is
//! `function::registry`'s to judge; whether an edition's time is over is judged here.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::header::IF_MATCH;
use axum::response::Response;
use campaign::law::Law;
use campaign::story::Report;
use campaign::{Diagnostics, Language};
use function::idempotency::Key;
use function::lang;
use function::problem::{Code, Problem, Words};
use function::registry::{self, Checked, LoadError, NotPublished, Sent, Terms};
use machine::Millis;
use machine::ids::Lane;
use machine::world::Action;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use store::Published;

use super::draft;
use super::find::{self, Definitions};
use super::gate::{Visit, json as answer};
use super::release::Part;
use super::row::utc;
use super::write::{WORDS_MOST, asked, change, change_because, invalid, refused};

/// How many files of stories may be sent.
const STORIES_MOST: usize = 16;

/// How many files of posters may be sent.
const POSTERS_MOST: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    document: Option<String>,
    stories: Option<Stories>,
    rules: Option<Rules>,
    posters: Option<Posters>,
    reason: Option<String>,
    share: Option<String>,
    #[serde(default)]
    one_way: bool,
}

/// Stories by their file's name.
pub(super) type Stories = BTreeMap<String, String>;

/// Texts of the rules by their language.
pub(super) type Rules = BTreeMap<String, String>;

/// Files of posters by their path from the tenant's folder, those that are no text in Base64.
pub(super) type Posters = BTreeMap<String, String>;

/// The same, as they are kept.
type Texts = Vec<(Arc<str>, Arc<str>)>;

/// Publishes a campaign: the document that was sent, checked against the server's own folder in its file's place, or that
/// file as it is; so with its rules. The folder stays as it is either way. With `If-Match: "N"` only over revision N; with a share
/// for that share of the users only. Its stories must come out as they say. A draft is published by [`draft::publish`]; where
/// changes are reviewed, nothing else is.
pub(super) async fn publish(visit: &Visit) -> Result<Response, Problem> {
    if visit.body.contains_key("draft") {
        return draft::publish(visit).await;
    }
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let Wanted {
        document,
        stories,
        rules,
        posters,
        reason,
        share,
        one_way,
    } = visit.body()?;
    let reason = sound_reason(reason)?;
    let part = Part::read(share.as_deref(), one_way)?;
    if visit.tenant.tenant.review.approvals > 0 {
        return Err(Problem::new(Code::NotPossible).saying(UNREVIEWED));
    }
    let sent = sent(document, stories, rules, posters)?;
    let published = visit.soon(visit.store().published()).await?;
    let definition = match checked(visit, &published, sent).await? {
        Checked::Sound(_, _, report) if report.failures.has_errors() => {
            return Err(red(visit, &report));
        }
        Checked::Sound(definition, _, _) => definition,
        Checked::Unsound(diagnostics) => return Err(unsound(visit, &diagnostics)),
        Checked::Missing => return Err(Problem::new(Code::NoSuchCampaign).saying(NO_FILE)),
    };
    let known = registry::edition(&published, visit.tenant_id(), &definition);
    expected(visit, known.map_or(0, |known| known.newest))?;
    let terms = terms(visit, reason.as_deref());
    if let Some(part) = part {
        let reason = reason.clone();
        return part
            .publish(visit, &key, &definition, known, terms, reason)
            .await;
    }
    let new = registry::publication(visit.store(), &definition, known, terms, visit.now);
    let new = visit.soon(new).await?.map_err(|no| not_published(&no))?;
    change_because(visit, &key, "publish", Action::Publish(new), reason).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    document: Option<String>,
    stories: Option<Stories>,
    rules: Option<Rules>,
    posters: Option<Posters>,
}

/// What a publish would do: everything there is to say about the document, what it changes, and what stands against it. Nothing
/// is changed by asking.
pub(super) async fn check(visit: &Visit) -> Result<Response, Problem> {
    let Nothing {} = visit.query()?;
    let Text {
        document,
        stories,
        rules,
        posters,
    } = visit.body()?;
    let sent = sent(document, stories, rules, posters)?;
    let published = visit.soon(visit.store().published()).await?;
    Ok(answer(&would(visit, &published, sent, visit.now).await?))
}

/// What a publish of these texts would do at a time.
pub(super) async fn would(
    visit: &Visit,
    published: &[Published],
    sent: Sent,
    now: Millis,
) -> Result<Json, Problem> {
    let (definition, diagnostics, report) = match checked(visit, published, sent).await? {
        Checked::Sound(definition, diagnostics, report) => (Some(definition), diagnostics, report),
        Checked::Unsound(diagnostics) => (None, diagnostics, Report::default()),
        Checked::Missing => return Err(Problem::new(Code::NoSuchCampaign).saying(NO_FILE)),
    };
    let green = !report.failures.has_errors();
    let mut found = json!({
        "ok": definition.is_some() && green,
        "diagnostics": told(visit, &diagnostics),
        "stories": {
            "played": report.played,
            "failed": report.failed,
            "diagnostics": told(visit, &report.failures),
        },
    });
    let Some(definition) = definition else {
        return Ok(found);
    };
    let known = registry::edition(published, visit.tenant_id(), &definition);
    let empty = function::pools::missing(visit.store(), &definition);
    let empty = visit.soon(empty).await?;
    found["empty_pools"] = json!(empty);
    found["edition"] = json!(definition.edition);
    found["revision"] = json!(known.map(|known| known.newest));
    if let Some(known) = known {
        let law = terms(visit, None).law;
        let judged = registry::judge(visit.store(), known, &definition, law, now);
        let judged = match visit.soon(judged).await? {
            Ok(judged) => judged,
            Err(error) => return Err(not_published(&error.into())),
        };
        let against: Vec<String> = judged.against.iter().map(ToString::to_string).collect();
        let forbidden = judged.forbids.is_some();
        found["ok"] = json!(green && against.is_empty() && !forbidden);
        found["changes"] = json!(judged.changes);
        found["against"] = json!(against);
        let asks = !judged.worse.is_empty() || !judged.rewords.is_empty();
        found["needs_reason"] = json!(asks && !forbidden);
        found["reworded"] = json!(!judged.rewords.is_empty());
        found["forbidden_by_law"] = json!(judged.forbids.map(Law::as_str));
    }
    Ok(found)
}

/// The texts, or the files of the folder, checked in their place.
pub(super) async fn checked(
    visit: &Visit,
    published: &[Published],
    sent: Sent,
) -> Result<Checked, Problem> {
    begun(visit, published).await?;
    let (tenant, campaign) = (visit.tenant_id(), visit.param("campaign"));
    let checked = visit.desk.registry.check(tenant, campaign, sent).await;
    checked.map_err(|error| unreadable(visit, error))
}

/// Refuses what is no campaign: one begins as a file of the folder, since what has none would be published and served by
/// nobody.
pub(super) async fn begun(visit: &Visit, published: &[Published]) -> Result<(), Problem> {
    let (tenant, campaign) = (visit.tenant_id(), visit.param("campaign"));
    let known = |found: &Published| *found.tenant == *tenant && *found.campaign == *campaign;
    if published.iter().any(known) || visit.desk.registry.has_file(tenant, campaign).await {
        return Ok(());
    }
    Err(Problem::new(Code::NoSuchCampaign))
}

/// What it means to the caller that the folder or the store can't be read.
pub(super) fn unreadable(visit: &Visit, error: LoadError) -> Problem {
    match error {
        LoadError::Store(error) => visit.store_failed(&error),
        LoadError::Folder(..)
        | LoadError::BundleFile(..)
        | LoadError::Bundle(..)
        | LoadError::NoParser(_) => {
            let request_id = &visit.request_id;
            tracing::error!(request_id, %error, "the folder can't be read");
            Problem::new(Code::Internal)
        }
    }
}

/// The texts of a body.
pub(super) fn sent(
    document: Option<String>,
    stories: Option<Stories>,
    rules: Option<Rules>,
    posters: Option<Posters>,
) -> Result<Sent, Problem> {
    sound_posters(posters.as_ref())?;
    let stories = stories.map(sound_stories).transpose()?;
    let document = document.map(Into::into);
    Ok(Sent {
        document,
        stories,
        rules,
        posters,
    })
}

/// Refuses files that can't be a poster's, and more of them than a revision carries.
pub(super) fn sound_posters(posters: Option<&Posters>) -> Result<(), Problem> {
    let Some(posters) = posters else {
        return Ok(());
    };
    if posters.len() > POSTERS_MOST || !posters.keys().all(|path| campaign::posters::is_file(path))
    {
        let problem =
            "at most 64 files, each under its path: {\"posters/streak.svg\": \"<svg ...\"}";
        return Err(invalid("/posters", problem));
    }
    Ok(())
}

/// Stories whose names can be a file's.
pub(super) fn sound_stories(stories: Stories) -> Result<Texts, Problem> {
    let is_name = |name: &String| {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=100).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(sound)
    };
    if stories.len() > STORIES_MOST || !stories.keys().all(is_name) {
        let problem = "at most 16 files, each under its name: {\"spring-wheel.yaml\": \"...\"}";
        return Err(invalid("/stories", problem));
    }
    let stories = stories.into_iter();
    Ok(stories
        .map(|(name, text)| (name.into(), text.into()))
        .collect())
}

/// Refuses where the caller has seen another revision as the newest than there is (`If-Match: "3"`; 0 before the first).
pub(super) fn expected(visit: &Visit, newest: u32) -> Result<(), Problem> {
    let Some(seen) = visit.parts.headers.get(IF_MATCH) else {
        return Ok(());
    };
    let seen = seen.to_str().unwrap_or_default();
    let number: Option<u32> = seen.trim().trim_matches('"').parse().ok();
    match number {
        Some(number) if number == newest => Ok(()),
        Some(_) => Err(Problem::new(Code::StalePage)
            .saying(MOVED)
            .with("revision", newest)),
        None => Err(Problem::new(Code::BadRequest).with(
            "problem",
            "If-Match names the newest revision that you have seen: \"3\"",
        )),
    }
}

fn terms<'a>(visit: &'a Visit, reason: Option<&'a str>) -> Terms<'a> {
    Terms {
        law: visit.tenant.tenant.law.as_deref(),
        reason,
        full_pools: true,
    }
}

/// A reason that says something, where there is one.
pub(super) fn sound_reason(reason: Option<String>) -> Result<Option<String>, Problem> {
    let fits = |words: &String| !words.trim().is_empty() && words.chars().count() <= WORDS_MOST;
    if reason.as_ref().is_none_or(fits) {
        Ok(reason)
    } else {
        Err(invalid("/reason", "1 to 500 characters"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Back {
    revision: u32,
    reason: Option<String>,
}

/// Makes an earlier revision's definition the next revision. It was live before: no stories are played (those in the folder
/// are of what came after it), and nobody need approve: like a pause, it is the way out when something is wrong now.
pub(super) async fn rollback(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Back { revision, reason } = visit.body()?;
    let reason = sound_reason(reason)?;
    expected(visit, found.newest)?;
    let terms = terms(visit, reason.as_deref());
    let action = registry::rollback(visit.store(), &found, revision, terms, visit.now);
    let action = visit.soon(action).await?;
    let action = action.map_err(|no| not_published(&no))?;
    change_because(visit, &key, "rollback", action, reason).await
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
    #[serde(default)]
    lane: Lane,
}

/// Removes an edition for good, when it has been over long enough; before that only by force and with a reason.
pub(super) async fn purge(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let asked: TheEdition = visit.query()?;
    if asked.lane == Lane::Test {
        return purge_test(visit, &key, asked.edition).await;
    }
    // The newest is a good guess for everything but this.
    let Some(edition) = asked.edition else {
        let problem = Problem::new(Code::BadRequest);
        return Err(problem.with("problem", "name the edition: ?edition=N"));
    };
    let End { reason, force } = visit.body()?;
    let reason = sound_reason(reason)?;
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Emptied {
    reason: Option<String>,
}

/// Empties the test lane: nobody's books, so there is nothing to wait for.
async fn purge_test(visit: &Visit, key: &Key, edition: Option<u32>) -> Result<Response, Problem> {
    let Emptied { reason } = visit.body()?;
    let reason = sound_reason(reason)?;
    let found = find::campaign(visit, visit.param("campaign"), edition).await?;
    let action = Action::PurgeTest {
        campaign: found.campaign.clone(),
        edition: found.edition,
        reason: reason.map(Into::into),
    };
    change(visit, key, "purge-test", action).await
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
    Ok(Some(last.saturating_add(visit.tenant.tenant.kept_ms())))
}

/// What is wrong with stories: the first that came out differently, and how; then all of them, place by place.
pub(super) fn red(visit: &Visit, report: &Report) -> Problem {
    let story = registry::first_red(report).and_then(|(story, _)| story);
    Problem::new(Code::InvalidPayload)
        .saying(RED)
        .with("story", story)
        .with("problem", registry::red(report))
        .with("diagnostics", told(visit, &report.failures))
}

/// What is wrong with a file, place by place.
pub(super) fn unsound(visit: &Visit, diagnostics: &Diagnostics) -> Problem {
    Problem::new(Code::InvalidPayload)
        .saying(UNSOUND)
        .with("diagnostics", told(visit, diagnostics))
}

/// Diagnostics in the language that the caller asks for.
pub(super) fn told(visit: &Visit, diagnostics: &Diagnostics) -> Json {
    let spoken = [Language::English, Language::Chinese];
    let tags = spoken.map(|language| language.tag().to_owned());
    let tag = lang::pick(None, &visit.parts.headers, &tags, Language::English.tag());
    let language = Language::of(tag).unwrap_or_default();
    diagnostics.in_language(language).to_json()
}

pub(super) fn not_published(no: &NotPublished) -> Problem {
    match no {
        NotPublished::Refused(no) => refused(no),
        NotPublished::Stranded { against, .. } => {
            let against: Vec<_> = against.iter().map(ToString::to_string).collect();
            Problem::new(Code::NotPossible)
                .saying(STRANDED)
                .with("problem", no.to_string())
                .with("against", against)
        }
        NotPublished::Worsens { changes, law, .. } => Problem::new(Code::NotPossible)
            .saying(if law.is_some() { FORBIDDEN } else { WORSENS })
            .with("problem", no.to_string())
            .with("changes", json!(changes)),
        NotPublished::Rewords { changes, .. } => Problem::new(Code::NotPossible)
            .saying(REWORDS)
            .with("problem", no.to_string())
            .with("changes", json!(changes)),
        NotPublished::NoWayBack { against, .. } | NotPublished::OneWay { against, .. } => {
            let against: Vec<_> = against.iter().map(ToString::to_string).collect();
            Problem::new(Code::NotPossible)
                .saying(ONE_WAY)
                .with("problem", no.to_string())
                .with("against", against)
        }
        NotPublished::Apart { changes, .. } => Problem::new(Code::NotPossible)
            .saying(APART)
            .with("problem", no.to_string())
            .with("changes", json!(changes)),
        NotPublished::EmptyPools(pools) => Problem::new(Code::NotPossible)
            .saying(NO_CODES)
            .with("problem", no.to_string())
            .with("pools", json!(pools)),
        NotPublished::Before(_)
        | NotPublished::Unreadable(_)
        | NotPublished::Replaced { .. }
        | NotPublished::Shared { .. }
        | NotPublished::TakenBack(_)
        | NotPublished::Unreviewed(_) => {
            Problem::new(Code::NotPossible).with("problem", no.to_string())
        }
        NotPublished::NoRandomness => Problem::new(Code::Internal),
    }
}

const UNSOUND: Words = Words {
    en: "The campaign's file has errors; nothing was published.",
    zh: "活动配置有误，未发布。",
};

const NO_CODES: Words = Words {
    en: "A reward takes its codes from a pool without codes: put some first. Nothing was published.",
    zh: "有奖品使用的兑换码库中没有兑换码，请先导入。未发布。",
};

const STRANDED: Words = Words {
    en: "This revision cannot follow the one that is live; nothing was published.",
    zh: "该版本不能接替当前版本，未发布。",
};

const WORSENS: Words = Words {
    en: "Users were promised more than this; say why (`reason`), and it is published. Nothing was published.",
    zh: "该版本低于已向用户公布的承诺，请填写原因（reason）后再发布。本次未发布。",
};

const REWORDS: Words = Words {
    en: "The rules that users rely on read differently: say why they lose nothing by it (`reason`), and it is published. Nothing was published.",
    zh: "用户所依据的规则正文有改动，请说明为何不损害用户利益（reason）后再发布。本次未发布。",
};

const FORBIDDEN: Words = Words {
    en: "Users were promised more than this, and the law forbids to take it back while the campaign is open. Nothing was published.",
    zh: "该版本低于已向用户公布的承诺，依法不得在活动期间变更。本次未发布。",
};

const RED: Words = Words {
    en: "A story of the campaign comes out differently; nothing was published.",
    zh: "活动的用例未通过，未发布。",
};

const UNREVIEWED: Words = Words {
    en: "Changes of this tenant are reviewed: save it as a draft, have it approved, and publish the draft. Nothing was published.",
    zh: "该租户的变更需经审核：请先保存草稿，经他人批准后再发布草稿。本次未发布。",
};

const ONE_WAY: Words = Words {
    en: "The revision before has no place for what participants of this one may be in or were given. Nothing was changed.",
    zh: "旧版本无法承接新版本中的用户状态或已发放的奖励，未作任何更改。",
};

const APART: Words = Words {
    en: "Two revisions that are live at once must promise users the same; nothing was published.",
    zh: "同时生效的两个版本对用户的承诺必须一致，未发布。",
};

const MOVED: Words = Words {
    en: "Someone has published since you looked; look again. Nothing was published.",
    zh: "在您查看之后已有新版本发布，请刷新后重试。本次未发布。",
};

pub(super) const NO_FILE: Words = Words {
    en: "The campaign has no file on the server; send one as `document`.",
    zh: "服务器上没有该活动的配置文件，请通过 document 提交。",
};

const KEPT: Words = Words {
    en: "The books of this edition must still be kept; with `force` and a reason they can be purged all the same.",
    zh: "该期活动的数据仍在保存期内；如需清除，请使用 force 并说明原因。",
};
