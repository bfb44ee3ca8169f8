//! What support and risk do to one user's grants: give a reward for a ticket, hold a grant, let it go on, take it back.
//!
//! Each is booked in the audit first and committed to the record then, so that nothing is done that the audit does not know
//! of; an entry whose deed then failed has no row in the ledger. Done again, it finds itself done: a ticket is good once for
//! one user of one edition, and a grant that is taken back stays so.

use std::sync::Arc;

use axum::response::Response;
use function::idempotency::Key;
use function::problem::{Code, Problem, Words};
use machine::calendar::HOUR_MS;
use machine::hand::{
    Amend, ByHand, NotAmended, NotGiven, Staff, amend as amended, give, given_for, place_of,
};
use machine::ids::{CampaignKey, Lane, Pseudonym, grant_id};
use machine::input::User;
use machine::ledger::BY_HAND;
use machine::luck::Source;
use machine::migrate::migrate;
use machine::model::{RewardKind, Sender};
use machine::participant::{Grant, Participant};
use machine::step::{Call, Decision};
use machine::world::{
    Action, Admin, AdminOutcome, Attribution, Commit, Deed, Left, Measure, Outcome, arm,
};
use machine::{Campaign, Definition, Facts, Millis};
use serde::Deserialize;
use serde_json::json;
use store::Published;

use super::find::{self, Definitions};
use super::gate::{Visit, json as answer};
use super::row::{rfc3339, utc};
use super::write::{invalid, refused, words};

/// For how long after the last claim something can be given by hand, in milliseconds: what users complain of on the last day is
/// looked into after it.
const AFTER_CLAIMS_MS: Millis = 30 * 24 * HOUR_MS;

/// The most that one ticket gives.
const N_MOST: u32 = 100;

/// The longest ticket, in bytes.
const TICKET_MOST: usize = 100;

/// How often a record may move on, or counters run out, under a deed.
const TRIES: u32 = 32;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoQuery {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    campaign: String,
    edition: Option<u32>,
    #[serde(default)]
    lane: Lane,
    reward: String,
    ticket: String,
    reason: String,
    #[serde(default = "one")]
    n: u32,
}

const fn one() -> u32 {
    1
}

/// Gives a reward by hand.
pub(super) async fn by_hand(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let NoQuery {} = visit.query()?;
    let wanted: Wanted = visit.body()?;
    words("/reason", &wanted.reason)?;
    let printable = |byte: u8| byte.is_ascii_graphic();
    if !(1..=TICKET_MOST).contains(&wanted.ticket.len()) || !wanted.ticket.bytes().all(printable) {
        return Err(invalid(
            "/ticket",
            "1 to 100 printable characters without spaces",
        ));
    }
    if !(1..=N_MOST).contains(&wanted.n) {
        return Err(invalid("/n", "1 to 100"));
    }
    let found = find::campaign(visit, &wanted.campaign, wanted.edition).await?;
    let mut desk = Case::open(visit, &found, wanted.lane).await?;
    let newest = visit.soon(desk.definitions.newest(&found)).await?;
    let newest = newest.ok_or_else(|| Problem::new(Code::Internal))?;
    let reward = newest
        .rewards
        .iter()
        .find(|known| *known.id == *wanted.reward);
    if reward.is_none_or(|reward| reward.kind == RewardKind::Nothing) {
        return Err(invalid("/reward", "a reward of this campaign"));
    }
    in_time(&newest, desk.now)?;
    // Used before: nothing is done, and nothing is booked.
    if let Some(file) = desk.file().await?
        && let Some(before) = before(&desk, &file, &wanted)?
    {
        return Ok(desk.given(&file, &before, &wanted, None));
    }
    let deed = Deed::Grant {
        reward: wanted.reward.as_str().into(),
        n: wanted.n,
        ticket: wanted.ticket.as_str().into(),
    };
    let audit = desk.book(&key, "grant", deed, &wanted.reason).await?;
    let mut exhausted: Vec<Left> = Vec::new();
    for _ in 0..TRIES {
        let file = desk.file_or_new().await?;
        if let Some(before) = before(&desk, &file, &wanted)? {
            // This very call, before its answer was lost.
            return Ok(desk.given(&file, &before, &wanted, audit));
        }
        let place = file.campaign.reward(&wanted.reward);
        let hand = ByHand {
            reward: place.ok_or_else(|| invalid("/reward", "a reward of this campaign"))?,
            n: wanted.n,
            ticket: &wanted.ticket,
            by: &visit.by,
            why: &wanted.reason,
        };
        let draws = desk.source.of(&desk.user);
        let (nobody, facts) = (User::nobody(&file.campaign.claims), Facts::default());
        let call = Call {
            campaign: &file.campaign,
            participant: &file.record,
            user: &nobody,
            sender: Sender::Staff,
            event: None,
            facts: &facts,
            now: desk.now,
            rehearsal: wanted.lane == Lane::Test,
            draws: &draws,
            exhausted: &exhausted,
        };
        let decision = give(&call, &hand).map_err(|no| not_given(visit, &no))?;
        let commit = desk.commit(&file, decision, file.carried());
        match desk.carry_out(commit).await? {
            Carried::Out | Carried::Again => {}
            Carried::Gone(left) => Left::learn(&mut exhausted, left),
        }
    }
    Err(Problem::new(Code::Overloaded))
}

