//! What staff change. Each change carries its caller's name and key: the store books it in the audit, and answers a
//! repeat with the very bytes of the first answer.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use chrono::DateTime;
use function::fingerprint::Fingerprint;
use function::http::CALL_TIMEOUT;
use function::idempotency::Key;
use function::problem::{Code, Problem, Words};
use machine::Millis;
use machine::ids::Lane;
use machine::world::{Action, Admin, AdminOutcome, Measure, Pause, Refused};
use serde::Deserialize;
use store::Published;

use super::find::{self, Definitions};
use super::gate::{SCAN_TIMEOUT, Visit, bytes};

/// The longest reason and the longest notice, in characters.
pub(super) const WORDS_MOST: usize = 500;

/// How far the test lane's clock can be moved either way, in seconds: ten years.
const OFFSET_MOST_SECS: i64 = 10 * 366 * 86_400;

pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfEdition {
    edition: Option<u32>,
}

/// The campaign that a change is for, and the caller's key. The key comes first: a call without one is not looked at.
pub(super) async fn asked(visit: &Visit) -> Result<(Key, Published), Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let asked: OfEdition = visit.query()?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    Ok((key, found))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stock {
    reward: String,
    add: Option<u32>,
    withdraw: Option<Withdraw>,
    #[serde(default)]
    lane: Lane,
}

/// So many units, or all that are left.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Withdraw {
    Units(u32),
    All(All),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum All {
    All,
}

/// More units of a reward, or fewer; never fewer than are gone.
pub(super) async fn stock(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let stock: Stock = visit.body()?;
    let (campaign, edition, lane) = (found.campaign.clone(), found.edition, stock.lane);
    let newest = visit.soon(Definitions::new(visit).newest(&found)).await?;
    if stock.add.is_some() && find::takes_codes(newest.as_deref(), &stock.reward) {
        return Err(invalid(
            "/reward",
            "its units are the codes of a pool: put more codes into that (`gala codes put`), or publish another `stock`",
        ));
    }
    let reward = stock.reward.into();
    let action = match (stock.add, stock.withdraw) {
        (Some(0), None) => return Err(invalid("/add", "at least 1")),
        (None, Some(Withdraw::Units(0))) => {
            return Err(invalid("/withdraw", "at least 1, or \"all\""));
        }
        (Some(add), None) => Action::AddStock {
            campaign,
            edition,
            lane,
            reward,
            add,
        },
        (None, Some(withdraw)) => Action::Measure(Measure::Withdraw {
            campaign,
            edition,
            lane,
            reward,
            units: match withdraw {
                Withdraw::Units(units) => Some(units),
                Withdraw::All(All::All) => None,
            },
        }),
        (Some(_), Some(_)) | (None, None) => {
            return Err(invalid("/add", "either `add` or `withdraw`"));
        }
    };
    change(visit, &key, "stock", action).await
}

/// A stop as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    reason: String,
    notice: Option<String>,
    until: Option<String>,
    pub event: Option<String>,
}

impl Stop {
    /// What it says, if it can be said.
    pub fn read(self) -> Result<Pause, Problem> {
        words("/reason", &self.reason)?;
        if let Some(notice) = &self.notice {
            words("/notice", notice)?;
        }
        let until = instant("/until", self.until.as_deref())?;
        Ok(Pause {
            reason: self.reason,
            notice: self.notice,
            until,
            event: self.event.map(Arc::from),
        })
    }
}

/// Words that say something, and not too many.
pub(super) fn words(pointer: &str, words: &str) -> Result<(), Problem> {
    if words.trim().is_empty() || words.chars().count() > WORDS_MOST {
        return Err(invalid(pointer, "1 to 500 characters"));
    }
    Ok(())
}

/// A time, where there is one.
pub(super) fn instant(pointer: &str, text: Option<&str>) -> Result<Option<Millis>, Problem> {
    let read = |text| DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    text.map(read).transpose().map_err(|_| {
        invalid(
            pointer,
            "a time as RFC 3339, such as 2026-12-01T10:00:00+08:00",
        )
    })
}

