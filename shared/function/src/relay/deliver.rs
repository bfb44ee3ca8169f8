//! Some rows of a source's ledger, told to one listener: what becomes of each message, and which it may not go beyond.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use machine::Millis;
use machine::ids::{CampaignKey, Lane, Pseudonym};
use machine::ledger::{MessageRow, Row};
use machine::participant::Heard;
use machine::step::Rejection;
use machine::value::Value;
use machine::world::{Attribution, Parked, ParkedFrom};
use serde_json::{Map, Value as Json, json};
use store::{Lease, LedgerRow};

use crate::engine::{Caller, Failed, Message, Told, hear};
use crate::http::Shell;
use crate::lists::Listed;
use crate::served::{Served, TenantShell};
use crate::telemetry::meters::{Relayed, relayed};

/// How many users are told at the same time. Each hears their own messages in order.
const USERS: usize = 32;

/// One lane of a campaign that listens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listener<'a> {
    pub shell: &'a Shell,
    pub tenant: &'a TenantShell,
    pub served: &'a Served,
    pub lane: Lane,
    /// The clock of the lane.
    pub now: Millis,
}

/// Rows of a source, one after another.
pub(super) struct Batch<'a> {
    pub source: &'a CampaignKey,
    pub rows: &'a [LedgerRow],
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// How many messages had an effect now.
    pub told: usize,
    /// How many messages there were that somebody here listens for.
    pub met: usize,
    /// The first row that has to wait: to go on from, later.
    pub held: Option<u64>,
}

/// A message that may be for the listener.
struct Open<'a> {
    row: &'a LedgerRow,
    message: &'a MessageRow,
}

impl Batch<'_> {
    /// Tells all of it. What comes after a message that has to wait may have been told already by then: it is known when it
    /// comes again.
    pub async fn deliver(&self, to: &Listener<'_>, under: Option<&Lease>) -> Done {
        let mut done = Done::default();
        let mut of_user: BTreeMap<Pseudonym, Vec<Open<'_>>> = BTreeMap::new();
        for row in self.rows {
            let Row::Message(message) = &row.row else {
                continue;
            };
            let Some(event) = self.event(to, message) else {
                continue;
            };
            if stopped(to, event) {
                relayed(to.served, &self.source.campaign, Relayed::Held);
                done.held = Some(row.number);
                break;
            }
            done.met += 1;
            of_user
                .entry(row.user)
                .or_default()
                .push(Open { row, message });
        }
        let users: Vec<Vec<Open<'_>>> = of_user.into_values().collect();
        for some in users.chunks(USERS) {
            let all = some.iter().map(|open| self.to_user(to, open, under));
            for (told, held) in join_all(all).await {
                done.told += told;
                done.held = done.held.into_iter().chain(held).min();
            }
        }
        done
    }

    /// What the message is called where it is heard, under any of the live revisions.
    fn event<'t>(&self, to: &Listener<'t>, message: &MessageRow) -> Option<&'t str> {
        let mut live = to.served.live.iter();
        live.find_map(|(_, live)| {
            let event = live.hearer(&self.source.campaign, &message.message)?;
            live.events
                .get(usize::from(event))
                .map(|event| &*event.name)
        })
    }

    /// Tells one user their messages in order, up to one that has to wait.
    async fn to_user(
        &self,
        to: &Listener<'_>,
        messages: &[Open<'_>],
        under: Option<&Lease>,
    ) -> (usize, Option<u64>) {
        let mut told = 0;
        for open in messages {
            let became = self.tell(to, open, under).await;
            relayed(to.served, &self.source.campaign, became);
            match became {
                Relayed::Taken => told += 1,
                Relayed::Held => return (told, Some(open.row.number)),
                Relayed::Repeated | Relayed::Rejected | Relayed::Parked => {}
            }
        }
        (told, None)
    }

    async fn tell(
        &self,
        to: &Listener<'_>,
        Open { row, message }: &Open<'_>,
        under: Option<&Lease>,
    ) -> Relayed {
        let source = Heard::source(&self.source.campaign, self.source.edition);
        let caller = Caller {
            shell: to.tenant,
            served: to.served,
            member: "",
            user: row.user,
            claims: None,
            lane: to.lane,
            rehearsal: to.lane == Lane::Test,
            now: to.now,
            language: to.tenant.tenant.language(),
            listed: Listed::default(),
        };
        let request_id = format!("relay/{source}/{}", row.number);
        let told = Message {
            campaign: &self.source.campaign,
            row: message,
            attribution: Attribution {
                request_id: request_id.as_str().into(),
                channel: Some("relay".into()),
                occurred_at: Some(row.at),
                ..Attribution::default()
            },
            heard: Heard {
                source,
                sequence: row.number,
            },
        };
        let failed = match hear(&*to.shell.store, &caller, &told, under).await {
            Ok(Told::Now) => return Relayed::Taken,
            Ok(Told::Before | Told::NotHere) => return Relayed::Repeated,
            Err(failed) => failed,
        };
        let listener = &to.served.campaign;
        match verdict(&failed) {
            Verdict::Final(code) => {
                tracing::debug!(request_id, %listener, code, "a message was told no by the rules");
                Relayed::Rejected
            }
            Verdict::Wait => {
                tracing::debug!(request_id, %listener, ?failed, "a message waits");
                Relayed::Held
            }
            Verdict::Never(code) => {
                let open = Open { row, message };
                self.park(to, &open, code, &format!("{failed:?}")).await
            }
        }
    }

    /// Keeps a message that can't be taken, so that the next ones can.
    async fn park(
        &self,
        to: &Listener<'_>,
        Open { row, message }: &Open<'_>,
        code: &str,
        detail: &str,
    ) -> Relayed {
        let listener = &to.served.campaign;
        let said = json!({
            "source": self.source.campaign,
            "edition": self.source.edition,
            "lane": self.source.lane,
            "sequence": row.number,
            "user": row.user.to_string(),
            "campaign": listener,
            "message": message.message,
            "fields": fields(message),
        });
        let time = to.served.newest().map(|live| live.calendar.rfc3339(row.at));
        let parked = Parked::new(
            ParkedFrom::Relay,
            &self.source.to_string(),
            &format!("{}/{listener}", row.number),
            to.now,
        )
        .of_kind("gala.message", time.as_deref())
        .because(code, detail)
        .meant_for(Some(listener))
        .saying(said.to_string().as_bytes());
        let source = &self.source;
        match to.shell.store.park(&source.tenant, parked).await {
            Ok(_) => {
                tracing::error!(
                    %source, number = row.number, %listener, code, detail,
                    "a message is parked: its listener can't take it"
                );
                Relayed::Parked
            }
            Err(error) => {
                tracing::warn!(%error, %source, number = row.number, %listener, code, "a message that can't be taken could not be parked: it waits");
                Relayed::Held
            }
        }
    }
}