/// Whether the campaign is open for what staff give.
fn in_time(definition: &Definition, now: Millis) -> Result<(), Problem> {
    let window = definition.window;
    if now < window.opens {
        let opens = definition.calendar.rfc3339(window.opens);
        return Err(Problem::new(Code::NotOpen).with("opens", opens));
    }
    let last = window.claim_until.saturating_add(AFTER_CLAIMS_MS);
    if now >= last {
        let until = definition.calendar.rfc3339(last);
        return Err(Problem::new(Code::Closed).with("by_hand_until", until));
    }
    Ok(())
}

/// What the ticket gave before, if that is what is asked for now.
fn before(desk: &Case<'_>, file: &File, wanted: &Wanted) -> Result<Option<Vec<Grant>>, Problem> {
    let places = given_for(&file.record, &wanted.ticket);
    let grants = places
        .iter()
        .filter_map(|place| file.record.grants.get(*place));
    let grants: Vec<Grant> = grants.cloned().collect();
    if grants.is_empty() {
        return Ok(None);
    }
    let reward = file.campaign.reward(&wanted.reward);
    let same = grants.iter().all(|grant| Some(grant.reward) == reward);
    if same && grants.len() == wanted.n as usize {
        return Ok(Some(grants));
    }
    let gave: Vec<_> = grants.iter().map(|grant| desk.shown(file, grant)).collect();
    Err(Problem::new(Code::NotPossible)
        .saying(USED)
        .with("gave", gave))
}

