//! Measures of a whole tenant: its pause, and who is blocked. Each stands in the tenant's slot, beside the audit, and is brought
//! from there into the slot of every campaign, where commits look at it. It is acknowledged once every campaign has it; so from
//! then on it holds in every commit of every process.
//!
//! A campaign that is published meanwhile: its name is written first, then it takes what stands in the tenant's slot, then it
//! is there. A measure is written first and reads the names then. So either the measure finds the name, or the campaign finds
//! the measure. Whoever brings one looks afterwards whether it still stands: of a pause and a resume at once the later wins.
//!
//! A call that fails in between leaves some campaigns with it and some without: the same call again brings the rest.

use machine::ids::Pseudonym;
use machine::world::{Action, Admin, AdminOutcome, Block, Blocked, Measure, Pause};
use redis::Value;

use super::admin::values;
use super::form;
use super::head::Head;
use super::keys::{Key, OfCampaign, OfTenant, campaigns};
use super::note;
use super::parked::fields;
use super::read::strings;
use super::shared::Shared;
use crate::Error;

/// How often a measure may change under its spreading.
const TRIES: u32 = 64;

/// How many blocks are brought into a new campaign at once.
const AT_ONCE: usize = 500;

/// What stands for a block that does not end by itself.
const FOR_GOOD: &str = "-";

/// Makes a measure of a whole tenant; none: this is no such measure.
pub(super) async fn of_tenant(
    shared: &Shared,
    change: &Admin,
) -> Result<Option<AdminOutcome>, Error> {
    let Action::Measure(measure) = &change.action else {
        return Ok(None);
    };
    let (keys, user) = (OfTenant(&change.tenant), user_of(measure));
    let (key, value) = match measure {
        Measure::PauseTenant { pause } => (keys.pause(), write(pause)?),
        Measure::ResumeTenant => (keys.pause(), Vec::new()),
        Measure::Block { .. } => {
            let block = measure.block(change);
            (
                keys.blocks(),
                block.map_or(Ok(Vec::new()), |block| form::encode(&block))?,
            )
        }
        Measure::Unblock { .. } => (keys.blocks(), Vec::new()),
        Measure::StopReward { .. }
        | Measure::StartReward { .. }
        | Measure::Withdraw { .. }
        | Measure::OnUser { .. }
        | Measure::Notice { .. } => return Ok(None),
    };
    let outcome = stand(shared, change, key, value, user).await?;
    // What stood already may have been brought by half.
    if !matches!(outcome, AdminOutcome::KeyReused | AdminOutcome::Refused(_)) {
        let brought = match user {
            Some(user) => bring_block(shared, &change.tenant, user).await,
            None => bring_pause(shared, &change.tenant).await,
        };
        brought.map_err(|error| match error {
            // It stands: the same call again brings it to those that lack it.
            Error::NotWritten(why) | Error::Read(why) => Error::Unknown(why),
            other => other,
        })?;
        super::watch::tell(shared).await;
    }
    Ok(Some(outcome))
}

fn user_of(measure: &Measure) -> Option<Pseudonym> {
    match measure {
        Measure::Block { user, .. } | Measure::Unblock { user } => Some(*user),
        _ => None,
    }
}

fn write(pause: &Pause) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(pause).map_err(|error| Error::NotWritten(error.to_string()))
}

/// Reads what [`write`] wrote.
pub(super) fn read_pause(bytes: &[u8]) -> Result<Pause, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Read(format!("a tenant's pause is not readable: {error}")))
}

/// Reads what a campaign's slot says of a user.
pub(super) fn read_blocked(value: &[u8]) -> Blocked {
    let text = std::str::from_utf8(value).unwrap_or_default();
    // What can't be read keeps the user out: nothing is given on a guess.
    Blocked {
        until: text.parse().ok(),
    }
}

/// Writes it into the tenant's slot, with its place in the audit.
async fn stand(
    shared: &Shared,
    change: &Admin,
    key: Key,
    value: Vec<u8>,
    user: Option<Pseudonym>,
) -> Result<AdminOutcome, Error> {
    let field = user.map(|user| user.to_string()).unwrap_or_default();
    let script = &shared.scripts.measure;
    let args = [value.as_slice(), field.as_bytes()];
    let made = note::make_booked(shared, change, script, &[key], &args).await?;
    Ok(made.unwrap_or(AdminOutcome::Already))
}

/// The editions of a tenant that are there, or about to be.
async fn editions(shared: &Shared, tenant: &str) -> Result<Vec<OfCampaign>, Error> {
    let names = redis::cmd("SMEMBERS").arg(campaigns()).to_owned();
    let names = strings(shared.tell(&names).await?);
    let mut found = Vec::new();
    for name in &names {
        let mut parts = name.split('/');
        let (Some(of), Some(campaign), Some(Ok(edition))) =
            (parts.next(), parts.next(), parts.next().map(str::parse))
        else {
            continue;
        };
        if of != tenant {
            continue;
        }
        let keys = OfCampaign::new(tenant, campaign, edition);
        let head = redis::cmd("GET").arg(keys.head()).to_owned();
        // Of a purged edition nothing but the head stays.
        let purged = match shared.tell(&head).await? {
            Value::BulkString(head) => Head::read(&head).is_ok_and(|head| head.purged),
            _ => false,
        };
        if !purged {
            found.push(keys);
        }
    }
    Ok(found)
}

