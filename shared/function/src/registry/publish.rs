//! From checked files to revisions in the store.

use std::sync::Arc;

use campaign::LoadedTenant;
use machine::luck::Seed;
use machine::migrate::{Stranded, stranded};
use machine::world::{Action, Admin, AdminOutcome, Refused};
use machine::{Definition, Millis};
use rand::TryRng;
use store::{Published, Store};

use super::{LoadError, Report};
use crate::served::TenantShell;

/// Who publishes what stands in the folder.
const BY: &str = "configs-folder";

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
    /// The revision before can't be read.
    #[error("the revision before can't be read: {0}")]
    Before(#[from] campaign::codec::DecodeError),
    /// The store refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The system's random source failed, and a campaign without a secret seed can't be.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

fn list(stranded: &[Stranded]) -> String {
    stranded
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Makes a tenant known and publishes those of its campaigns that have changed; in a remote store only those that have no
/// revision there. What this process served from a remote store, `known`, is never created anew.
pub(super) async fn tenant(
    store: &dyn Store,
    loaded: &LoadedTenant,
    known: Option<&TenantShell>,
    now: Millis,
    report: &mut Report,
) -> Result<(), LoadError> {
    let id: Arc<str> = loaded.tenant.id.as_str().into();
    let known = known.filter(|_| store.is_remote());
    let secret = store.tenant_secret(&id).await?;
    if known.is_some_and(|known| secret.as_ref() != Some(&known.secret)) {
        // The store has lost the tenant: serving what there was says so.
        return Ok(());
    }
    if secret.is_none() {
        let Ok(secret) = seed() else {
            report
                .problems
                .push(format!("tenant `{id}`: {}", NotPublished::NoRandomness));
            return Ok(());
        };
        store
            .admin(Box::new(admin(&id, now, Action::CreateTenant { secret })))
            .await?;
    }
    let published = store.published().await?;
    for definition in loaded
        .campaigns
        .iter()
        .filter_map(|file| file.definition.as_ref())
    {
        let served = known.and_then(|known| known.campaigns.get(&*definition.campaign));
        if served.is_some_and(|served| served.edition == definition.edition) {
            continue;
        }
        match campaign(store, &id, definition, &published, now).await? {
            Ok(None) => {}
            Ok(Some(revision)) => {
                report
                    .published
                    .push((id.to_string(), definition.campaign.to_string(), revision));
            }
            Err(error) => report.problems.push(format!(
                "{id}/{}: not published, served as before: {error}",
                definition.campaign
            )),
        }
    }
    Ok(())
}

async fn campaign(
    store: &dyn Store,
    tenant: &Arc<str>,
    definition: &Definition,
    published: &[Published],
    now: Millis,
) -> Result<Result<Option<u32>, NotPublished>, LoadError> {
    let bytes = campaign::codec::encode(definition);
    let known = published.iter().find(|known| {
        known.tenant == *tenant
            && known.campaign == definition.campaign
            && known.edition == definition.edition
    });
    if known.is_some() && store.is_remote() {
        return Ok(Ok(None));
    }
    if let Some(known) = known {
        let before = store
            .revision(
                tenant,
                &definition.campaign,
                definition.edition,
                known.newest,
            )
            .await?;
        if let Some(before) = before {
            if *before.definition == *bytes {
                return Ok(Ok(None));
            }
            let old = match campaign::codec::decode(&before.definition) {
                Ok(old) => old,
                Err(error) => return Ok(Err(error.into())),
            };
            let against = stranded(&old, definition, &known.granted_rules, now);
            if !against.is_empty() {
                return Ok(Err(NotPublished::Stranded {
                    revision: known.newest,
                    against,
                }));
            }
        }
    }
    let (Ok(live), Ok(test)) = (seed(), seed()) else {
        return Ok(Err(NotPublished::NoRandomness));
    };
    let action = Action::Publish {
        campaign: definition.campaign.clone(),
        edition: definition.edition,
        definition: bytes.into(),
        stock: definition
            .rewards
            .iter()
            .filter_map(|reward| Some((reward.id.clone(), reward.stock?)))
            .collect(),
        budget: definition.budget.as_ref().map(|budget| budget.total),
        seeds: (live, test),
    };
    Ok(
        match store.admin(Box::new(admin(tenant, now, action))).await? {
            AdminOutcome::Done(done) => Ok(done.revision),
            AdminOutcome::Refused(refused) => Err(refused.into()),
            AdminOutcome::Already | AdminOutcome::Replayed(_) | AdminOutcome::KeyReused => Ok(None),
        },
    )
}

fn admin(tenant: &Arc<str>, at: Millis, action: Action) -> Admin {
    Admin {
        tenant: tenant.clone(),
        by: BY.into(),
        at,
        key: None,
        action,
    }
}

/// A secret from the system's random source.
fn seed() -> Result<Seed, rand::rngs::SysError> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes)?;
    Ok(Seed(bytes))
}
