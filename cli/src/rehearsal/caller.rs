//! Calls of invented people through the door, as their pages and their back end make them, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::{Body, Bytes};
use axum::http::Request;
use function::identity::{Minter, Ticket};
use http_body_util::BodyExt as _;
use machine::Millis;
use serde_json::{Map, Value as Json};

use super::set::Door;

/// How often a call is made again whose answer says so.
const TRIES: u32 = 5;

/// The longest pause before such a call, whatever the answer asks for.
const MOST_PAUSE_SECS: u64 = 5;

/// Of so many events one is sent again after its answer: the bytes must be the same.
const REPLAYED: u64 = 50;

/// How many failures are told in words.
const NAMED: usize = 20;

/// What became of all calls.
#[derive(Debug, Default)]
pub struct Told {
    /// Calls that were made, tries again included.
    pub calls: u64,
    /// Visits.
    pub visits: u64,
    /// People.
    pub people: u64,
    /// Rejections, by code.
    pub rejections: BTreeMap<String, u64>,
    /// Calls that a rate limit put off: a rehearsal's day lasts seconds, and limits count real ones.
    pub put_off: u64,
    /// The ids of grants that answers named, by reward.
    pub promised: BTreeMap<String, BTreeSet<String>>,
    /// Events sent again after their answer.
    pub replayed: u64,
    /// How many calls came to nothing that should have come to something.
    pub failed: u64,
    /// The first of those, in words.
    pub failures: Vec<String>,
}

impl Told {
    /// Adds what another part of the calls came to.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.visits += other.visits;
        self.people += other.people;
        self.put_off += other.put_off;
        self.replayed += other.replayed;
        self.failed += other.failed;
        for (code, count) in other.rejections {
            *self.rejections.entry(code).or_default() += count;
        }
        for (reward, ids) in other.promised {
            self.promised.entry(reward).or_default().extend(ids);
        }
        let room = NAMED.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.into_iter().take(room));
    }

    fn fail(&mut self, why: String) {
        self.failed += 1;
        if self.failures.len() < NAMED {
            self.failures.push(why);
        }
    }
}

/// Who signs.
#[derive(Debug)]
pub struct Signers {
    /// Users' tokens.
    pub user: Minter,
    /// The back end's; none where this machine has no such key.
    pub service: Option<Minter>,
}

/// Where people call.
#[derive(Debug)]
pub struct Stage {
    /// The door.
    pub door: Door,
    /// Who signs.
    pub signers: Signers,
    /// The tenant's id.
    pub tenant: String,
    /// The campaign's id.
    pub campaign: String,
    /// What the member ids begin with.
    pub mark: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body as it came.
    pub bytes: Bytes,
    /// The same, read; null if it is no JSON.
    pub body: Json,
    retry_after_secs: Option<u64>,
}

impl Answer {
    /// A refusal's code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Whether an event is possible, as the page says.
    pub fn offers(&self, event: &str) -> Option<bool> {
        let events = self.body["events"].as_array()?;
        let mut named = events.iter().filter(|told| told["event"] == event);
        Some(named.any(|told| told["possible"] == true))
    }
}

/// A user who calls at a moment.
pub struct Caller<'a> {
    stage: &'a Stage,
    member: String,
    token: String,
    now: Millis,
    /// What keys of this visit begin with.
    visit: String,
    sent: u64,
    number: u64,
    /// What became of it.
    pub told: Told,
}

impl<'a> Caller<'a> {
    /// A user, by number, in their so-many-th visit.
    pub fn new(
        stage: &'a Stage,
        number: u32,
        visit: u32,
        claims: Map<String, Json>,
        now: Millis,
    ) -> Self {
        let member = format!("{}-{number}", stage.mark);
        let ticket = Ticket {
            extra: claims,
            ..Ticket::user(&stage.tenant, &member)
        };
        let mut told = Told::default();
        let token = stage.signers.user.sign(&ticket, now / 1000);
        let token = token.unwrap_or_else(|error| {
            told.fail(format!("no token for {member}: {error}"));
            String::new()
        });
        Self {
            visit: format!("{member}-{visit}"),
            number: u64::from(number) * 7 + u64::from(visit),
            stage,
            member,
            token,
            now,
            sent: 0,
            told,
        }
    }

