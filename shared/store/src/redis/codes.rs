//! The codes of pools: each segment a hash in the tenant's slot, some hundred codes a value, one a line; and which segments a pool has in
//! a hash beside them. A segment goes in under a name that nobody looks at yet; one script then makes it the pool's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use machine::world::{Action, Admin, AdminOutcome, CodesPut, Done, Owner, Pool};
use redis::Value;

use super::form;
use super::keys::OfTenant;
use super::note;
use super::parked::fields;
use super::shared::{Shared, not_written, strange};
use crate::Error;
use crate::codes::{CHUNK, Codes, Named};

/// How often the audit may grow, or another pool be changed, under a change.
const TRIES: u32 = 64;

/// How often others may put codes while these are looked through.
const ROUNDS: u32 = 4;

/// How many chunks go in, or come out, with one command.
const TOGETHER: usize = 8;

/// How many of those are under way.
const AT_ONCE: usize = 8;

/// For how long codes are kept that no pool names: from a put that was broken off.
const STAGED_MS: i64 = 24 * 3_600_000;

/// For how long replicas may take to have a segment.
const WAIT: Duration = Duration::from_secs(1);

/// What a pool is called where it can't be read.
const POOL: &str = "a pool of codes";

/// [`Store::put_codes`](crate::Store::put_codes).
pub(super) async fn put(
    shared: &Shared,
    change: &Admin,
    mut codes: Codes,
) -> Result<AdminOutcome, Error> {
    let mut known = 0;
    for _ in 0..ROUNDS {
        // Before all the work: a repeat is answered from what is remembered.
        if let Some(answer) = super::admin::answered(shared, change).await? {
            return Ok(answer);
        }
        let (pools, puts) = found(shared, &change.tenant).await?;
        for (_, pool) in &pools {
            known += strike(shared, &change.tenant, pool, &mut codes).await?;
        }
        let (change, version) = crate::codes::versioned(change, codes.len(), known)?;
        let chunks = stage(shared, &change.tenant, &version, &codes).await?;
        let made = make(shared, &change, &version, chunks, Some(&puts)).await;
        if !matches!(made, Ok(Made::Done(_)) | Err(Error::Unknown(_))) && chunks > 0 {
            // Nobody will look there; what fails here ends by itself.
            let gone = redis::cmd("UNLINK")
                .arg(OfTenant(&change.tenant).codes(&version))
                .to_owned();
            let _ = shared.tell(&gone).await;
        }
        match made? {
            Made::Done(outcome) | Made::Refused(outcome) => return Ok(outcome),
            Made::Overtaken => {}
        }
    }
    Err(Error::Busy)
}

/// [`Action::BindPool`].
pub(super) async fn bind(shared: &Shared, change: &Admin) -> Result<AdminOutcome, Error> {
    match make(shared, change, "", 0, None).await? {
        Made::Done(outcome) | Made::Refused(outcome) => Ok(outcome),
        Made::Overtaken => Err(Error::Busy),
    }
}

/// What became of a change.
enum Made {
    /// It was made.
    Done(AdminOutcome),
    /// It was not.
    Refused(AdminOutcome),
    /// Others have put codes meanwhile.
    Overtaken,
}