async fn text(shared: &Shared, key: Key) -> Result<Option<Vec<u8>>, Error> {
    let get = redis::cmd("GET").arg(key).to_owned();
    Ok(match shared.tell(&get).await? {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    })
}

async fn put(shared: &Shared, key: Key, value: Option<&[u8]>) -> Result<(), Error> {
    let command = match value {
        Some(value) => redis::cmd("SET").arg(key).arg(value).to_owned(),
        None => redis::cmd("DEL").arg(key).to_owned(),
    };
    shared.tell(&command).await.map(drop)
}

async fn bring_pause(shared: &Shared, tenant: &str) -> Result<(), Error> {
    for _ in 0..TRIES {
        let stands = text(shared, OfTenant(tenant).pause()).await?;
        for keys in editions(shared, tenant).await? {
            put(shared, keys.halt(), stands.as_deref()).await?;
        }
        if text(shared, OfTenant(tenant).pause()).await? == stands {
            return Ok(());
        }
    }
    Err(Error::Busy)
}

async fn block_of(shared: &Shared, tenant: &str, user: Pseudonym) -> Result<Option<Block>, Error> {
    let get = redis::cmd("HGET")
        .arg(OfTenant(tenant).blocks())
        .arg(user.to_string())
        .to_owned();
    match shared.tell(&get).await? {
        Value::BulkString(bytes) => form::decode("a block", &bytes).map(Some),
        _ => Ok(None),
    }
}

/// [`Store::block`](crate::Store::block).
pub(super) async fn block(
    shared: &Shared,
    tenant: &str,
    user: Pseudonym,
) -> Result<Option<Block>, Error> {
    block_of(shared, tenant, user).await
}

async fn bring_block(shared: &Shared, tenant: &str, user: Pseudonym) -> Result<(), Error> {
    let field = user.to_string();
    for _ in 0..TRIES {
        let stands = block_of(shared, tenant, user).await?;
        for keys in editions(shared, tenant).await? {
            let command = match &stands {
                Some(block) => redis::cmd("HSET")
                    .arg(keys.blocked())
                    .arg(&field)
                    .arg(in_slot(block))
                    .to_owned(),
                None => redis::cmd("HDEL")
                    .arg(keys.blocked())
                    .arg(&field)
                    .to_owned(),
            };
            shared.tell(&command).await?;
        }
        if block_of(shared, tenant, user).await? == stands {
            return Ok(());
        }
    }
    Err(Error::Busy)
}

fn in_slot(block: &Block) -> String {
    block
        .until
        .map_or_else(|| FOR_GOOD.to_owned(), |until| until.to_string())
}

/// Brings all measures of the tenant into the slot of a campaign whose name is written and that is not there yet.
pub(super) async fn welcome(shared: &Shared, tenant: &str, keys: &OfCampaign) -> Result<(), Error> {
    let of = OfTenant(tenant);
    let pause = text(shared, of.pause()).await?;
    put(shared, keys.halt(), pause.as_deref()).await?;
    let all = redis::cmd("HGETALL").arg(of.blocks()).to_owned();
    let blocks = fields(shared.tell(&all).await?)?;
    for some in blocks.chunks(AT_ONCE) {
        let mut command = redis::cmd("HSET");
        command.arg(keys.blocked());
        for (user, block) in some {
            let block: Block = form::decode("a block", block)?;
            command.arg(user).arg(in_slot(&block));
        }
        shared.tell(&command).await?;
    }
    Ok(())
}

/// Once more after it is there: a pause that was ended meanwhile may have passed it by.
pub(super) async fn settle(shared: &Shared, tenant: &str, keys: &OfCampaign) -> Result<(), Error> {
    let pause = text(shared, OfTenant(tenant).pause()).await?;
    put(shared, keys.halt(), pause.as_deref()).await
}

/// Which of these users a campaign's slot says are blocked at `now`.
pub(super) async fn are_blocked(
    shared: &Shared,
    keys: &OfCampaign,
    users: &[Pseudonym],
    now: machine::Millis,
) -> Result<Vec<bool>, Error> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = redis::cmd("HMGET");
    command.arg(keys.blocked());
    for user in users {
        command.arg(user.to_string());
    }
    let found = values(shared.ask(&command).await?)?;
    Ok(found
        .iter()
        .map(|value| {
            value
                .as_deref()
                .is_some_and(|value| read_blocked(value).holds(now))
        })
        .collect())
}
