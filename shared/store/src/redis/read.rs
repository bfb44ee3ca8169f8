//! Reads: what is remembered of a call, a lane, what is published, who is due. The ledger's are in `rows`.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use machine::Millis;
use machine::calendar::Day;
use machine::ids::{CampaignKey, Lane as LaneName, Pseudonym};
use machine::world::{Answer, Counter, CounterKey, Recalled, Unit};
use redis::Value;

use super::admin::{self, read_setup, values};
use super::head::Head;
use super::keys::{OfCampaign, OfLane, campaigns};
use super::record::{self, Kept, Unreadable};
use super::rows::entries;
use super::shared::{Known, Shared, not_read};
use crate::{Asked, Error, Lane, Published, Setup};

/// How many campaigns are asked about at once: a start waits for few round trips, and leaves room for calls.
const AT_ONCE: usize = 128;

/// How many pages of those who are due are looked through for someone who is not blocked.
const DUE_PAGES: usize = 64;

/// How long replicas may take to confirm what is answered again.
const WAIT: Duration = Duration::from_secs(1);

/// For how many days a day's budget is shown, as `machine::world` keeps it.
const KEEP_DAYS: Day = 8;

pub(super) fn unreadable(what: &str) -> impl Fn(Unreadable) -> Error + '_ {
    move |error| Error::Read(format!("{what}: {error}"))
}

/// What is known about a caller and a key, in one read.
pub(super) async fn recall(
    shared: &Shared,
    keys: &OfLane,
    key: &CampaignKey,
    user: Pseudonym,
    asked: Option<Asked<'_>>,
) -> Result<Recalled, Error> {
    let campaign = OfCampaign::new(&key.tenant, &key.campaign, key.edition);
    let command = redis::cmd("MGET")
        .arg(campaign.head())
        .arg(keys.participant(&user))
        .arg(campaign.halt())
        .to_owned();
    let blocked = redis::cmd("HGET")
        .arg(campaign.blocked())
        .arg(user.to_string())
        .to_owned();
    // Together: it takes no longer than one.
    let (found, blocked) = try_join(shared.ask(&command), shared.ask(&blocked)).await?;
    let blocked = match blocked {
        Value::BulkString(until) => Some(super::measure::read_blocked(&until)),
        _ => None,
    };
    let [head, value, halt]: [Option<Vec<u8>>; 3] = values(found)?
        .try_into()
        .map_err(|_| Error::Read("a recall came by half".to_owned()))?;
    let Some(head) = head else {
        return Ok(Recalled {
            answer: None,
            participant: None,
            live: Vec::new(),
            pause: None,
            blocked: None,
        });
    };
    let halt = halt
        .as_deref()
        .map(super::measure::read_pause)
        .transpose()?;
    let head = Head::read(&head).map_err(unreadable("a campaign's head"))?;
    let value = value.filter(|_| !head.purged);
    let what = "a participant's record";
    let value = value
        .as_deref()
        .map(record::Value::of)
        .transpose()
        .map_err(unreadable(what))?;
    let kept = value
        .zip(asked)
        .and_then(|(value, asked)| value.answer(asked.key, asked.fingerprint, asked.now));
    let answer = match kept {
        None => None,
        Some(Err(used)) => Some(Err(used)),
        Some(Ok(kept)) => Some(Ok(answer_of(shared, keys, kept).await?)),
    };
    let replicas = shared.address.replicas;
    let strict = shared.known(key).is_none_or(|known| known.strict);
    if replicas > 0 && strict && matches!(answer, Some(Ok(_))) {
        // It may stand on the primary only: an answer that is given again must be as safe as one that is given first.
        let touch = shared.scripts.touch.call().key(keys.tally());
        let (_, acked) = touch
            .run_and_wait(&shared.links, replicas, WAIT)
            .await
            .map_err(|error| not_read(&error))?;
        if acked < replicas {
            return Err(Error::Unknown(format!(
                "{acked} of {replicas} replicas have it so far"
            )));
        }
    }
    Ok(Recalled {
        answer,
        participant: value
            .map(|value| value.participant().map(Arc::new))
            .transpose()
            .map_err(unreadable(what))?,
        live: head.live,
        pause: halt.or(head.pause).filter(|_| key.lane == LaneName::Live),
        blocked,
    })
}

