//! What ops staff change. The meaning is `machine::world`'s; here it is made true on a server that others use at the same
//! time: read what the change depends on, decide, and have a script make it, unless something moved in between.

use std::sync::Arc;

use machine::ids::Lane;
use machine::luck::Seed;
use machine::world::{
    Action, Admin, AdminOutcome, CounterKey, Done, DraftPlace, Measure, Refused, Revision,
};
use redis::Value;
use serde::{Deserialize, Serialize};

use super::draft;
use super::form;
use super::head::Head;
use super::keys::{OfCampaign, OfTenant};
use super::note::{self, Note};
use super::revise::{New, give_share, publish, revise};
use super::shared::{Shared, strange};
use super::stock::{add_stock, close_entries, configured, fill_stock, withdraw};
use crate::Error;

/// How often others may be quicker.
const TRIES: u32 = 32;

/// A lane's lasting settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Setup {
    pub seed: Seed,
    pub epoch: u64,
    pub clock_offset: i64,
    /// Whether a live revision asks for `strict`.
    pub strict: bool,
}

/// A campaign as a change finds it.
pub(super) struct Found {
    pub keys: OfCampaign,
    head_bytes: Vec<u8>,
    pub head: Option<Head>,
    pub setups: [Option<Setup>; 2],
    /// Where its draft is, and the bytes that said so.
    draft: (DraftPlace, Vec<u8>),
}

impl Found {
    /// The campaign's head, if it is there and not purged.
    fn alive(&self, campaign: &Arc<str>, edition: u32) -> Result<Head, AdminOutcome> {
        let alive = self.head.clone().filter(|head| !head.purged);
        alive.ok_or_else(|| {
            AdminOutcome::Refused(Refused::NoSuchCampaign(campaign.clone(), edition))
        })
    }
}

