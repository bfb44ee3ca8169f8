//! What ops staff change. The meaning is `machine::world`'s; here it is made true on a server that others use at the same
//! time: read what the change depends on, decide, and have a script make it, unless something moved in between.

use std::sync::Arc;

use machine::ids::Lane;
use machine::luck::Seed;
use machine::model::Durability;
use machine::world::{
    Action, Admin, AdminOutcome, Counter, CounterKey, Done, DraftPlace, Live, Measure, Refused,
    Revision, WHOLE, shared as with_share,
};
use redis::Value;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::batch::MOST;
use super::draft;
use super::form;
use super::head::Head;
use super::keys::{OfCampaign, OfTenant};
use super::note::{self, Note};
use super::shared::{Shared, strange};
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
struct Found {
    keys: OfCampaign,
    head_bytes: Vec<u8>,
    head: Option<Head>,
    setups: [Option<Setup>; 2],
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
struct Plan {
    head: Option<Head>,
    revision: Option<(u32, Vec<u8>)>,
    setups: [Option<Setup>; 2],
    tallies: bool,
    /// Whether the test lane is to be emptied: its tally goes, and without it nothing is written there.
    empties: bool,
    /// For the note: the test lane's counters as they are made anew, once it is empty.
    renewed: Option<Vec<(String, u64)>>,
    /// Lane, counter, `figure`, `add` or `take`, number.
    counters: Vec<(Lane, CounterKey, &'static str, String)>,
    /// Where the draft is afterwards, where it was published.
    draft: Option<DraftPlace>,
    /// For the note.
    done: Done,
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
        if matches!(change.action, Action::PublishDraft { .. }) {
            found.draft = draft::place(shared, &change.tenant, campaign).await?;
        }
        let plan = match plan(shared, change, &found).await? {
            Ok(plan) => plan,
            Err(no) => return Ok(no),
        };
        let done = Done {
            draft: match &change.action {
                Action::PublishDraft { from, .. } => Some(from.version),
                _ => None,
            },
            ..plan.done.clone()
        };
        let mut note = Note::new(change, campaign, &done)?;
        note.renewed.clone_from(&plan.renewed);
        let note = note.write()?;
        if matches!(
            change.action,
            Action::Publish { .. } | Action::PublishDraft { .. }
        ) {
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
        | Action::DropList { .. } => Err(AdminOutcome::Already),
        Action::PublishDraft {
            campaign,
            edition,
            definition,
            stock,
            budget,
            seeds,
            from,
        } => {
            let newest = match found.alive(campaign, *edition) {
                Ok(head) => head.newest,
                Err(_) => 0,
            };
            let after = match found.draft.0.published(campaign, from, newest) {
                Ok(after) => after,
                Err(no) => return Ok(Err(no.into())),
            };
            if found.head.as_ref().is_some_and(|head| head.purged) {
                let no = Refused::Purged(campaign.clone(), *edition);
                return Ok(Err(AdminOutcome::Refused(no)));
            }
            let new = New {
                definition,
                figures: (stock.as_slice(), *budget),
                seeds: Some(seeds),
                beside: None,
            };
            let revised = revise(shared, change, found, new).await?;
            revised.map(|plan| Plan {
                draft: Some(after),
                ..plan
            })
        }
        Action::Publish {
            campaign,
            edition,
            definition,
            stock,
            budget,
            seeds,
        } => {
            if found.head.as_ref().is_some_and(|head| head.purged) {
                let no = Refused::Purged(campaign.clone(), *edition);
                return Ok(Err(AdminOutcome::Refused(no)));
            }
            let new = New {
                definition,
                figures: (stock.as_slice(), *budget),
                seeds: Some(seeds),
                beside: None,
            };
            revise(shared, change, found, new).await?
        }
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

/// A ceiling lowered from where it is now, as far as what is gone leaves it: the script looks whether both still are so far.
async fn withdraw(
    shared: &Shared,
    found: &Found,
    lane: Lane,
    reward: &Arc<str>,
    units: Option<u32>,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let key = CounterKey::Stock(reward.clone());
    let Some(seen) = counter(shared, found, lane, &key).await? else {
        let no = Refused::NoSuchStock(reward.clone());
        return Ok(Err(AdminOutcome::Refused(no)));
    };
    let mut after = seen;
    let withdrawn = after.withdraw(units);
    if withdrawn == 0 {
        return Ok(Err(AdminOutcome::Already));
    }
    let figure = format!("{} {}", seen.ceiling, after.ceiling);
    Ok(Ok(Plan {
        counters: vec![(lane, key, "take", figure)],
        done: Done {
            ceiling: Some(after.ceiling),
            withdrawn: Some(withdrawn),
            ..Done::default()
        },
        ..Plan::default()
    }))
}

async fn counter(
    shared: &Shared,
    found: &Found,
    lane: Lane,
    key: &CounterKey,
) -> Result<Option<Counter>, Error> {
    let counter = found.keys.lane(lane).counter(key);
    let command = redis::cmd("GET").arg(counter).to_owned();
    Ok(match shared.tell(&command).await? {
        Value::BulkString(bytes) => super::read::counter_of(&bytes),
        _ => None,
    })
}

/// The counters of the test lane that a publish made, with the figures that it asked for. Nobody else publishes meanwhile: that
/// would leave another head, or a note.
async fn configured(shared: &Shared, found: &Found) -> Result<Vec<(String, u64)>, Error> {
    let lane = found.keys.lane(Lane::Test);
    let names = redis::cmd("SMEMBERS").arg(lane.counters()).to_owned();
    let names: Vec<String> = match shared.tell(&names).await? {
        Value::Array(names) | Value::Set(names) => names
            .into_iter()
            .filter_map(|name| match name {
                Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
                _ => None,
            })
            .collect(),
        other => return Err(strange(&other)),
    };
    let mut made = Vec::new();
    for name in names {
        let key = super::read::counter_key(&name);
        // A day's budget begins by itself.
        let Some(key) = key.filter(|key| !matches!(key, CounterKey::BudgetDay(_))) else {
            continue;
        };
        let command = redis::cmd("GET").arg(lane.counter(&key)).to_owned();
        if let Value::BulkString(bytes) = shared.tell(&command).await?
            && let Some(counter) = super::read::counter_of(&bytes)
        {
            made.push((name, counter.configured.unsigned_abs()));
        }
    }
    Ok(made)
}

/// A ceiling raised from where it is now: the script looks whether it still is.
async fn add_stock(
    shared: &Shared,
    found: &Found,
    lane: Lane,
    reward: &Arc<str>,
    add: u32,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let key = CounterKey::Stock(reward.clone());
    let Some(counter) = counter(shared, found, lane, &key).await? else {
        let no = Refused::NoSuchStock(reward.clone());
        return Ok(Err(AdminOutcome::Refused(no)));
    };
    Ok(Ok(Plan {
        counters: vec![(lane, key, "add", format!("{add} {}", counter.ceiling))],
        done: Done {
            ceiling: Some(counter.ceiling + i64::from(add)),
            ..Done::default()
        },
        ..Plan::default()
    }))
}

/// A revision to come.
struct New<'a> {
    definition: &'a Arc<[u8]>,
    figures: (&'a [(Arc<str>, u32)], Option<i64>),
    /// For the first of an edition.
    seeds: Option<&'a (Seed, Seed)>,
    /// The live revision that it stands beside, and the share that it takes of the users; none: it is for all of them.
    beside: Option<(u32, u32)>,
}

/// The next revision. Seeds are made with the first.
async fn revise(
    shared: &Shared,
    change: &Admin,
    found: &Found,
    new: New<'_>,
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let refused = |no| Ok(Err(AdminOutcome::Refused(no)));
    let sha256: [u8; 32] = Sha256::digest(new.definition).into();
    let live = found.head.as_ref().map_or(&[][..], |head| &head.live);
    let mut strict = durability(new.definition) == Durability::Strict;
    // One for all is published already if it is live for all; one for a share if anybody has it.
    if new.beside.is_some() || live.len() == 1 {
        for one in live {
            let Some(known) = revision(shared, &found.keys, one.revision).await? else {
                continue;
            };
            if known.sha256 == sha256 {
                return Ok(Err(AdminOutcome::Already));
            }
            if new.beside.is_some() {
                strict |= durability(&known.definition) == Durability::Strict;
            }
        }
    }
    let newest = found.head.as_ref().map_or(0, |head| head.newest);
    let number = newest + 1;
    let live = match new.beside {
        None => vec![Live {
            revision: number,
            share: WHOLE,
        }],
        Some((over, share)) => {
            let [only] = live else {
                return refused(Refused::TwoAreLive);
            };
            if only.revision != over {
                return refused(Refused::OthersAreLive);
            }
            if !(1..WHOLE).contains(&share) {
                return refused(Refused::NoShare);
            }
            vec![
                Live {
                    revision: over,
                    share: WHOLE - share,
                },
                Live {
                    revision: number,
                    share,
                },
            ]
        }
    };
    let Some(counters) = figures(new.figures) else {
        return refused(Refused::TooMuch);
    };
    let made = Revision {
        sha256,
        definition: new.definition.clone(),
        at: change.at,
        by: change.by.clone(),
    };
    let epoch = found
        .head
        .as_ref()
        .map_or(change.at.unsigned_abs().max(1), |head| head.epoch);
    let setup = |known: &Option<Setup>, seed: Option<&Seed>| {
        let begin = || {
            seed.map(|seed| Setup {
                seed: seed.clone(),
                epoch,
                clock_offset: 0,
                strict,
            })
        };
        let setup = known.clone().or_else(begin)?;
        Some(Setup { strict, ..setup })
    };
    Ok(Ok(Plan {
        head: Some(Head {
            epoch,
            newest: number,
            live,
            pause: found.head.as_ref().and_then(|head| head.pause.clone()),
            purged: false,
            stopped: found
                .head
                .as_ref()
                .map_or_else(Vec::new, |head| head.stopped.clone()),
            notice: found.head.as_ref().and_then(|head| head.notice.clone()),
        }),
        revision: Some((number, form::encode(&made)?)),
        setups: [
            setup(&found.setups[0], new.seeds.map(|seeds| &seeds.0)),
            setup(&found.setups[1], new.seeds.map(|seeds| &seeds.1)),
        ],
        tallies: found.head.is_none(),
        empties: false,
        renewed: None,
        counters,
        draft: None,
        done: Done {
            revision: Some(number),
            ..Done::default()
        },
    }))
}

/// Another share for the newer of two live revisions.
async fn give_share(
    shared: &Shared,
    found: &Found,
    head: Head,
    (arms, share): ((u32, u32), u32),
    asked: (&[(Arc<str>, u32)], Option<i64>),
) -> Result<Result<Plan, AdminOutcome>, Error> {
    let live = match with_share(&head.live, arms, share) {
        Ok(live) => live,
        Err(no) => return Ok(Err(no)),
    };
    let Some(counters) = figures(asked) else {
        return Ok(Err(AdminOutcome::Refused(Refused::TooMuch)));
    };
    let mut strict = false;
    for one in &live {
        let known = revision(shared, &found.keys, one.revision).await?;
        // What is not there can't be known to be less.
        strict |= known.is_none_or(|known| durability(&known.definition) == Durability::Strict);
    }
    let setup = |known: &Option<Setup>| known.clone().map(|setup| Setup { strict, ..setup });
    Ok(Ok(Plan {
        head: Some(Head { live, ..head }),
        setups: [setup(&found.setups[0]), setup(&found.setups[1])],
        counters,
        done: Done {
            revision: Some(if share == 0 { arms.0 } else { arms.1 }),
            ..Done::default()
        },
        ..Plan::default()
    }))
}

/// The counters' new figures, in both lanes; none where one is beyond what a counter holds.
fn figures(
    (stock, budget): (&[(Arc<str>, u32)], Option<i64>),
) -> Option<Vec<(Lane, CounterKey, &'static str, String)>> {
    if budget.is_some_and(|figure| !(0..=MOST).contains(&figure)) {
        return None;
    }
    let mut counters = Vec::new();
    for lane in [Lane::Live, Lane::Test] {
        for (reward, units) in stock {
            let key = CounterKey::Stock(reward.clone());
            counters.push((lane, key, "figure", units.to_string()));
        }
        if let Some(total) = budget {
            counters.push((lane, CounterKey::Budget, "figure", total.to_string()));
        }
    }
    Some(counters)
}

/// What a definition declares; what can't be read is taken for the stricter.
fn durability(definition: &[u8]) -> Durability {
    #[derive(Deserialize)]
    struct Declared {
        durability: Durability,
    }
    serde_json::from_slice::<Declared>(definition)
        .map_or(Durability::Strict, |declared| declared.durability)
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
