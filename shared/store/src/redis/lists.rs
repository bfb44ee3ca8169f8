//! A tenant's lists: each version's members in a set of its own, in the tenant's slot, and which version is the list's in a hash
//! beside them. The members go in by chunks, under a name that nobody looks at yet; one script then changes the name.

use std::time::Duration;

use futures_util::future::try_join_all;
use machine::ids::Pseudonym;
use machine::world::{Action, Admin, AdminOutcome, Done, List, Refused};
use redis::Value;

use super::form;
use super::keys::OfTenant;
use super::note;
use super::parked::fields;
use super::shared::{Shared, not_written, strange};
use crate::Error;
use crate::lists::Named;

/// How often the audit may grow, or another list be put, under a change.
const TRIES: u32 = 64;

/// How many members go in with one command: the server must stay far below a millisecond.
const CHUNK: usize = 1000;

/// How many of those are under way: a server that flushes each write flushes them together.
const AT_ONCE: usize = 8;

/// For how long members are kept that no list names: from a put that was broken off.
const STAGED_MS: i64 = 24 * 3_600_000;

/// For how long a version is kept that was replaced, for those who have not heard of the new one.
const OLD_MS: i64 = 3_600_000;

/// For how long replicas may take to have a list.
const WAIT: Duration = Duration::from_secs(1);

/// The member of every set that is nobody.
const NOBODY: &[u8] = b"-";

/// What a list is called where it can't be read.
const LIST: &str = "a list";

/// [`Store::put_list`](crate::Store::put_list), its version named.
pub(super) async fn put(
    shared: &Shared,
    change: &Admin,
    members: &[Pseudonym],
) -> Result<AdminOutcome, Error> {
    let Action::PutList { version, .. } = &change.action else {
        return Ok(AdminOutcome::Already);
    };
    // Before all the work: a repeat is answered from what is remembered.
    if let Some(answer) = super::admin::answered(shared, change).await? {
        return Ok(answer);
    }
    let set = OfTenant(&change.tenant).list(version);
    let add = |some: &[Pseudonym]| {
        let mut add = redis::cmd("SADD").arg(&set).arg(NOBODY).to_owned();
        for member in some {
            add.arg(&member.0[..]);
        }
        add
    };
    shared.tell(&add(&[])).await?;
    let expire = redis::cmd("PEXPIRE").arg(&set).arg(STAGED_MS).to_owned();
    shared.tell(&expire).await?;
    for group in members.chunks(CHUNK * AT_ONCE) {
        let adds = group.chunks(CHUNK).map(|some| {
            let add = add(some);
            async move { shared.tell(&add).await }
        });
        try_join_all(adds).await?;
    }
    let outcome = make(shared, change, members.len()).await;
    if !matches!(outcome, Ok(AdminOutcome::Done(_)) | Err(Error::Unknown(_))) {
        // Nobody will look there; what fails here ends by itself.
        let _ = shared
            .tell(&redis::cmd("UNLINK").arg(&set).to_owned())
            .await;
    }
    outcome
}

/// [`Action::PutList`], whose members are there, and [`Action::DropList`].
pub(super) async fn make(
    shared: &Shared,
    change: &Admin,
    members: usize,
) -> Result<AdminOutcome, Error> {
    let keys = OfTenant(&change.tenant);
    let (name, new) = match &change.action {
        Action::PutList { list, .. } => (list, List::put(change)),
        Action::DropList { list } => (list, None),
        _ => return Ok(AdminOutcome::Already),
    };
    for _ in 0..TRIES {
        if let Some(answer) = super::admin::answered(shared, change).await? {
            return Ok(answer);
        }
        let get = redis::cmd("HGET").arg(keys.lists()).arg(&**name).to_owned();
        let before = match shared.tell(&get).await? {
            Value::BulkString(bytes) => Some(bytes),
            _ => None,
        };
        if before.is_none() && new.is_none() {
            return Ok(AdminOutcome::Refused(Refused::NoSuchList(name.clone())));
        }
        let old: Option<List> = before
            .as_deref()
            .map(|bytes| form::decode(LIST, bytes))
            .transpose()?;
        let set = |list: &Option<List>| match list {
            Some(list) => keys.list(&list.version),
            None => keys.lists(),
        };
        let booking = note::booking(shared, change).await?;
        let call = shared.scripts.list.call();
        let call = call
            .key(keys.audit())
            .key(booking.answer_key)
            .key(keys.lists())
            .key(set(&new))
            .key(set(&old))
            .arg(booking.number.to_string())
            .arg(booking.entry)
            .arg(booking.answer)
            .arg(note::KEEP_MS.to_string())
            .arg(name.as_bytes())
            .arg(before.unwrap_or_default())
            .arg(match &new {
                Some(new) => form::encode(new)?,
                None => Vec::new(),
            })
            .arg((members + 1).to_string())
            .arg(OLD_MS.to_string());
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
                    "the list's members are not all there: the store was emptied meanwhile"
                        .to_owned(),
                ));
            }
            Value::Int(_) if acked < replicas => {
                return Err(Error::Unknown(format!(
                    "{acked} of {replicas} replicas have it so far"
                )));
            }
            Value::Int(number) => {
                super::watch::tell(shared).await;
                return Ok(AdminOutcome::Done(Done {
                    audit: number.unsigned_abs(),
                    ..Done::default()
                }));
            }
            other => return Err(strange(&other)),
        }
    }
    Err(Error::Busy)
}

/// [`Store::lists`](crate::Store::lists).
pub(super) async fn all(shared: &Shared, tenant: &str) -> Result<Vec<Named>, Error> {
    let ask = redis::cmd("HGETALL")
        .arg(OfTenant(tenant).lists())
        .to_owned();
    let mut found = fields(shared.ask(&ask).await?)?
        .into_iter()
        .map(|(name, value)| Ok((name.into(), form::decode(LIST, &value)?)))
        .collect::<Result<Vec<Named>, Error>>()?;
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// [`Store::listed`](crate::Store::listed).
pub(super) async fn listed(
    shared: &Shared,
    tenant: &str,
    versions: &[std::sync::Arc<str>],
    user: Pseudonym,
) -> Result<Vec<Option<bool>>, Error> {
    let keys = OfTenant(tenant);
    let call = shared.scripts.listed.call();
    let call = call
        .keys(versions.iter().map(|version| keys.list(version)))
        .arg(user.0);
    let answer = call.run(&shared.links).await;
    let Value::Array(found) = answer.map_err(|error| super::shared::not_read(&error))? else {
        return Err(Error::Read("what lists say is no list".to_owned()));
    };
    let one = |value| match value {
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        _ => None,
    };
    Ok(found.into_iter().map(one).collect())
}
