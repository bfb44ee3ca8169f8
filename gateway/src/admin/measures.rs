//! What staff do when something is wrong: stop a reward, all of a tenant, or a user; and what users are told meanwhile. What
//! is acknowledged here holds for every commit after it, of every function.

use axum::response::Response;
use function::idempotency::Key;
use function::problem::{Code, Problem};
use machine::Text;
use machine::ids::Pseudonym;
use machine::model::RewardKind;
use machine::world::{Action, Measure, Notice, Pause};
use serde::Deserialize;
use store::Published;

use super::find::Definitions;
use super::gate::Visit;
use super::write::{Nothing, Stop, asked, change, change_because, instant, invalid, words};

/// How many languages a notice can be in.
const LANGUAGES_MOST: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoQuery {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

/// Nothing of a reward is given any more.
pub(super) async fn stop_reward(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Why { reason } = visit.body()?;
    words("/reason", &reason)?;
    let action = Action::Measure(Measure::StopReward {
        campaign: found.campaign.clone(),
        edition: found.edition,
        reward: reward(visit, &found).await?.into(),
    });
    let what = format!("stop {}", visit.param("reward"));
    change_because(visit, &key, &what, action, Some(reason)).await
}

/// It is given again.
pub(super) async fn start_reward(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Nothing {} = visit.body()?;
    let action = Action::Measure(Measure::StartReward {
        campaign: found.campaign.clone(),
        edition: found.edition,
        reward: reward(visit, &found).await?.into(),
    });
    let what = format!("start {}", visit.param("reward"));
    change(visit, &key, &what, action).await
}

/// The reward of the path, if the campaign can give it.
async fn reward<'a>(visit: &'a Visit, found: &Published) -> Result<&'a str, Problem> {
    let id = visit.param("reward");
    let definition = visit.soon(Definitions::new(visit).newest(found)).await?;
    let mut rewards = definition.iter().flat_map(|definition| &definition.rewards);
    if rewards.any(|known| *known.id == *id && known.kind != RewardKind::Nothing) {
        Ok(id)
    } else {
        Err(Problem::new(Code::NotFound)
            .with("problem", format!("the campaign has no reward `{id}`")))
    }
}

/// Stops all of the tenant's campaigns.
pub(super) async fn pause_tenant(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let NoQuery {} = visit.query()?;
    let stop: Stop = visit.body()?;
    if stop.event.is_some() {
        return Err(invalid(
            "/event",
            "a pause of all campaigns is of no single event",
        ));
    }
    let pause: Pause = stop.read()?;
    let action = Action::Measure(Measure::PauseTenant { pause });
    change(visit, &key, "pause all", action).await
}

/// Ends that.
pub(super) async fn resume_tenant(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let (NoQuery {}, Nothing {}) = (visit.query()?, visit.body()?);
    let action = Action::Measure(Measure::ResumeTenant);
    change(visit, &key, "resume all", action).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Blocking {
    reason: String,
    until: Option<String>,
}

/// Keeps a user from taking part in anything of the tenant's.
pub(super) async fn block(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let NoQuery {} = visit.query()?;
    let Blocking { reason, until } = visit.body()?;
    words("/reason", &reason)?;
    let until = instant("/until", until.as_deref())?;
    if until.is_some_and(|until| until <= visit.now) {
        return Err(invalid("/until", "a time to come"));
    }
    let user = visit.user();
    let action = Action::Measure(Measure::Block { user, until });
    of_user(visit, &key, "block", user, action, reason).await
}

/// Ends that.
pub(super) async fn unblock(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let NoQuery {} = visit.query()?;
    let Why { reason } = visit.body()?;
    words("/reason", &reason)?;
    let user = visit.user();
    let action = Action::Measure(Measure::Unblock { user });
    of_user(visit, &key, "unblock", user, action, reason).await
}

async fn of_user(
    visit: &Visit,
    key: &Key,
    what: &str,
    user: Pseudonym,
    action: Action,
    reason: String,
) -> Result<Response, Problem> {
    change_because(visit, key, &format!("{what} {user}"), action, Some(reason)).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    text: Option<Text>,
    until: Option<String>,
}

/// What users are told without a stop; without words, nothing any more.
pub(super) async fn notice(visit: &Visit) -> Result<Response, Problem> {
    let (key, found) = asked(visit).await?;
    let Said { text, until } = visit.body()?;
    let until = instant("/until", until.as_deref())?;
    let notice = match text {
        None => None,
        Some(text) => {
            for (language, said) in &text.0 {
                words(&format!("/text/{language}"), said)?;
            }
            if text.is_empty() || text.0.len() > LANGUAGES_MOST {
                return Err(invalid(
                    "/text",
                    "words in 1 to 20 languages: {\"en\": \"...\"}",
                ));
            }
            Some(Notice { text, until })
        }
    };
    let action = Action::Measure(Measure::Notice {
        campaign: found.campaign.clone(),
        edition: found.edition,
        notice,
    });
    change(visit, &key, "notice", action).await
}