fn not_given(visit: &Visit, no: &NotGiven) -> Problem {
    match no {
        NotGiven::Stopped => Problem::new(Code::SoldOut).saying(STOPPED),
        NotGiven::SoldOut => Problem::new(Code::SoldOut).saying(SOLD_OUT),
        NotGiven::BudgetSpent => Problem::new(Code::BudgetSpent),
        NotGiven::NoReward => invalid("/reward", "a reward of this campaign"),
        NotGiven::Before(_) => Problem::new(Code::NotPossible).saying(USED),
        NotGiven::Fault(fault) => {
            let request_id = &visit.request_id;
            tracing::error!(request_id, error = %fault, "a rule failed: nothing was given by hand");
            Problem::new(Code::RuleFailed)
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
    campaign: Option<String>,
    edition: Option<u32>,
    lane: Option<Lane>,
}

/// Holds a grant, lets it go on, or takes it back.
pub(super) async fn amend(visit: &Visit, what: Amend) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let NoQuery {} = visit.query()?;
    let why: Why = visit.body()?;
    words("/reason", &why.reason)?;
    let id = visit.param("id");
    let (mut desk, place) = search(visit, &why, id).await?;
    let file = desk.file_or_new().await?;
    let was = file.record.grants.get(place).map(|grant| grant.status);
    match was.map(|was| what.after(was)) {
        Some(Ok(_)) => {}
        Some(Err(NotAmended::Already)) => {
            return Ok(answer(&json!({
                "audit": null, "grant": id, "campaign": desk.key.campaign, "edition": desk.key.edition,
                "lane": desk.key.lane, "status": was, "taken": null,
            })));
        }
        Some(Err(no)) => return Err(not_amended(no)),
        None => return Err(Problem::new(Code::NotFound)),
    }
    let grant: Arc<str> = id.into();
    let (word, deed) = match what {
        Amend::Hold => ("hold", Deed::Hold { grant }),
        Amend::Release => ("release", Deed::Release { grant }),
        Amend::Void => ("void", Deed::Void { grant }),
    };
    let audit = desk
        .book(&key, &format!("{word} {id}"), deed, &why.reason)
        .await?;
    let staff = Staff {
        by: &visit.by,
        why: &why.reason,
    };
    for _ in 0..TRIES {
        let file = desk.file_or_new().await?;
        let place = place_of(&desk.key, &desk.user, &file.campaign, &file.record, id);
        let place = place.ok_or_else(|| Problem::new(Code::NotFound))?;
        let (grants, decision) =
            match amended(&file.campaign, &file.record, place, what, staff, desk.now) {
                Ok(made) => made,
                // Somebody else was quicker with the same.
                Err(NotAmended::Already) => {
                    let now = file.record.grants.get(place).map(|grant| grant.status);
                    return Ok(desk.made(id, audit, json!({ "status": now, "taken": null })));
                }
                Err(no) => return Err(not_amended(no)),
            };
        let told = decision.rows.iter().find_map(|row| match row {
            machine::ledger::Row::Amended(row) => {
                Some(json!({ "status": row.now, "was": row.was, "taken": row.taken }))
            }
            _ => None,
        });
        let commit = desk.commit(&file, decision, Some(grants));
        if matches!(desk.carry_out(commit).await?, Carried::Out) {
            return Ok(desk.made(id, audit, told.unwrap_or_default()));
        }
    }
    Err(Problem::new(Code::Overloaded))
}

/// Where the grant is: in which campaign, edition and lane, and its place in the record.
async fn search<'a>(visit: &'a Visit, why: &Why, id: &str) -> Result<(Case<'a>, usize), Problem> {
    let published = visit.soon(visit.store().published()).await?;
    let ours = published.into_iter().filter(|found| {
        *found.tenant == *visit.tenant_id()
            && why
                .campaign
                .as_ref()
                .is_none_or(|only| *found.campaign == **only)
            && why.edition.is_none_or(|only| found.edition == only)
    });
    for found in ours {
        for lane in [Lane::Live, Lane::Test] {
            if why.lane.is_some_and(|only| only != lane) {
                continue;
            }
            let mut desk = Case::open(visit, &found, lane).await?;
            let Some(file) = desk.file().await? else {
                continue;
            };
            if let Some(place) = place_of(&desk.key, &desk.user, &file.campaign, &file.record, id) {
                return Ok((desk, place));
            }
        }
    }
    Err(Problem::new(Code::NotFound).with("problem", "this user has no such grant"))
}

fn not_amended(no: NotAmended) -> Problem {
    let problem = Problem::new(Code::NotPossible).saying(NOT_SO);
    match no {
        NotAmended::Not(status) => problem.with("status", json!(status)),
        NotAmended::Already => problem,
    }
}

/// One user in one lane of an edition, on somebody's desk.
struct Case<'a> {
    visit: &'a Visit,
    key: CampaignKey,
    user: Pseudonym,
    source: Source,
    now: Millis,
    definitions: Definitions,
}

/// The user's record as a live revision understands it.
struct File {
    campaign: Campaign,
    /// As the store has it; none: a newcomer.
    stored: Option<Arc<Participant>>,
    record: Participant,
}

impl File {
    /// The grants from before, where the record was written under another revision.
    fn carried(&self) -> Option<Vec<Grant>> {
        let stored = self.stored.as_ref()?;
        let other = stored.core.revision != self.record.core.revision;
        (other && !stored.grants.is_empty()).then(|| self.record.grants.clone())
    }
}

