//! From checked campaigns to revisions in the store.

use std::sync::Arc;

use campaign::{Compiled, TenantConfigs};
use machine::Millis;
use machine::world::{Action, Admin, AdminOutcome};
use store::{Published, Store};

use super::revise::{self, NotPublished, Terms, seed};
use super::{LoadError, Report};
use crate::served::TenantShell;

/// Who publishes what stands in the folder.
const BY: &str = "configs-folder";

/// Makes a tenant known and publishes those of its campaigns that have changed; in a remote store only those that have no
/// revision there. What this process served from a remote store, `known`, is never created anew.
pub(super) async fn tenant(
    store: &dyn Store,
    configs: &TenantConfigs,
    known: Option<&TenantShell>,
    now: Millis,
    report: &mut Report,
) -> Result<(), LoadError> {
    let id: Arc<str> = configs.tenant.id.as_str().into();
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
    // A file says nothing of why: what needs a reason is published by somebody.
    let terms = Terms {
        law: configs.tenant.law.as_deref(),
        reason: None,
        // Codes may come after the file: until then the reward is sold out.
        full_pools: false,
    };
    for campaign in &configs.campaigns {
        let Some(compiled) = &campaign.compiled else {
            continue;
        };
        let served = known.and_then(|known| known.campaigns.get(&campaign.id));
        if served.is_some_and(|served| served.edition == compiled.edition) {
            continue;
        }
        let approvals = configs.tenant.review.approvals;
        let found = News {
            store,
            tenant: &id,
            published: &published,
            terms,
            approvals,
            now,
        };
        match found.publish(&campaign.id, compiled).await? {
            Ok(None) => {}
            Ok(Some(revision)) => {
                report
                    .published
                    .push((id.to_string(), campaign.id.clone(), revision));
            }
            Err(error) => report.problems.push(format!(
                "{id}/{}: not published, served as before: {error}",
                campaign.id
            )),
        }
    }
    Ok(())
}

/// What a tenant's files are held against.
struct News<'a> {
    store: &'a dyn Store,
    tenant: &'a Arc<str>,
    published: &'a [Published],
    terms: Terms<'a>,
    /// How many must approve of a change.
    approvals: u32,
    now: Millis,
}

impl News<'_> {
    /// Publishes a campaign if it is news to the store; the revision that it became.
    async fn publish(
        &self,
        campaign: &str,
        compiled: &Compiled,
    ) -> Result<Result<Option<u32>, NotPublished>, LoadError> {
        let Self {
            store,
            tenant,
            published,
            terms,
            approvals,
            now,
        } = *self;
        let known = revise::edition_of(published, tenant, campaign, compiled.edition);
        if known.is_some() && store.is_remote() {
            return Ok(Ok(None));
        }
        if let Some(known) = known {
            match standing(store, known, &compiled.sha256).await? {
                Standing::News => {}
                Standing::Same => return Ok(Ok(None)),
                Standing::Waits { older, newer } => {
                    return Ok(Err(NotPublished::Shared { older, newer }));
                }
                Standing::TakenBack { then } => return Ok(Err(NotPublished::TakenBack(then))),
                Standing::Replaced { then, by } => {
                    return Ok(Err(NotPublished::Replaced {
                        then,
                        newest: known.newest,
                        by,
                    }));
                }
            }
        }
        // Not its first revision either: who can write a file would go round the others with a new edition.
        if approvals > 0 {
            return Ok(Err(NotPublished::Unreviewed(approvals)));
        }
        let definition = match compiled.definition() {
            Ok(definition) => definition,
            Err(error) => return Ok(Err(NotPublished::Unreadable(error))),
        };
        let action = match revise::publication(store, &definition, known, terms, now).await? {
            Ok(new) => Action::Publish(new),
            Err(no) => return Ok(Err(no)),
        };
        Ok(
            match store.admin(Box::new(admin(tenant, now, action))).await? {
                AdminOutcome::Done(done) => Ok(done.revision),
                AdminOutcome::Refused(refused) => Err(refused.into()),
                AdminOutcome::Already | AdminOutcome::Replayed(_) | AdminOutcome::KeyReused => {
                    Ok(None)
                }
            },
        )
    }
}

/// What a file is to the revisions there are.
enum Standing {
    /// It says something that none of them said.
    News,
    /// It is live.
    Same,
    /// It says something else than the two that are live.
    Waits { older: u32, newer: u32 },
    /// It is the newest, `then`, and not live any more.
    TakenBack { then: u32 },
    /// It is revision `then`, and `by` has put another in its place.
    Replaced { then: u32, by: Arc<str> },
}

/// What staff rolled back, or published over, must not come back by itself when the server starts again or another file
/// changes. So a file that says what an earlier revision said is news only where the newest came from the folder, too.
async fn standing(
    store: &dyn Store,
    known: &Published,
    sha256: &[u8; 32],
) -> Result<Standing, LoadError> {
    for live in &known.live {
        let (tenant, campaign) = (&known.tenant, &known.campaign);
        let hash = store.sha256(tenant, campaign, known.edition, live.revision);
        if hash.await? == Some(*sha256) {
            return Ok(Standing::Same);
        }
    }
    // A release is staff's: what they watch is not ended by a file.
    if let [older, .., newer] = known.live.as_slice() {
        return Ok(Standing::Waits {
            older: older.revision,
            newer: newer.revision,
        });
    }
    let mut newest_by = None;
    for number in (1..=known.newest).rev() {
        let found = store
            .revision(&known.tenant, &known.campaign, known.edition, number)
            .await?;
        let Some(found) = found else { continue };
        let same = found.sha256 == *sha256;
        match &newest_by {
            None if same => return Ok(Standing::TakenBack { then: number }),
            None if &*found.by == BY => return Ok(Standing::News),
            None => newest_by = Some(found.by),
            Some(by) if same => {
                return Ok(Standing::Replaced {
                    then: number,
                    by: by.clone(),
                });
            }
            Some(_) => {}
        }
    }
    Ok(Standing::News)
}

fn admin(tenant: &Arc<str>, at: Millis, action: Action) -> Admin {
    Admin {
        tenant: tenant.clone(),
        by: BY.into(),
        at,
        key: None,
        action,
        why: None,
    }
}
