//! One of a tenant's services: what it said is used again for as long as its connector says, one that fails is left alone,
//! and no call takes longer, and no more run at once, than declared.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use campaign::tenant::HttpConnector;
use machine::ids::Pseudonym;
use machine::input::Known;
use machine::{Type, Value};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::breaker::Breaker;
use super::dial::{CallError, Line};
use super::sign::Signer;
use crate::clock::{Clock as _, SystemClock};
use crate::telemetry::meters::{Found, looked_up};

/// How many answers are kept; then it begins anew.
const MOST_KEPT: usize = 50_000;

/// Whom is asked about.
#[derive(Debug)]
pub(super) struct Member<'a> {
    /// The tenant's own id: its service knows no other.
    pub id: &'a str,
    /// The pseudonym: what is kept is kept under it.
    pub user: Pseudonym,
}

#[derive(Debug)]
pub(super) struct Service {
    tenant: String,
    name: String,
    connector: HttpConnector,
    secret: Secret,
    signer: Signer,
    line: Line,
    at_once: Semaphore,
    breaker: Breaker,
    kept: Mutex<HashMap<(Pseudonym, String), (Instant, Value)>>,
}

/// Why there is no answer.
enum Silent {
    Late,
    Busy,
    Failed(CallError),
}

impl Service {
    pub fn new(tenant: &str, name: &str, connector: HttpConnector, secret: Vec<u8>) -> Self {
        Self {
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            signer: Signer::new(&secret),
            secret: Secret(secret),
            line: Line::new(connector.clone()),
            at_once: Semaphore::new(connector.at_once as usize),
            breaker: Breaker::default(),
            kept: Mutex::default(),
            connector,
        }
    }

    /// Whether it is this one still.
    pub fn is(&self, connector: &HttpConnector, secret: &[u8]) -> bool {
        self.connector == *connector && self.secret.0 == secret
    }

    /// Asks for fields of the answer, each of its type, about a member.
    pub async fn ask(&self, who: &Member<'_>, questions: &[(&str, Type)]) -> Vec<Known> {
        let began = Instant::now();
        if let Some(kept) = self.all_kept(who.user, questions, began) {
            looked_up(&self.tenant, &self.name, Found::Kept, Duration::ZERO);
            return kept;
        }
        if !self.breaker.may(began) {
            looked_up(&self.tenant, &self.name, Found::Resting, Duration::ZERO);
            return vec![Known::Unknown; questions.len()];
        }
        let (known, found) = match self.call_in_time(who, questions).await {
            Ok(said) => {
                self.breaker.worked();
                let known: Vec<Known> = questions
                    .iter()
                    .map(|(field, ty)| Known::said(at(&said, field), *ty))
                    .collect();
                self.keep(who.user, questions, &known, began);
                let found = if known.contains(&Known::Unknown) {
                    Found::Partly
                } else {
                    Found::Answered
                };
                (known, found)
            }
            Err(silent) => (
                vec![Known::Unknown; questions.len()],
                self.noted(&silent, began),
            ),
        };
        looked_up(&self.tenant, &self.name, found, began.elapsed());
        known
    }

    /// Notes why there is no answer.
    fn noted(&self, silent: &Silent, began: Instant) -> Found {
        let (found, why) = match silent {
            // It is we who are too many; and whoever is not known there is no failure of the service.
            Silent::Busy => return Found::Busy,
            Silent::Failed(CallError::Status(status)) if status.as_u16() == 404 => {
                self.breaker.worked();
                return Found::Partly;
            }
            Silent::Late => (Found::Late, "it did not answer in time".to_owned()),
            Silent::Failed(error) => (Found::Failed, error.to_string()),
        };
        let (tenant, connector) = (&self.tenant, &self.name);
        if self.breaker.failed(began) {
            tracing::warn!(
                tenant,
                connector,
                why,
                "a service has failed several times in a row: it is not asked for some seconds, and its facts are unknown. Said once until it answers again"
            );
        } else {
            tracing::debug!(tenant, connector, why, "a service has not answered");
        }
        found
    }

    async fn call_in_time(
        &self,
        who: &Member<'_>,
        questions: &[(&str, Type)],
    ) -> Result<Map<String, Json>, Silent> {
        let patience = Duration::from_millis(self.connector.timeout_ms.unsigned_abs());
        let mut entered = false;
        let call = async {
            let Ok(_place) = self.at_once.acquire().await else {
                return Err(Silent::Busy);
            };
            entered = true;
            self.call(who, questions).await.map_err(Silent::Failed)
        };
        match timeout(patience, call).await {
            Ok(outcome) => outcome,
            Err(_) if entered => Err(Silent::Late),
            Err(_) => Err(Silent::Busy),
        }
    }

    async fn call(
        &self,
        who: &Member<'_>,
        questions: &[(&str, Type)],
    ) -> Result<Map<String, Json>, CallError> {
        let mut fields: Vec<&str> = questions.iter().map(|(field, _)| *field).collect();
        fields.sort_unstable();
        fields.dedup();
        let body = json!({ "tenant": self.tenant, "member": who.id, "fields": fields });
        let body = Bytes::from(body.to_string());
        let time = SystemClock.now() / 1000;
        let signature = self.signer.sign("POST", &self.connector.path, time, &body);
        let answer = self.line.post(body, time, signature).await?;
        match serde_json::from_slice(&answer) {
            Ok(Json::Object(said)) => Ok(said),
            _ => Err(CallError::NotJson),
        }
    }

    /// All answers, if all of them are kept.
    fn all_kept(
        &self,
        user: Pseudonym,
        questions: &[(&str, Type)],
        now: Instant,
    ) -> Option<Vec<Known>> {
        if self.connector.keep_ms == 0 {
            return None;
        }
        let kept = self.kept.lock();
        let one = |(field, ty): &(&str, Type)| {
            let (until, value) = kept.get(&(user, name_of(field, *ty)))?;
            (*until > now).then(|| Known::Is(value.clone()))
        };
        questions.iter().map(one).collect()
    }

    /// Keeps what was said, a yes and a no alike. What was not said is asked for again.
    fn keep(&self, user: Pseudonym, questions: &[(&str, Type)], known: &[Known], now: Instant) {
        if self.connector.keep_ms == 0 {
            return;
        }
        let until = now + Duration::from_millis(self.connector.keep_ms.unsigned_abs());
        let mut kept = self.kept.lock();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        for ((field, ty), known) in questions.iter().zip(known) {
            if let Known::Is(value) = known {
                kept.insert((user, name_of(field, *ty)), (until, value.clone()));
            }
        }
    }
}

fn name_of(field: &str, ty: Type) -> String {
    format!("{field} {ty}")
}

/// What stands at `member.level`.
fn at<'j>(said: &'j Map<String, Json>, field: &str) -> Option<&'j Json> {
    let mut parts = field.split('.');
    let first = said.get(parts.next()?)?;
    parts.try_fold(first, |json, part| json.get(part))
}

/// Bytes that no debug print shows.
struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}