/// What became of a commit.
enum Carried {
    /// It is true now.
    Out,
    /// The record moved on, or the revision.
    Again,
    /// Too little is left of these.
    Gone(Vec<Left>),
}

impl<'a> Case<'a> {
    async fn open(visit: &'a Visit, found: &Published, lane: Lane) -> Result<Self, Problem> {
        let key = find::key(found, lane);
        let setup = visit.soon(visit.store().setup(&key)).await?;
        let setup = setup.ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
        let path = format!("{}/{}", key.tenant, key.campaign);
        Ok(Self {
            visit,
            user: visit.user(),
            source: Source::new(&setup.seed, &path, key.edition),
            now: visit.now.saturating_add(setup.clock_offset),
            definitions: Definitions::new(visit),
            key,
        })
    }

    /// The record, if there is one.
    async fn file(&mut self) -> Result<Option<File>, Problem> {
        let file = self.file_or_new().await?;
        Ok(file.stored.is_some().then_some(file))
    }

    async fn file_or_new(&mut self) -> Result<File, Problem> {
        let visit = self.visit;
        let recalled = visit
            .soon(visit.store().recall(&self.key, self.user, None))
            .await?;
        let of = recalled
            .participant
            .as_ref()
            .map(|known| known.core.revision);
        // Where several are live, the commit takes the user's own.
        let number = arm(&recalled.live, &self.key, &self.user);
        let number = number.ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
        let definition = self.definition(number).await?;
        let campaign =
            campaign::codec::link(Definition::clone(&definition), number).map_err(|error| {
                let request_id = &visit.request_id;
                tracing::error!(request_id, %error, "a live revision can't be run by this program");
                Problem::new(Code::Internal)
            })?;
        let record = match (&recalled.participant, of) {
            (None, _) | (_, None) => Participant::new(&campaign, self.now),
            (Some(known), Some(of)) if of == number => Participant::clone(known),
            (Some(known), Some(of)) => migrate(known, &*self.definition(of).await?, &campaign),
        };
        Ok(File {
            campaign,
            stored: recalled.participant,
            record,
        })
    }

    async fn definition(&mut self, number: u32) -> Result<Arc<Definition>, Problem> {
        let (campaign, edition) = (self.key.campaign.clone(), self.key.edition);
        let found = self.definitions.of(&campaign, edition, number);
        let found = self.visit.soon(found).await?;
        found.ok_or_else(|| Problem::new(Code::Internal))
    }

    /// Books what is about to be done; the entry's number.
    async fn book(
        &self,
        key: &Key,
        what: &str,
        deed: Deed,
        reason: &str,
    ) -> Result<Option<u64>, Problem> {
        let visit = self.visit;
        let about = format!("{what} {} {}", self.key, self.user);
        let fingerprint = function::fingerprint::Fingerprint::of(&about, &visit.body);
        let admin = Admin {
            tenant: self.key.tenant.clone(),
            by: visit.by.as_str().into(),
            at: visit.now,
            key: Some((key.as_str().into(), *fingerprint.as_bytes())),
            action: Action::Measure(Measure::OnUser {
                campaign: self.key.campaign.clone(),
                edition: self.key.edition,
                lane: self.key.lane,
                user: self.user,
                deed,
            }),
            why: Some(reason.into()),
        };
        match visit.soon(visit.store().admin(Box::new(admin))).await? {
            AdminOutcome::Done(done) => Ok(Some(done.audit)),
            AdminOutcome::Replayed(done) => {
                let done: Result<machine::world::Done, _> = serde_json::from_slice(&done);
                Ok(done.ok().map(|done| done.audit))
            }
            AdminOutcome::Already => Ok(None),
            AdminOutcome::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
            AdminOutcome::Refused(no) => Err(refused(&no)),
        }
    }