/// Which units of stock those of a participant's grants are that are codes.
pub(super) async fn units(
    shared: &Shared,
    key: &CampaignKey,
    user: Pseudonym,
) -> Result<Vec<Unit>, Error> {
    let campaign = OfCampaign::new(&key.tenant, &key.campaign, key.edition);
    let command = redis::cmd("MGET")
        .arg(campaign.head())
        .arg(OfLane::new(key).participant(&user))
        .to_owned();
    let found = values(shared.ask(&command).await?)?;
    let [Some(head), Some(value)] = found.as_slice() else {
        return Ok(Vec::new());
    };
    if Head::read(head)
        .map_err(unreadable("a campaign's head"))?
        .purged
    {
        return Ok(Vec::new());
    }
    let what = unreadable("a participant's record");
    record::Value::of(value)
        .and_then(|value| value.units())
        .map_err(what)
}

/// The text of a remembered answer.
async fn answer_of(shared: &Shared, keys: &OfLane, kept: Kept) -> Result<Answer, Error> {
    let id = format!("{}-{}", kept.ms, kept.seq);
    let command = redis::cmd("XRANGE")
        .arg(keys.answers())
        .arg(&id)
        .arg(&id)
        .to_owned();
    let told = entries(shared.ask(&command).await?)?.pop();
    told.and_then(|entry| {
        let place = usize::try_from(kept.place).ok()?.checked_sub(1)?;
        let (_, answer) = entry.fields.into_iter().nth(place)?;
        Some(answer.into())
    })
    .ok_or_else(|| {
        Error::Read("it was done before, and its answer is not kept any more".to_owned())
    })
}