    /// What the page shows.
    pub async fn view(&mut self) -> Answer {
        let path = format!("/v1/{}/{}", self.stage.tenant, self.stage.campaign);
        let answer = self
            .ask("GET", &path, &self.token.clone(), None, None)
            .await;
        if answer.status != 200 {
            self.told.fail(said(&self.member, "the view", &answer));
        }
        answer
    }

    /// Sends an event of the user.
    pub async fn send(&mut self, event: &str, payload: Map<String, Json>) -> Answer {
        let path = format!(
            "/v1/{}/{}/events/{event}",
            self.stage.tenant, self.stage.campaign
        );
        let token = self.token.clone();
        self.event(&path, event, &token, payload).await
    }

    /// The back end reports an event of theirs.
    pub async fn report(&mut self, event: &str, payload: Map<String, Json>) {
        let Some(minter) = &self.stage.signers.service else {
            return;
        };
        let ticket = Ticket::service(&self.stage.tenant, "rehearsal");
        match minter.sign(&ticket, self.now / 1000) {
            Ok(token) => {
                let path = format!(
                    "/v1/{}/{}/users/{}/events/{event}",
                    self.stage.tenant, self.stage.campaign, self.member
                );
                self.event(&path, event, &token, payload).await;
            }
            Err(error) => self
                .told
                .fail(format!("no token for the back end: {error}")),
        }
    }

    async fn event(
        &mut self,
        path: &str,
        event: &str,
        token: &str,
        payload: Map<String, Json>,
    ) -> Answer {
        self.sent += 1;
        let key = format!("{}-{}", self.visit, self.sent);
        let body = Json::Object(payload).to_string();
        let answer = self.ask("POST", path, token, Some(&key), Some(&body)).await;
        match answer.status {
            200 => {
                self.promised(&answer);
                if (self.number + self.sent).is_multiple_of(REPLAYED) {
                    self.told.replayed += 1;
                    let again = self.ask("POST", path, token, Some(&key), Some(&body)).await;
                    if again.bytes != answer.bytes {
                        let why = format!(
                            "{}: `{event}` again with its key {key} had another answer",
                            self.member
                        );
                        self.told.fail(why);
                    }
                }
            }
            403 | 409 => {
                *self
                    .told
                    .rejections
                    .entry(answer.code().to_owned())
                    .or_default() += 1;
            }
            500 if answer.code() == "rule-failed" => {
                *self
                    .told
                    .rejections
                    .entry("rule-failed".to_owned())
                    .or_default() += 1;
            }
            _ => self.told.fail(said(&self.member, event, &answer)),
        }
        answer
    }

    fn promised(&mut self, answer: &Answer) {
        for grant in answer.body["grants"].as_array().into_iter().flatten() {
            if let (Some(reward), Some(id)) = (grant["reward"].as_str(), grant["id"].as_str()) {
                let ids = self.told.promised.entry(reward.to_owned()).or_default();
                ids.insert(id.to_owned());
            }
        }
    }

    /// One call; made again where the answer asks for that, as any good client does.
    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        key: Option<&str>,
        body: Option<&str>,
    ) -> Answer {
        let mut tries = 0;
        loop {
            tries += 1;
            self.told.calls += 1;
            let answer = once(&self.stage.door, method, path, token, key, body).await;
            let later = matches!(answer.status, 429 | 503) && tries < TRIES;
            if !later {
                return answer;
            }
            self.told.put_off += 1;
            let secs = answer.retry_after_secs.unwrap_or(1).min(MOST_PAUSE_SECS);
            tokio::time::sleep(std::time::Duration::from_secs(secs)).await;
        }
    }
}

async fn once(
    door: &Door,
    method: &str,
    path: &str,
    token: &str,
    key: Option<&str>,
    body: Option<&str>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_owned()));
    let Ok(request) = request.body(body) else {
        return Answer {
            status: 0,
            bytes: Bytes::new(),
            body: Json::Null,
            retry_after_secs: None,
        };
    };
    let (head, body) = door.call(request).await.into_parts();
    let bytes = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let after = head.headers.get("retry-after");
    Answer {
        status: head.status.as_u16(),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        bytes,
        retry_after_secs: after.and_then(|after| after.to_str().ok()?.parse().ok()),
    }
}

fn said(member: &str, what: &str, answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.bytes);
    let body: String = body.chars().take(200).collect();
    format!("{member}: {what} was answered {}: {body}", answer.status)
}