/// Makes a change to a pool whose new codes, if any, are there.
async fn make(
    shared: &Shared,
    change: &Admin,
    version: &str,
    chunks: usize,
    puts: Option<&str>,
) -> Result<Made, Error> {
    let keys = OfTenant(&change.tenant);
    let (Action::PutCodes { pool: name, .. } | Action::BindPool { pool: name, .. }) =
        &change.action
    else {
        return Ok(Made::Refused(AdminOutcome::Already));
    };
    for _ in 0..TRIES {
        if let Some(answer) = super::admin::answered(shared, change).await? {
            return Ok(Made::Refused(answer));
        }
        let get = redis::cmd("HGET").arg(keys.pools()).arg(&**name).to_owned();
        let before = match shared.tell(&get).await? {
            Value::BulkString(bytes) => Some(bytes),
            _ => None,
        };
        let old: Option<Pool> = before
            .as_deref()
            .map(|bytes| form::decode(POOL, bytes))
            .transpose()?;
        let after = match Pool::after(old.as_ref(), change) {
            Ok(after) => after,
            Err(no) => return Ok(Made::Refused(no)),
        };
        let put = match &change.action {
            Action::PutCodes { codes, lines, .. } => Some(CodesPut {
                added: *codes,
                known: lines.known,
                codes: after.codes(),
            }),
            _ => None,
        };
        let booking = note::booking_of(shared, change, put).await?;
        let segment = if chunks > 0 {
            keys.codes(version)
        } else {
            keys.pools()
        };
        let call = shared.scripts.pool.call();
        let call = call
            .key(keys.audit())
            .key(booking.answer_key)
            .key(keys.pools())
            .key(segment)
            .arg(booking.number.to_string())
            .arg(booking.entry)
            .arg(booking.answer)
            .arg(note::KEEP_MS.to_string())
            .arg(name.as_bytes())
            .arg(before.unwrap_or_default())
            .arg(form::encode(&after)?)
            .arg(if chunks > 0 {
                chunks.to_string()
            } else {
                String::new()
            })
            .arg(puts.unwrap_or_default());
        let replicas = shared.address.replicas;
        let (answer, acked) = if replicas > 0 {
            call.run_and_wait(&shared.links, replicas, WAIT).await
        } else {
            call.run(&shared.links).await.map(|answer| (answer, 0))
        }
        .map_err(|error| not_written(&error))?;
        match answer {
            Value::Int(-1) => {}
            Value::Int(-2) => {
                return Err(Error::NotWritten(
                    "the codes are not all there: the store was emptied meanwhile".to_owned(),
                ));
            }
            Value::Int(-3) => return Ok(Made::Overtaken),
            Value::Int(_) if acked < replicas => {
                return Err(Error::Unknown(format!(
                    "{acked} of {replicas} replicas have it so far"
                )));
            }
            Value::Int(number) => {
                super::watch::tell(shared).await;
                return Ok(Made::Done(AdminOutcome::Done(Done {
                    audit: number.unsigned_abs(),
                    codes: put,
                    ..Done::default()
                })));
            }
            other => return Err(strange(&other)),
        }
    }
    Err(Error::Busy)
}

/// Puts codes where nobody looks yet; in how many chunks.
async fn stage(
    shared: &Shared,
    tenant: &str,
    version: &str,
    codes: &Codes,
) -> Result<usize, Error> {
    let key = OfTenant(tenant).codes(version);
    let mut all = codes.iter().peekable();
    let mut chunks = 0;
    while all.peek().is_some() {
        let mut puts = Vec::new();
        while puts.len() < AT_ONCE && all.peek().is_some() {
            let mut put = redis::cmd("HSET");
            put.arg(&key);
            for _ in 0..TOGETHER {
                let some: Vec<&[u8]> = all.by_ref().take(CHUNK).collect();
                if some.is_empty() {
                    break;
                }
                put.arg(chunks).arg(some.join(&b'\n'));
                chunks += 1;
            }
            puts.push(put);
        }
        let first = chunks <= TOGETHER * AT_ONCE;
        try_join_all(puts.iter().map(|put| shared.tell(put))).await?;
        if first {
            let expire = redis::cmd("PEXPIRE").arg(&key).arg(STAGED_MS).to_owned();
            shared.tell(&expire).await?;
        }
    }
    Ok(chunks)
}