/// All published campaigns; and their keys and notes that still wait for the audit.
pub(super) async fn published(shared: &Shared) -> Result<Vec<Published>, Error> {
    let mut names = strings(
        shared
            .ask(&redis::cmd("SMEMBERS").arg(campaigns()).to_owned())
            .await?,
    );
    names.sort();
    let looks = stream::iter(names).map(|name| published_one(shared, name));
    let found: Vec<Option<Published>> = looks.buffered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// A campaign by its name in the set of all; none where it is not there yet, or purged.
async fn published_one(shared: &Shared, name: String) -> Result<Option<Published>, Error> {
    let mut parts = name.split('/');
    let (Some(tenant), Some(campaign), Some(Ok(edition))) =
        (parts.next(), parts.next(), parts.next().map(str::parse))
    else {
        return Err(Error::Read(format!("`{name}` is no campaign's name")));
    };
    let keys = OfCampaign::new(tenant, campaign, edition);
    let heads = redis::cmd("MGET")
        .arg(keys.head())
        .arg(keys.note())
        .arg(keys.halt())
        .to_owned();
    let rules = redis::cmd("SMEMBERS").arg(keys.rules()).to_owned();
    let (heads, rules) = try_join(shared.ask(&heads), shared.ask(&rules)).await?;
    let mut heads = values(heads)?.into_iter();
    // A name is written before its campaign.
    let Some(head) = heads.next().flatten() else {
        return Ok(None);
    };
    let note = heads.next().flatten();
    let halt = heads.next().flatten();
    let halt = halt
        .as_deref()
        .map(super::measure::read_pause)
        .transpose()?;
    if let Some(note) = note {
        // Left behind by someone who crashed, or just being booked: booking it twice books it once.
        if let Err(error) = super::note::settle(shared, tenant, &keys.note(), &note).await {
            tracing::warn!(%error, campaign = name, "a change could not be booked in the audit yet");
        }
    }
    let head = Head::read(&head).map_err(unreadable("a campaign's head"))?;
    if head.purged {
        return Ok(None);
    }
    let mut rules = strings(rules);
    rules.sort();
    Ok(Some(Published {
        tenant: tenant.into(),
        campaign: campaign.into(),
        edition,
        newest: head.newest,
        live: head.live,
        pause: head.pause,
        tenant_pause: halt,
        stopped: head.stopped,
        notice: head.notice,
        granted_rules: rules.into_iter().map(Arc::from).collect(),
    }))
}

/// What a lane was begun with, as [`lane`] tells it too.
pub(super) async fn setup(shared: &Shared, key: &CampaignKey) -> Result<Option<Setup>, Error> {
    let keys = OfLane::new(key);
    let campaign = OfCampaign::new(&key.tenant, &key.campaign, key.edition);
    let command = redis::cmd("MGET")
        .arg(campaign.head())
        .arg(keys.setup())
        .arg(keys.tally())
        .to_owned();
    let mut values = values(shared.ask(&command).await?)?.into_iter();
    begun(shared, key, &mut values).map(|begun| {
        begun.map(|(setup, _)| Setup {
            seed: setup.seed,
            clock_offset: setup.clock_offset,
        })
    })
}

/// A lane's setup and tally, from the values of its head, setup and tally; none where one is missing.
fn begun(
    shared: &Shared,
    key: &CampaignKey,
    values: &mut impl Iterator<Item = Option<Vec<u8>>>,
) -> Result<Option<(admin::Setup, Vec<u8>)>, Error> {
    let mut next = || values.next().flatten();
    let (Some(head), Some(setup), Some(tally)) = (next(), next(), next()) else {
        return Ok(None);
    };
    if Head::read(&head)
        .map_err(unreadable("a campaign's head"))?
        .purged
    {
        return Ok(None);
    }
    let setup = read_setup(&setup)?;
    let known = Known {
        epoch: setup.epoch,
        strict: setup.strict,
    };
    shared.learn(key, known);
    Ok(Some((setup, tally)))
}

/// What a lane holds, participants apart.
pub(super) async fn lane(shared: &Shared, key: &CampaignKey) -> Result<Option<Lane>, Error> {
    let keys = OfLane::new(key);
    let names = redis::cmd("SMEMBERS").arg(keys.counters()).to_owned();
    let names = strings(shared.ask(&names).await?);
    let mut named: Vec<CounterKey> = names.iter().filter_map(|name| counter_key(name)).collect();
    named.sort();
    let newest = named
        .iter()
        .filter_map(CounterKey::day)
        .max()
        .unwrap_or_default();
    named.retain(|key| {
        key.day()
            .is_none_or(|day| day >= newest.saturating_sub(KEEP_DAYS))
    });
    // All in one read, so that counters and rows are of one moment. (A day's budget that begins between the two reads is
    // told by the next look.)
    let campaign = OfCampaign::new(&key.tenant, &key.campaign, key.edition);
    let mut command = redis::cmd("MGET");
    command
        .arg(campaign.head())
        .arg(keys.setup())
        .arg(keys.tally());
    for key in &named {
        command.arg(keys.counter(key));
    }
    let mut values = values(shared.ask(&command).await?)?.into_iter();
    let Some((setup, tally)) = begun(shared, key, &mut values)? else {
        return Ok(None);
    };
    let tally = String::from_utf8_lossy(&tally).into_owned();
    let mut figures = tally.split(' ').map(|figure| figure.parse().ok());
    let (rows, participants) = figures
        .next()
        .flatten()
        .zip(figures.next().flatten())
        .ok_or_else(|| Error::Read(format!("a tally is `{tally}`")))?;
    let counters = named
        .into_iter()
        .zip(values)
        // One that is missing stays missing: a commit that needs it is frozen.
        .filter_map(|(key, value)| Some((key, counter_of(value.as_deref()?)?)))
        .collect();
    Ok(Some(Lane {
        seed: setup.seed,
        clock_offset: setup.clock_offset,
        counters,
        participants,
        rows,
    }))
}

/// A team's tallies, in one read. One that is missing was never begun, or is let go of.
pub(super) async fn tallies(
    shared: &Shared,
    key: &CampaignKey,
    team: &Arc<str>,
    days: RangeInclusive<Day>,
) -> Result<Vec<u32>, Error> {
    let named = days.map(|day| CounterKey::Tally(team.clone(), day));
    issued(shared, key, named).await
}

/// How often each of these codes was used, in one read. One that is missing was never used.
pub(super) async fn uses(
    shared: &Shared,
    key: &CampaignKey,
    codes: &[Pseudonym],
) -> Result<Vec<u32>, Error> {
    issued(shared, key, codes.iter().copied().map(CounterKey::Code)).await
}

/// What each of these counters says is gone; 0 where there is none.
async fn issued(
    shared: &Shared,
    key: &CampaignKey,
    named: impl Iterator<Item = CounterKey>,
) -> Result<Vec<u32>, Error> {
    let keys = OfLane::new(key);
    let mut command = redis::cmd("MGET");
    let mut any = false;
    for counter in named {
        command.arg(keys.counter(&counter));
        any = true;
    }
    if !any {
        return Ok(Vec::new());
    }
    let found = values(shared.ask(&command).await?)?;
    let issued = |bytes: Option<Vec<u8>>| {
        let counter = counter_of(bytes?.as_slice())?;
        u32::try_from(counter.issued).ok()
    };
    Ok(found
        .into_iter()
        .map(|value| issued(value).unwrap_or(0))
        .collect())
}

/// Whether someone has a record in any of these lanes. Each lane's key is in a slot of its own, so each is asked for by
/// itself, and as many at once as a start asks for; the first that is there ends it.
pub(super) async fn is_known(
    shared: &Shared,
    lanes: &[CampaignKey],
    user: Pseudonym,
) -> Result<bool, Error> {
    let looks = stream::iter(lanes.to_vec());
    let looks = looks.map(|key| async move { has_record(shared, &key, user).await });
    let mut found = std::pin::pin!(looks.buffer_unordered(AT_ONCE));
    while let Some(known) = found.try_next().await? {
        if known {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn has_record(shared: &Shared, key: &CampaignKey, user: Pseudonym) -> Result<bool, Error> {
    let exists = redis::cmd("EXISTS")
        .arg(OfLane::new(key).participant(&user))
        .to_owned();
    match shared.ask(&exists).await? {
        Value::Int(0) => return Ok(false),
        Value::Int(_) => {}
        _ => {
            return Err(Error::Read(
                "whether there is a record was not said".to_owned(),
            ));
        }
    }
    // A purge writes the head first and takes the records away after it.
    let campaign = OfCampaign::new(&key.tenant, &key.campaign, key.edition);
    let head = redis::cmd("GET").arg(campaign.head()).to_owned();
    match shared.ask(&head).await? {
        Value::BulkString(head) => Head::read(&head)
            .map(|head| !head.purged)
            .map_err(unreadable("a campaign's head")),
        _ => Ok(false),
    }
}

/// The counter of this name; none for what a process that is newer, or older, has made.
pub(super) fn counter_key(name: &str) -> Option<CounterKey> {
    CounterKey::parse(name).filter(|key| !matches!(key, CounterKey::Stopped(_)))
}

/// A counter's value.
pub(super) fn counter_of(bytes: &[u8]) -> Option<Counter> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut words = text.split(' ').map(|word| word.parse().ok());
    Some(Counter {
        issued: words.next()??,
        ceiling: words.next()??,
        configured: words.next()??,
        shortfall: words.next()??,
    })
}

/// Up to `most` participants who are due; whoever is blocked is passed over, or those would stand before all others.
pub(super) async fn due(
    shared: &Shared,
    key: &CampaignKey,
    now: Millis,
    most: usize,
) -> Result<Vec<Pseudonym>, Error> {
    let campaign = OfCampaign::new(&key.tenant, &key.campaign, key.edition);
    let (keys, mut found, mut from) = (OfLane::new(key), Vec::new(), 0);
    for _ in 0..DUE_PAGES {
        let command = redis::cmd("ZRANGEBYSCORE")
            .arg(keys.timers())
            .arg("-inf")
            .arg(now)
            .arg("LIMIT")
            .arg(from)
            .arg(most)
            .to_owned();
        let page = strings(shared.ask(&command).await?)
            .iter()
            .map(|member| {
                member
                    .parse()
                    .map_err(|error| Error::Read(format!("a timer's member: {error}")))
            })
            .collect::<Result<Vec<Pseudonym>, Error>>()?;
        let blocked = super::measure::are_blocked(shared, &campaign, &page, now).await?;
        let free = page.iter().zip(blocked).filter(|(_, blocked)| !blocked);
        found.extend(free.map(|(user, _)| *user).take(most - found.len()));
        from += page.len();
        if page.len() < most || found.len() >= most {
            break;
        }
    }
    Ok(found)
}

/// A list or a set of texts.
pub(super) fn strings(value: Value) -> Vec<String> {
    let (Value::Array(items) | Value::Set(items)) = value else {
        return Vec::new();
    };
    items
        .into_iter()
        .filter_map(|item| match item {
            Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
            _ => None,
        })
        .collect()
}