/// A stop of the live lane, or of one event.
pub(super) async fn pause(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let stop: Stop = visit.body()?;
    let pause = stop.read()?;
    if let Some(event) = &pause.event {
        let definition = visit.soon(Definitions::new(visit).newest(&found)).await?;
        let knows = definition
            .is_some_and(|definition| definition.events.iter().any(|known| known.name == *event));
        if !knows {
            return Err(invalid("/event", "an event of this campaign"));
        }
    }
    let action = Action::Pause {
        campaign: found.campaign.clone(),
        edition: found.edition,
        pause,
    };
    change(visit, &key, "pause", action).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The end of a stop.
pub(super) async fn resume(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Nothing {} = visit.body()?;
    let action = Action::Resume {
        campaign: found.campaign.clone(),
        edition: found.edition,
    };
    change(visit, &key, "resume", action).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    offset_secs: i64,
}

/// The test lane's clock, so far from the real one.
pub(super) async fn move_clock(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Clock { offset_secs } = visit.body()?;
    if !(-OFFSET_MOST_SECS..=OFFSET_MOST_SECS).contains(&offset_secs) {
        return Err(invalid("/offset_secs", "within ten years of now"));
    }
    let action = Action::MoveClock {
        campaign: found.campaign.clone(),
        edition: found.edition,
        offset: offset_secs * 1000,
    };
    change(visit, &key, "clock", action).await
}

pub(super) fn invalid(pointer: &str, problem: &str) -> Problem {
    Problem::new(Code::InvalidPayload)
        .with("pointer", pointer)
        .with("problem", problem)
}

/// Has the store do it, and this process serve what is so then.
pub(super) async fn change(
    visit: &Visit,
    key: &Key,
    what: &str,
    action: Action,
) -> Result<Response, Problem> {
    change_because(visit, key, what, action, None).await
}

/// As [`change`], with a reason for the audit.
pub(super) async fn change_because(
    visit: &Visit,
    key: &Key,
    what: &str,
    action: Action,
    why: Option<String>,
) -> Result<Response, Problem> {
    let subject = action
        .campaign()
        .map_or_else(String::new, |(campaign, edition)| {
            format!("{campaign}/{edition}")
        });
    let what = format!("{what} {subject}");
    answered(carry_out(visit, key, &what, action, why).await?)
}

/// Has the store do it, and this process serve what is so then; `what` and the body are what the key is used for.
pub(super) async fn carry_out(
    visit: &Visit,
    key: &Key,
    what: &str,
    action: Action,
    why: Option<String>,
) -> Result<AdminOutcome, Problem> {
    let fingerprint = Fingerprint::of(what, &visit.body);
    // What goes through all of an edition, or all campaigns of a tenant, takes longer than a call.
    let most = match action {
        Action::Purge { .. } | Action::PurgeTest { .. } | Action::Measure(_) => SCAN_TIMEOUT,
        _ => CALL_TIMEOUT,
    };
    let admin = Admin {
        tenant: visit.tenant_id().into(),
        by: visit.by.as_str().into(),
        at: visit.now,
        key: Some((key.as_str().into(), *fingerprint.as_bytes())),
        action,
        why: why.map(Into::into),
    };
    let is_draft = matches!(admin.action, Action::PublishDraft(..));
    // In a task of its own: a caller that goes away stops nothing half-way.
    let (store, registry) = (visit.desk.store.clone(), visit.desk.registry.clone());
    let work = tokio::spawn(async move {
        let outcome = store.admin(Box::new(admin)).await?;
        if is_draft && matches!(outcome, AdminOutcome::Done(_)) {
            // The file that it was made of is no news any more.
            registry.look_again();
        }
        if matches!(outcome, AdminOutcome::Done(_))
            && let Err(error) = registry.refresh().await
        {
            // It is done all the same: the next look, or the next commit, brings it.
            tracing::warn!(%error, "what staff changed is not served by this process yet");
        }
        Ok(outcome)
    });
    let outcome: Result<Result<Result<_, store::Error>, _>, _> =
        tokio::time::timeout(most, work).await;
    let Ok(Ok(outcome)) = outcome else {
        return Err(Problem::new(Code::OutcomeUnknown));
    };
    outcome.map_err(|error| visit.store_failed(&error))
}

/// What an outcome means to the caller.
pub(super) fn answered(outcome: AdminOutcome) -> Result<Response, Problem> {
    match outcome {
        // The bytes that the store remembers for this key.
        AdminOutcome::Done(done) => Ok(bytes(serde_json::to_vec(&done).unwrap_or_default())),
        AdminOutcome::Replayed(answer) => {
            Ok(replayed(bytes(axum::body::Bytes::from_owner(answer))))
        }
        // It is so already: nothing was done, and nothing is booked.
        AdminOutcome::Already => Ok(bytes(r#"{"audit":null,"revision":null,"ceiling":null}"#)),
        AdminOutcome::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
        AdminOutcome::Refused(no) => Err(refused(&no)),
    }
}

/// Marks the answer to a repeat.
pub(super) fn replayed(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    response
}

/// What a store's no means to the caller.
pub(super) fn refused(no: &Refused) -> Problem {
    match no {
        Refused::NoSuchTenant(_) | Refused::NoSuchCampaign(..) => {
            Problem::new(Code::NoSuchCampaign)
        }
        Refused::NoSuchStock(_) => invalid("/reward", &no.to_string()),
        Refused::TooMuch => invalid("/add", &no.to_string()),
        Refused::NoSuchParked(_)
        | Refused::NoSuchDraft(_)
        | Refused::NoSuchList(_)
        | Refused::NoSuchDraw(_) => Problem::new(Code::NotFound).with("problem", no.to_string()),
        Refused::PoolTaken(..) => Problem::new(Code::NotPossible)
            .saying(TAKEN)
            .with("problem", no.to_string()),
        Refused::NoSuchRevision(..) => invalid("/revision", &no.to_string()),
        Refused::NoShare | Refused::Narrower(_) => invalid("/share", &no.to_string()),
        Refused::DraftMoved(_, version) => Problem::new(Code::StalePage)
            .with("version", *version)
            .with("problem", no.to_string()),
        Refused::OwnDraft(..) => Problem::new(Code::Forbidden)
            .saying(OWN)
            .with("problem", no.to_string()),
        Refused::Objected(..) | Refused::NotApproved { .. } => Problem::new(Code::NotPossible)
            .saying(WAITS)
            .with("problem", no.to_string()),
        Refused::TooLong(_) => Problem::new(Code::PayloadTooLarge).with("problem", no.to_string()),
        Refused::Purged(..)
        | Refused::BaseMoved(..)
        | Refused::NotScheduled(_)
        | Refused::TwoAreLive
        | Refused::OneIsLive
        | Refused::OthersAreLive => Problem::new(Code::NotPossible).with("problem", no.to_string()),
    }
}

const OWN: Words = Words {
    en: "You wrote in this draft: somebody else approves it.",
    zh: "您参与编写了该草稿，须由他人批准。",
};

const TAKEN: Words = Words {
    en: "These codes are another reward's: a pool is one reward's for good, so that no code is handed out twice.",
    zh: "该兑换码库已归其他奖品使用：一个码库只能用于一个奖品，以确保兑换码不会重复发放。",
};

const WAITS: Words = Words {
    en: "The draft is not approved yet; nothing was published.",
    zh: "草稿尚未获得批准，未发布。",
};