/// Strikes out what stands in a pool; how many those were.
async fn strike(
    shared: &Shared,
    tenant: &str,
    pool: &Pool,
    codes: &mut Codes,
) -> Result<usize, Error> {
    let mut known = 0;
    for segment in &pool.segments {
        let chunks = segment.codes.div_ceil(CHUNK as u64);
        let key = OfTenant(tenant).codes(&segment.version);
        let mut seen = 0;
        let numbers: Vec<u64> = (0..chunks).collect();
        for some in numbers.chunks(TOGETHER * AT_ONCE) {
            let gets = some.chunks(TOGETHER).map(|some| {
                let get = redis::cmd("HMGET").arg(&key).arg(some).to_owned();
                async move { shared.ask(&get).await }
            });
            for chunk in try_join_all(gets).await? {
                for value in super::admin::values(chunk)?.into_iter().flatten() {
                    for code in value.split(|byte| *byte == b'\n') {
                        seen += 1;
                        known += usize::from(codes.strike(code));
                    }
                }
            }
        }
        if seen != segment.codes {
            return Err(Error::NotWritten(
                "codes of a pool are lost: what stands in it is not known".to_owned(),
            ));
        }
    }
    Ok(known)
}

/// All pools of a tenant, and how often codes were put.
async fn found(shared: &Shared, tenant: &str) -> Result<(Vec<Named>, String), Error> {
    let ask = redis::cmd("HGETALL")
        .arg(OfTenant(tenant).pools())
        .to_owned();
    let (mut pools, mut puts) = (Vec::new(), "0".to_owned());
    for (name, value) in fields(shared.ask(&ask).await?)? {
        if name.is_empty() {
            puts = String::from_utf8_lossy(&value).into_owned();
        } else {
            pools.push((name.into(), form::decode(POOL, &value)?));
        }
    }
    pools.sort_unstable_by(|(one, _): &Named, (other, _)| one.cmp(other));
    Ok((pools, puts))
}

/// [`Store::pools`](crate::Store::pools).
pub(super) async fn all(shared: &Shared, tenant: &str) -> Result<Vec<Named>, Error> {
    found(shared, tenant).await.map(|(pools, _)| pools)
}

/// [`Store::codes`](crate::Store::codes): each chunk is asked for once.
pub(super) async fn of_units(
    shared: &Shared,
    tenant: &str,
    name: &str,
    owner: &Owner,
    serials: &[u64],
) -> Result<Vec<Option<Arc<str>>>, Error> {
    let keys = OfTenant(tenant);
    let mut codes = vec![None; serials.len()];
    let get = redis::cmd("HGET").arg(keys.pools()).arg(name).to_owned();
    let Value::BulkString(pool) = shared.ask(&get).await? else {
        return Ok(codes);
    };
    let pool: Pool = form::decode(POOL, &pool)?;
    let mut wanted: BTreeMap<(&str, u64), Vec<(usize, usize)>> = BTreeMap::new();
    for (number, serial) in serials.iter().enumerate() {
        let place = pool.place(&owner.campaign, owner.edition, &owner.reward, *serial);
        if let Some((segment, within)) = place.and_then(|place| pool.segment(place)) {
            let chunk = (&*segment.version, within / CHUNK as u64);
            let line = (within % CHUNK as u64) as usize;
            wanted.entry(chunk).or_default().push((number, line));
        }
    }
    let wanted: Vec<_> = wanted.into_iter().collect();
    for some in wanted.chunks(AT_ONCE) {
        let gets = some.iter().map(|((version, chunk), _)| {
            let get = redis::cmd("HGET")
                .arg(keys.codes(version))
                .arg(*chunk)
                .to_owned();
            async move { shared.ask(&get).await }
        });
        for ((_, lines), value) in some.iter().zip(try_join_all(gets).await?) {
            let Value::BulkString(value) = value else {
                continue;
            };
            let chunk: Vec<&[u8]> = value.split(|byte| *byte == b'\n').collect();
            for (number, line) in lines {
                let code = chunk
                    .get(*line)
                    .and_then(|code| std::str::from_utf8(code).ok());
                if let Some(slot) = codes.get_mut(*number) {
                    *slot = code.map(Arc::from);
                }
            }
        }
    }
    Ok(codes)
}