/// Whether ops staff have stopped this event.
fn stopped(to: &Listener<'_>, event: &str) -> bool {
    let pause = to.served.pause.as_ref().filter(|_| to.lane == Lane::Live);
    pause.is_some_and(|pause| pause.stops(Some(event)))
}

/// What a failure means for a message.
enum Verdict {
    /// The rules have said no, and will not be asked again.
    Final(String),
    /// It may go better later.
    Wait,
    /// It never will as things are; why, in a word.
    Never(&'static str),
}

fn verdict(failed: &Failed) -> Verdict {
    match failed {
        Failed::Rejected(Rejection::NotOpen, _)
        | Failed::Paused(_)
        | Failed::Frozen(_)
        | Failed::TooManyTries(_)
        | Failed::Contended
        | Failed::Behind
        | Failed::UnderDurable(_)
        | Failed::ClockOff(_)
        | Failed::Slow
        | Failed::Store(_) => Verdict::Wait,
        Failed::Blocked => Verdict::Final("risk-refused".to_owned()),
        Failed::Rejected(no, _) => Verdict::Final(no.code().to_owned()),
        Failed::Payload(_) => Verdict::Never("invalid-payload"),
        Failed::Rule(_) => Verdict::Never("rule-failed"),
        Failed::NoSuchEvent => Verdict::Never("no-such-event"),
        Failed::StalePage(_) | Failed::KeyReused => Verdict::Never("internal"),
    }
}

/// A message's fields, as people read them.
fn fields(message: &MessageRow) -> Map<String, Json> {
    let fields = message.fields.iter().map(|(name, value)| {
        let value = match value {
            Value::Bool(value) => json!(value),
            Value::Int(value) => json!(value),
            Value::Str(text) => json!(text),
            Value::Strs(texts) => json!(texts),
            Value::Days(_) => Json::Null,
        };
        (name.to_string(), value)
    });
    fields.collect()
}
