//! Drafts: each in the slot of its campaign, as one hash. What a deed means is `machine::world`'s; here it is made true where
//! others do the same, and booked in the tenant's audit as every change of staff is (`note`).

use std::sync::Arc;

use machine::world::{Admin, AdminOutcome, Done, Draft, DraftDeed, DraftPlace, DraftText};
use redis::Value;

use super::form;
use super::keys::{OfDraft, OfTenant};
use super::note::{self, Note};
use super::parked::fields;
use super::shared::{Shared, strange};
use crate::Error;

/// How often others may be quicker.
const TRIES: u32 = 32;

/// What it is called where it can't be read.
const PLACE: &str = "a draft";
const TEXT: &str = "what a draft says";

/// [`Action::Draft`](machine::world::Action::Draft).
pub(super) async fn deed(
    shared: &Shared,
    change: &Admin,
    campaign: &Arc<str>,
    deed: &DraftDeed,
) -> Result<AdminOutcome, Error> {
    let keys = OfDraft::new(&change.tenant, campaign);
    for _ in 0..TRIES {
        if let Some(answer) = super::admin::answered(shared, change).await? {
            return Ok(answer);
        }
        if book(shared, &change.tenant, &keys).await? {
            continue;
        }
        let (place, seen) = place(shared, &change.tenant, campaign).await?;
        let after = match place.after(change, campaign, deed) {
            Ok(after) => after,
            Err(no) => return Ok(no),
        };
        let done = Done {
            draft: Some(after.versions),
            ..Done::default()
        };
        let (what, text) = match deed {
            DraftDeed::Save { text, .. } => ("set", form::encode(&**text)?),
            DraftDeed::Drop { .. } => ("drop", Vec::new()),
            _ => ("keep", Vec::new()),
        };
        let note = Note::new(change, campaign, &done)?.write()?;
        // Before the draft is there: a name that leads nowhere is passed over, a draft without a name would be lost.
        let name = redis::cmd("SADD")
            .arg(OfTenant(&change.tenant).drafts())
            .arg(&**campaign)
            .to_owned();
        shared.tell(&name).await?;
        let call = shared.scripts.draft.call();
        let call = call
            .key(keys.place())
            .key(keys.note())
            .arg(seen)
            .arg(form::encode(&outlined(&after))?)
            .arg(note.as_bytes())
            .arg(what)
            .arg(text);
        match shared.run(&call).await? {
            Value::BulkString(word) if word == b"ok" => {}
            Value::BulkString(word) if word == b"moved" => continue,
            other => return Err(strange(&other)),
        }
        let done = note::settle(shared, &change.tenant, &keys.note(), note.as_bytes()).await;
        super::watch::tell(shared).await;
        return Ok(AdminOutcome::Done(done.map_err(|error| match error {
            // It is done; what is open is its place in the audit. The same key finds it.
            Error::NotWritten(why) | Error::Read(why) => Error::Unknown(why),
            other => other,
        })?));
    }
    Err(Error::Busy)
}

/// Books a deed that is done and not in the audit yet; whether there was one.
async fn book(shared: &Shared, tenant: &str, keys: &OfDraft) -> Result<bool, Error> {
    let note = redis::cmd("GET").arg(keys.note()).to_owned();
    let Value::BulkString(note) = shared.tell(&note).await? else {
        return Ok(false);
    };
    note::settle(shared, tenant, &keys.note(), &note).await?;
    Ok(true)
}

/// Where a draft is, without what it says, and the bytes that say so.
pub(super) async fn place(
    shared: &Shared,
    tenant: &str,
    campaign: &str,
) -> Result<(DraftPlace, Vec<u8>), Error> {
    let keys = OfDraft::new(tenant, campaign);
    let read = redis::cmd("HGET").arg(keys.place()).arg("place").to_owned();
    match shared.tell(&read).await? {
        Value::BulkString(bytes) => Ok((form::decode(PLACE, &bytes)?, bytes)),
        _ => Ok((DraftPlace::default(), Vec::new())),
    }
}

/// A place without what the draft says.
fn outlined(place: &DraftPlace) -> DraftPlace {
    DraftPlace {
        draft: place.draft.as_ref().map(Draft::outline),
        versions: place.versions,
    }
}

/// [`Store::drafts`](crate::Store::drafts).
pub(super) async fn all(shared: &Shared, tenant: &str) -> Result<Vec<Draft>, Error> {
    let names = redis::cmd("SMEMBERS")
        .arg(OfTenant(tenant).drafts())
        .to_owned();
    let names = match shared.ask(&names).await? {
        Value::Array(names) | Value::Set(names) => names,
        _ => Vec::new(),
    };
    let mut drafts = Vec::new();
    for name in names {
        let Value::BulkString(name) = name else {
            continue;
        };
        let name = String::from_utf8_lossy(&name).into_owned();
        drafts.extend(place(shared, tenant, &name).await?.0.draft);
    }
    drafts.sort_by(|one, two| one.campaign.cmp(&two.campaign));
    Ok(drafts)
}

/// [`Store::draft`](crate::Store::draft).
pub(super) async fn one(
    shared: &Shared,
    tenant: &str,
    campaign: &str,
) -> Result<Option<Draft>, Error> {
    let keys = OfDraft::new(tenant, campaign);
    if let Err(error) = book(shared, tenant, &keys).await {
        tracing::warn!(%error, campaign, "a draft's change could not be booked in the audit yet");
    }
    // One command, so that both are of one version.
    let read = redis::cmd("HGETALL").arg(keys.place()).to_owned();
    let (mut place, mut text) = (None, None);
    for (name, value) in fields(shared.ask(&read).await?)? {
        match name.as_str() {
            "place" => place = Some(value),
            "text" => text = Some(value),
            _ => {}
        }
    }
    let (Some(place), Some(text)) = (place, text) else {
        return Ok(None);
    };
    let place: DraftPlace = form::decode(PLACE, &place)?;
    let text: DraftText = form::decode(TEXT, &text)?;
    Ok(place.draft.map(|draft| Draft {
        text: Arc::new(text),
        ..draft
    }))
}