    fn commit(&self, file: &File, decision: Decision, carried: Option<Vec<Grant>>) -> Commit {
        Commit {
            campaign: self.key.clone(),
            revision: file.campaign.revision,
            user: self.user,
            expected: file.record.core.version,
            event: None,
            sender: Sender::Staff,
            // Nobody asks for an answer under it: it is only a name.
            key: format!("\u{1}staff-{}", self.visit.request_id).into(),
            fingerprint: [0; 32],
            at: self.now,
            attribution: Attribution {
                request_id: self.visit.request_id.as_str().into(),
                ..Attribution::default()
            },
            core: decision.core,
            grants: decision.grants,
            moves: decision.moves,
            alternatives: decision.alternatives,
            rows: decision.rows,
            first_row: 0,
            timer: decision.timer,
            answer: Arc::from([]),
            carried,
            heard: decision.heard,
            seen: file.stored.clone(),
        }
    }

    async fn carry_out(&self, commit: Commit) -> Result<Carried, Problem> {
        let visit = self.visit;
        match visit.soon(visit.store().commit(Box::new(commit))).await? {
            Outcome::Committed(_) => Ok(Carried::Out),
            Outcome::Stale(_) | Outcome::Superseded => Ok(Carried::Again),
            Outcome::Exhausted(left) => Ok(Carried::Gone(left)),
            Outcome::Paused(pause) => {
                let until = pause.until.map(utc);
                let problem = Problem::new(Code::Paused).with("reason", pause.reason);
                Err(problem.with("until", until))
            }
            Outcome::Blocked(blocked) => Err(Problem::new(Code::RiskRefused)
                .saying(BLOCKED)
                .with("until", blocked.until.map(utc))),
            Outcome::Frozen(counter) => {
                let request_id = &visit.request_id;
                tracing::error!(request_id, %counter, "a counter is missing: its stock is frozen");
                Err(Problem::new(Code::StockFrozen))
            }
            // Nothing is remembered under a name of staff's.
            Outcome::Replayed(_) | Outcome::KeyReused => Err(Problem::new(Code::Internal)),
        }
    }

    fn shown(&self, file: &File, grant: &Grant) -> serde_json::Value {
        let reward = file.campaign.rewards.get(usize::from(grant.reward));
        let calendar = Some(&file.campaign.calendar);
        json!({
            "id": grant_id(&self.key, &self.user, BY_HAND, grant.period, grant.n),
            "reward": reward.map(|reward| &reward.id),
            "n": grant.n,
            "amount": grant.amount,
            "status": grant.status,
            "at": rfc3339(calendar, grant.at),
            "expires": grant.expires.map(|at| rfc3339(calendar, at)),
        })
    }

    fn given(
        &self,
        file: &File,
        grants: &[Grant],
        wanted: &Wanted,
        audit: Option<u64>,
    ) -> Response {
        let shown: Vec<_> = grants.iter().map(|grant| self.shown(file, grant)).collect();
        answer(&json!({
            "audit": audit, "user": self.user.to_string(), "campaign": self.key.campaign,
            "edition": self.key.edition, "lane": self.key.lane, "ticket": wanted.ticket, "grants": shown,
        }))
    }

    fn made(&self, id: &str, audit: Option<u64>, told: serde_json::Value) -> Response {
        let mut body = json!({
            "audit": audit, "grant": id, "campaign": self.key.campaign,
            "edition": self.key.edition, "lane": self.key.lane,
        });
        if let (Some(body), serde_json::Value::Object(told)) = (body.as_object_mut(), told) {
            body.extend(told);
        }
        answer(&body)
    }
}

const USED: Words = Words {
    en: "This ticket was used for something else; nothing was given.",
    zh: "该工单已用于其他发放，本次未发放。",
};

const STOPPED: Words = Words {
    en: "This reward is stopped, or its stock was withdrawn; nothing was given.",
    zh: "该奖品已停发或库存已收回，本次未发放。",
};

const SOLD_OUT: Words = Words {
    en: "Too few units are left; nothing was given. Units can be added to the stock.",
    zh: "库存不足，本次未发放；可先补充库存。",
};

const BLOCKED: Words = Words {
    en: "This user is blocked; nothing was given. End the block first.",
    zh: "该用户已被封禁，本次未发放；请先解除封禁。",
};

const NOT_SO: Words = Words {
    en: "This cannot be done to a grant with this status; nothing was changed.",
    zh: "该状态下无法执行此操作，未做更改。",
};