/// What the script is asked to make true.
#[derive(Default)]
pub(super) struct Plan {
    pub head: Option<Head>,
    pub revision: Option<(u32, Vec<u8>)>,
    pub setups: [Option<Setup>; 2],
    pub tallies: bool,
    /// Whether the test lane is to be emptied: its tally goes, and without it nothing is written there.
    pub empties: bool,
    /// For the note: the test lane's counters as they are made anew, once it is empty.
    pub renewed: Option<Vec<(String, u64)>>,
    /// Lane, counter, `figure`, `add` or `take`, number.
    pub counters: Vec<(Lane, CounterKey, &'static str, String)>,
    /// Where the draft is afterwards, where it was published.
    pub draft: Option<DraftPlace>,
    /// For the note.
    pub done: Done,
}

/// Makes a change.
pub(super) async fn admin(shared: &Shared, change: &Admin) -> Result<AdminOutcome, Error> {
    if let Action::CreateTenant { secret } = &change.action {
        return Ok(if note::create(shared, change, &secret.0).await? {
            AdminOutcome::Done(Done::default())
        } else {
            AdminOutcome::Already
        });
    }
    if matches!(change.action, Action::Unpark { .. }) {
        return super::parked::unpark(shared, change).await;
    }
    if let Action::Draft { campaign, deed } = &change.action {
        return draft::deed(shared, change, campaign, deed).await;
    }
    if let Some(outcome) = super::measure::of_tenant(shared, change).await? {
        return Ok(outcome);
    }
    if matches!(change.action, Action::DropList { .. }) {
        return super::lists::make(shared, change, 0).await;
    }
    if matches!(change.action, Action::BindPool { .. }) {
        return super::codes::bind(shared, change).await;
    }
    let Some((campaign, edition)) = change.action.campaign() else {
        return Ok(AdminOutcome::Already);
    };
    for _ in 0..TRIES {
        if let Some(answer) = answered(shared, change).await? {
            return Ok(answer);
        }
        let keys = OfCampaign::new(&change.tenant, campaign, edition);
        let (mut found, note) = look(shared, keys).await?;
        if let Some(note) = note {
            // Someone's change is made and not booked, maybe this caller's own from before a crash.
            note::settle(shared, &change.tenant, &found.keys.note(), &note).await?;
            continue;
        }
        if matches!(change.action, Action::PublishDraft(..)) {
            found.draft = draft::place(shared, &change.tenant, campaign).await?;
        }
        let plan = match plan(shared, change, &found).await? {
            Ok(plan) => plan,
            Err(no) => return Ok(no),
        };
        let done = Done {
            draft: match &change.action {
                Action::PublishDraft(_, from) => Some(from.version),
                _ => None,
            },
            ..plan.done.clone()
        };
        let mut note = Note::new(change, campaign, &done)?;
        note.renewed.clone_from(&plan.renewed);
        let note = note.write()?;
        if matches!(change.action, Action::Publish(_) | Action::PublishDraft(..)) {
            // Before the campaign is there: a name that leads nowhere is passed over, a campaign without a name would be lost.
            let name = format!("{}/{campaign}/{edition}", change.tenant);
            let command = redis::cmd("SADD")
                .arg(super::keys::campaigns())
                .arg(name)
                .to_owned();
            shared.tell(&command).await?;
            if found.head.is_none() {
                super::measure::welcome(shared, &change.tenant, &found.keys).await?;
            }
        }
        match make(shared, &found, &plan, &note).await?.as_slice() {
            b"ok" => {}
            b"moved" => continue,
            b"much" => return Ok(AdminOutcome::Refused(Refused::TooMuch)),
            b"none" => {
                let (Action::AddStock { reward, .. }
                | Action::Measure(Measure::Withdraw { reward, .. })) = &change.action
                else {
                    return Err(Error::NotWritten("a counter is missing".to_owned()));
                };
                return Ok(AdminOutcome::Refused(Refused::NoSuchStock(reward.clone())));
            }
            other => {
                return Err(Error::Unknown(format!(
                    "the script answered {}",
                    String::from_utf8_lossy(other)
                )));
            }
        }
        let done = note::settle(shared, &change.tenant, &found.keys.note(), note.as_bytes()).await;
        if found.head.is_none() {
            super::measure::settle(shared, &change.tenant, &found.keys).await?;
        }
        super::watch::tell(shared).await;
        return Ok(AdminOutcome::Done(done.map_err(|error| match error {
            // The change is made; what is open is its place in the audit. The same key finds it.
            Error::NotWritten(why) | Error::Read(why) => Error::Unknown(why),
            other => other,
        })?));
    }
    Err(Error::Busy)
}

/// The answer that stands already: to this key, or that there is no such tenant.
pub(super) async fn answered(
    shared: &Shared,
    change: &Admin,
) -> Result<Option<AdminOutcome>, Error> {
    let keys = OfTenant(&change.tenant);
    let mut command = redis::cmd("MGET");
    command.arg(keys.secret());
    if let Some((key, _)) = &change.key {
        command.arg(keys.answer(&note::key_hash(key)));
    }
    let values = values(shared.tell(&command).await?)?;
    let mut values = values.into_iter();
    if values.next().flatten().is_none() {
        let no = Refused::NoSuchTenant(change.tenant.clone());
        return Ok(Some(AdminOutcome::Refused(no)));
    }
    let known = values.next().flatten();
    let (Some(known), Some((_, fingerprint))) = (known, &change.key) else {
        return Ok(None);
    };
    Ok(note::remembered(&known, fingerprint, change.at)?
        .map(|known| known.map_or(AdminOutcome::KeyReused, AdminOutcome::Replayed)))
}

async fn look(shared: &Shared, keys: OfCampaign) -> Result<(Found, Option<Vec<u8>>), Error> {
    let (live, test) = (keys.lane(Lane::Live), keys.lane(Lane::Test));
    let command = redis::cmd("MGET")
        .arg(keys.head())
        .arg(keys.note())
        .arg(live.setup())
        .arg(test.setup())
        .to_owned();
    let values = values(shared.tell(&command).await?)?;
    let [head, note, live, test]: [Option<Vec<u8>>; 4] = values
        .try_into()
        .map_err(|_| Error::Read("a campaign is read by half".to_owned()))?;
    let setup = |bytes: Option<Vec<u8>>| bytes.map(|bytes| read_setup(&bytes)).transpose();
    let found = Found {
        keys,
        head: head
            .as_deref()
            .map(Head::read)
            .transpose()
            .map_err(|error| Error::Read(format!("a campaign's head: {error}")))?,
        head_bytes: head.unwrap_or_default(),
        setups: [setup(live)?, setup(test)?],
        draft: (DraftPlace::default(), Vec::new()),
    };
    Ok((found, note))
}

async fn plan(
    shared: &Shared,
    change: &Admin,
    found: &Found,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let known = |campaign: &Arc<str>, edition: u32| found.alive(campaign, edition);
    Ok(match &change.action {
        // Of a tenant and of no campaign, or of its draft: made elsewhere.
        Action::CreateTenant { .. }
        | Action::Unpark { .. }
        | Action::Draft { .. }
        | Action::PutList { .. }
        | Action::DropList { .. }
        | Action::PutCodes { .. }
        | Action::BindPool { .. } => Err(AdminOutcome::Already),
        Action::FillStock {
            campaign,
            edition,
            reward,
            units,
        } => match known(campaign, *edition) {
            Ok(_) => fill_stock(shared, found, reward, *units).await?,
            Err(no) => Err(no),
        },
        Action::PublishDraft(new, from) => {
            let newest = match found.alive(&new.campaign, new.edition) {
                Ok(head) => head.newest,
                Err(_) => 0,
            };
            let after = match found.draft.0.published(&new.campaign, from, newest) {
                Ok(after) => after,
                Err(no) => return Ok(Err(no.into())),
            };
            let published = publish(shared, change, found, new).await?;
            published.map(|plan| Plan {
                draft: Some(after),
                ..plan
            })
        }
        Action::Publish(new) => publish(shared, change, found, new).await?,
        Action::Release {
            campaign,
            edition,
            definition,
            stock,
            budget,
            over,
            share,
        } => {
            if let Err(no) = known(campaign, *edition) {
                return Ok(Err(no));
            }
            let new = New {
                definition,
                figures: (stock.as_slice(), *budget),
                seeds: None,
                beside: Some((*over, *share)),
            };
            revise(shared, change, found, new).await?
        }
        Action::Share {
            campaign,
            edition,
            arms,
            share,
            stock,
            budget,
        } => match known(campaign, *edition) {
            Err(no) => Err(no),
            Ok(head) => {
                let figures = (stock.as_slice(), *budget);
                give_share(shared, found, head, (*arms, *share), figures).await?
            }
        },
        Action::Rollback {
            campaign,
            edition,
            to,
            stock,
            budget,
        } => match known(campaign, *edition) {
            Err(no) => Err(no),
            Ok(_) => match revision(shared, &found.keys, *to).await? {
                None => Err(AdminOutcome::Refused(Refused::NoSuchRevision(
                    campaign.clone(),
                    *to,
                ))),
                Some(earlier) => {
                    let new = New {
                        definition: &earlier.definition,
                        figures: (stock.as_slice(), *budget),
                        seeds: None,
                        beside: None,
                    };
                    revise(shared, change, found, new).await?
                }
            },
        },
        Action::Purge {
            campaign, edition, ..
        } => match &found.head {
            Some(head) if head.purged => Err(AdminOutcome::Already),
            _ => known(campaign, *edition).map(|head| Plan {
                head: Some(Head {
                    live: Vec::new(),
                    pause: None,
                    purged: true,
                    stopped: Vec::new(),
                    notice: None,
                    ..head
                }),
                ..Plan::default()
            }),
        },
        Action::PurgeTest {
            campaign, edition, ..
        } => match known(campaign, *edition) {
            Err(no) => Err(no),
            Ok(_) => Ok(Plan {
                setups: [
                    None,
                    found.setups[1].clone().map(|setup| Setup {
                        clock_offset: 0,
                        ..setup
                    }),
                ],
                empties: true,
                renewed: Some(configured(shared, found).await?),
                ..Plan::default()
            }),
        },
        Action::Pause {
            campaign,
            edition,
            pause,
        } => known(campaign, *edition).map(|head| Plan {
            head: Some(Head {
                pause: Some(pause.clone()),
                ..head
            }),
            ..Plan::default()
        }),
        Action::Resume { campaign, edition } => known(campaign, *edition).and_then(|head| {
            if head.pause.is_none() {
                return Err(AdminOutcome::Already);
            }
            Ok(Plan {
                head: Some(Head {
                    pause: None,
                    ..head
                }),
                ..Plan::default()
            })
        }),
        Action::AddStock {
            campaign,
            edition,
            lane,
            reward,
            add,
        } => match known(campaign, *edition) {
            Ok(_) => add_stock(shared, found, *lane, reward, *add).await?,
            Err(no) => Err(no),
        },
        Action::MoveClock {
            campaign,
            edition,
            offset,
        } => known(campaign, *edition).map(|_| Plan {
            setups: [
                None,
                found.setups[1].clone().map(|setup| Setup {
                    clock_offset: *offset,
                    ..setup
                }),
            ],
            ..Plan::default()
        }),
        Action::CloseEntries {
            campaign,
            edition,
            lane,
            draw,
        } => match known(campaign, *edition) {
            Ok(_) => close_entries(shared, found, *lane, draw).await?,
            Err(no) => Err(no),
        },
        Action::Measure(measure) => take(shared, found, measure).await?,
    })
}

/// A measure on a campaign.
async fn take(
    shared: &Shared,
    found: &Found,
    measure: &Measure,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let Some((campaign, edition)) = measure.campaign() else {
        // Of a tenant: made elsewhere.
        return Ok(Err(AdminOutcome::Already));
    };
    let mut head = match found.alive(campaign, edition) {
        Ok(head) => head,
        Err(no) => return Ok(Err(no)),
    };
    let place = |head: &Head, reward: &Arc<str>| head.stopped.binary_search(reward);
    match measure {
        Measure::StopReward { reward, .. } => match place(&head, reward) {
            Ok(_) => return Ok(Err(AdminOutcome::Already)),
            Err(at) => head.stopped.insert(at, reward.clone()),
        },
        Measure::StartReward { reward, .. } => match place(&head, reward) {
            Ok(at) => drop(head.stopped.remove(at)),
            Err(_) => return Ok(Err(AdminOutcome::Already)),
        },
        Measure::Notice { notice, .. } => {
            if head.notice == *notice {
                return Ok(Err(AdminOutcome::Already));
            }
            head.notice.clone_from(notice);
        }
        Measure::Withdraw {
            lane,
            reward,
            units,
            ..
        } => return withdraw(shared, found, *lane, reward, *units).await,
        Measure::OnUser { .. }
        | Measure::PauseTenant { .. }
        | Measure::ResumeTenant
        | Measure::Block { .. }
        | Measure::Unblock { .. } => {}
    }
    Ok(Ok(Plan {
        head: Some(head),
        ..Plan::default()
    }))
}

async fn make(shared: &Shared, found: &Found, plan: &Plan, note: &str) -> Result<Vec<u8>, Error> {
    let keys = &found.keys;
    let draft = keys.draft();
    let lanes = [keys.lane(Lane::Live), keys.lane(Lane::Test)];
    let head = plan.head.as_ref().or(found.head.as_ref());
    let head = head
        .map(Head::write)
        .transpose()
        .map_err(|error| Error::NotWritten(error.to_string()))?
        .unwrap_or_default();
    let (number, revision) = plan.revision.clone().unwrap_or_default();
    let setup = |setup: &Option<Setup>| setup.as_ref().map_or(Ok(Vec::new()), form::encode);
    let mut call = shared
        .scripts
        .change
        .call()
        .key(keys.head())
        .key(keys.note())
        .key(keys.revision(number))
        .key(lanes[0].setup())
        .key(lanes[1].setup())
        .key(lanes[0].tally())
        .key(lanes[1].tally())
        .key(lanes[0].counters())
        .key(lanes[1].counters())
        .key(&draft)
        .arg(found.head_bytes.as_slice())
        .arg(head)
        .arg(note)
        .arg(revision)
        .arg(setup(&plan.setups[0])?)
        .arg(setup(&plan.setups[1])?)
        .arg(match (plan.tallies, plan.empties) {
            (true, _) => "1",
            (false, true) => "x",
            (false, false) => "",
        })
        .arg(found.draft.1.as_slice())
        .arg(plan.draft.as_ref().map_or(Ok(Vec::new()), form::encode)?);
    for (lane, counter, what, number) in &plan.counters {
        let at = usize::from(*lane == Lane::Test);
        call = call
            .key(lanes[at].counter(counter))
            .arg((at + 1).to_string())
            .arg(counter.to_string())
            .arg(*what)
            .arg(number.as_str());
    }
    match shared.run(&call).await? {
        Value::BulkString(word) => Ok(word),
        Value::SimpleString(word) => Ok(word.into_bytes()),
        other => Err(strange(&other)),
    }
}

/// A published revision.
pub(super) async fn revision(
    shared: &Shared,
    keys: &OfCampaign,
    number: u32,
) -> Result<Option<Revision>, Error> {
    let command = redis::cmd("GET").arg(keys.revision(number)).to_owned();
    match shared.ask(&command).await? {
        Value::BulkString(bytes) => form::decode("a revision", &bytes).map(Some),
        _ => Ok(None),
    }
}

/// A published revision's hash, which stands at the beginning of it.
pub(super) async fn sha256(
    shared: &Shared,
    keys: &OfCampaign,
    number: u32,
) -> Result<Option<[u8; 32]>, Error> {
    let command = redis::cmd("GETRANGE")
        .arg(keys.revision(number))
        .arg(0)
        .arg(32)
        .to_owned();
    match shared.ask(&command).await? {
        Value::BulkString(bytes) if !bytes.is_empty() => {
            form::decode("a revision's hash", &bytes).map(Some)
        }
        _ => Ok(None),
    }
}

/// Reads a lane's setup.
pub(super) fn read_setup(bytes: &[u8]) -> Result<Setup, Error> {
    form::decode("a lane's setup", bytes)
}

/// The values of an MGET.
pub(super) fn values(value: Value) -> Result<Vec<Option<Vec<u8>>>, Error> {
    let Value::Array(values) = value else {
        return Err(Error::Read(format!("several values are {value:?}")));
    };
    Ok(values
        .into_iter()
        .map(|value| match value {
            Value::BulkString(bytes) => Some(bytes),
            _ => None,
        })
        .collect())
}
