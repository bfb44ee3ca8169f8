//! The next revision of a campaign, whoever asks for it: a changed file, `publish`, `rollback`. Here is decided whether it
//! may follow the one before; the store then makes it so.

use std::sync::Arc;

use machine::luck::Seed;
use machine::migrate::{Stranded, stranded};
use machine::world::{Action, Refused};
use machine::{Definition, Millis};
use rand::TryRng;
use store::{Published, Store};

/// Why a checked campaign was not published.
#[derive(Debug, thiserror::Error)]
pub enum NotPublished {
    /// It would strand participants or lose promises.
    #[error("it can't follow revision {revision}: {}", list(.against))]
    Stranded {
        /// The revision before.
        revision: u32,
        /// All that stands against it.
        against: Vec<Stranded>,
    },
    /// The revision before, or the one to go back to, can't be read.
    #[error("the revision before can't be read: {0}")]
    Before(#[from] campaign::codec::DecodeError),
    /// It is in a bundle of another version.
    #[error("what the bundle has can't be read: {0}")]
    Unreadable(campaign::codec::DecodeError),
    /// The store refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The system's random source failed, and a campaign without a secret seed can't be.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// Staff have put another revision in the file's place.
    #[error(
        "the file is revision {then}, and {by} has made revision {newest} live since: change the file, or have it published (`gala publish`)"
    )]
    Replaced {
        /// The revision that the file is.
        then: u32,
        /// The newest revision.
        newest: u32,
        /// Who made that.
        by: Arc<str>,
    },
}

fn list(stranded: &[Stranded]) -> String {
    stranded
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// The edition that a definition is of, if it is published.
pub fn edition<'a>(
    published: &'a [Published],
    tenant: &str,
    definition: &Definition,
) -> Option<&'a Published> {
    edition_of(published, tenant, &definition.campaign, definition.edition)
}

/// This edition, if it is published.
pub(super) fn edition_of<'a>(
    published: &'a [Published],
    tenant: &str,
    campaign: &str,
    edition: u32,
) -> Option<&'a Published> {
    published.iter().find(|known| {
        *known.tenant == *tenant && *known.campaign == *campaign && known.edition == edition
    })
}

/// The change that publishes a definition, if it may follow what is published of its edition (`known`). For one that is
/// live already, too: the store then says so, or answers a repeat as it answered before.
pub async fn publication(
    store: &dyn Store,
    tenant: &str,
    definition: &Definition,
    known: Option<&Published>,
    now: Millis,
) -> Result<Result<Action, NotPublished>, store::Error> {
    if let Some(known) = known
        && let Err(no) = follows(store, known, definition, tenant, now).await?
    {
        return Ok(Err(no));
    }
    let (Ok(live), Ok(test)) = (seed(), seed()) else {
        return Ok(Err(NotPublished::NoRandomness));
    };
    Ok(Ok(Action::Publish {
        campaign: definition.campaign.clone(),
        edition: definition.edition,
        definition: campaign::encode(definition).into(),
        stock: stock(definition),
        budget: definition.budget.as_ref().map(|budget| budget.total),
        seeds: (live, test),
    }))
}

/// The change that makes revision `to` the next one, if it may follow the newest.
pub async fn rollback(
    store: &dyn Store,
    known: &Published,
    to: u32,
    now: Millis,
) -> Result<Result<Action, NotPublished>, store::Error> {
    let found = store
        .revision(&known.tenant, &known.campaign, known.edition, to)
        .await?;
    let Some(found) = found else {
        return Ok(Err(
            Refused::NoSuchRevision(known.campaign.clone(), to).into()
        ));
    };
    let definition = match campaign::decode(&found.definition) {
        Ok(definition) => definition,
        Err(error) => return Ok(Err(error.into())),
    };
    if let Err(no) = follows(store, known, &definition, &known.tenant, now).await? {
        return Ok(Err(no));
    }
    Ok(Ok(Action::Rollback {
        campaign: known.campaign.clone(),
        edition: known.edition,
        to,
        stock: stock(&definition),
        budget: definition.budget.as_ref().map(|budget| budget.total),
    }))
}

/// Whether a definition may follow the newest revision.
async fn follows(
    store: &dyn Store,
    known: &Published,
    definition: &Definition,
    tenant: &str,
    now: Millis,
) -> Result<Result<(), NotPublished>, store::Error> {
    let before = store
        .revision(tenant, &known.campaign, known.edition, known.newest)
        .await?;
    let Some(before) = before else {
        return Ok(Ok(()));
    };
    let old = match campaign::decode(&before.definition) {
        Ok(old) => old,
        Err(error) => return Ok(Err(error.into())),
    };
    let against = stranded(&old, definition, &known.granted_rules, now);
    Ok(if against.is_empty() {
        Ok(())
    } else {
        Err(NotPublished::Stranded {
            revision: known.newest,
            against,
        })
    })
}

fn stock(definition: &Definition) -> Vec<(Arc<str>, u32)> {
    let limited = definition.rewards.iter();
    limited
        .filter_map(|reward| Some((reward.id.clone(), reward.stock?)))
        .collect()
}

/// A secret from the system's random source.
pub(super) fn seed() -> Result<Seed, rand::rngs::SysError> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes)?;
    Ok(Seed(bytes))
}
