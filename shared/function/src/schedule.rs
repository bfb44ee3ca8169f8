//! Drafts that are to be published at a time: looked for beside the sweep, judged anew when their time has come, and either
//! published or refused loudly (log, audit, and shown with the draft). The store makes it once, whoever tries: it looks at the
//! draft's version and at the schedule in the step that publishes.
//!
//! A process that has no parser or no configs folder can't judge a text and passes this by.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use machine::Millis;
use machine::ids::{CampaignKey, Lane};
use machine::world::{Action, Admin, AdminOutcome, Draft, DraftDeed, Refused};
use store::Lease;
use tokio::time::Instant;

use crate::http::Shell;
use crate::registry::{LoadError, draft_publication};
use crate::served::TenantShell;

/// How often schedules are looked at.
pub const EVERY: Duration = Duration::from_secs(1);

/// How long what is known of drafts is believed when nothing is heard of a change.
const KNOWN_FOR: Duration = Duration::from_secs(10);

/// The job that the lease is for.
const JOB: &str = "publish";

/// How long the lease on one publish lasts: longer than a check with its stories takes. What is not done within it, another
/// process may try too.
const TERM: Duration = Duration::from_secs(10);

/// Who notes that a publish was missed.
const BY: &str = "schedule";

/// Publishes what is due from round to round, remembering what is to come.
#[derive(Debug, Default)]
pub struct Timetable {
    tenants: HashMap<String, Known>,
}

/// A tenant's drafts that are to be published, and when the store was asked.
#[derive(Debug)]
struct Known {
    change: u64,
    asked: Instant,
    drafts: Vec<Draft>,
}

impl Timetable {
    /// Publishes what is due now; how many.
    pub async fn round(&mut self, shell: &Shell) -> usize {
        if !shell.registry.can_check() {
            return 0;
        }
        let snapshot = shell.registry.snapshot();
        let now = shell.clock.now();
        let mut published = 0;
        for (id, tenant) in &snapshot.tenants {
            let due = match self.due(shell, id, now).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::warn!(%error, tenant = id, "what is to be published can't be read");
                    continue;
                }
            };
            for campaign in due {
                match publish(shell, tenant, &campaign).await {
                    Ok(true) => published += 1,
                    Ok(false) => {}
                    // Next time.
                    Err(error) => {
                        let error = crate::serve::chain(&error);
                        tracing::warn!(error, tenant = id, %campaign, "a scheduled publish could not be tried");
                    }
                }
            }
        }
        published
    }

    /// The campaigns of a tenant whose draft is due.
    async fn due(
        &mut self,
        shell: &Shell,
        tenant: &str,
        now: Millis,
    ) -> Result<Vec<Arc<str>>, store::Error> {
        let change = *shell.store.changes().borrow();
        let fresh = |known: &Known| known.change == change && known.asked.elapsed() < KNOWN_FOR;
        if !self.tenants.get(tenant).is_some_and(fresh) {
            let asked = Instant::now();
            let mut drafts = shell.store.drafts(tenant).await?;
            drafts.retain(|draft| draft.schedule.is_some());
            let known = Known {
                change,
                asked,
                drafts,
            };
            self.tenants.insert(tenant.to_owned(), known);
        }
        let known = self.tenants.get(tenant).into_iter();
        let drafts = known.flat_map(|known| &known.drafts);
        let due = drafts.filter(|draft| at(draft).is_some_and(|at| at <= now));
        Ok(due.map(|draft| draft.campaign.clone()).collect())
    }
}

fn at(draft: &Draft) -> Option<Millis> {
    draft.schedule.as_ref().map(|schedule| schedule.at)
}

/// Publishes a draft that is due, unless another process does; whether it was.
async fn publish(
    shell: &Shell,
    tenant: &TenantShell,
    campaign: &Arc<str>,
) -> Result<bool, LoadError> {
    let id = &tenant.tenant.id;
    if is_anothers(shell, tenant, campaign) {
        return Ok(false);
    }
    let lease = lease(shell, id, campaign).await?;
    if shell.store.is_remote() && lease.is_none() {
        return Ok(false);
    }
    let now = shell.clock.now();
    // Looked at again: it may have been edited, cancelled or published since it was found.
    let Some(draft) = shell.store.draft(id, campaign).await? else {
        return Ok(false);
    };
    let Some(schedule) = draft.schedule.clone().filter(|schedule| schedule.at <= now) else {
        return Ok(false);
    };
    let how = (Some(schedule.at), schedule.reason.as_deref());
    let store = &*shell.store;
    let judged =
        draft_publication(&shell.registry, store, &tenant.tenant, &draft, how, now).await?;
    let why = match judged {
        Ok(action) => {
            let change = admin(id, &schedule.by, now, action, schedule.reason.clone());
            match store.admin(Box::new(change)).await? {
                AdminOutcome::Done(done) => {
                    let revision = done.revision.unwrap_or_default();
                    tracing::info!(tenant = id, %campaign, revision, draft = draft.version, by = %schedule.by,
                        "published {id}/{campaign} as revision {revision}, as it was scheduled");
                    shell.registry.look_again();
                    shell.registry.refresh().await?;
                    return Ok(true);
                }
                // Somebody was quicker, or has thought better of it. (The last two are for who has a key.)
                AdminOutcome::Refused(
                    Refused::NoSuchDraft(_) | Refused::DraftMoved(..) | Refused::NotScheduled(_),
                )
                | AdminOutcome::Replayed(_)
                | AdminOutcome::KeyReused => return Ok(false),
                AdminOutcome::Refused(no) => no.to_string(),
                AdminOutcome::Already => "what it says is live already".to_owned(),
            }
        }
        Err(no) => no.to_string(),
    };
    let deed = DraftDeed::Miss {
        version: draft.version,
        scheduled: schedule.at,
        why: why.as_str().into(),
    };
    let campaign = campaign.clone();
    let action = Action::Draft {
        campaign: campaign.clone(),
        deed,
    };
    let noted = store
        .admin(Box::new(admin(id, BY, now, action, None)))
        .await?;
    if matches!(noted, AdminOutcome::Done(_)) {
        tracing::error!(tenant = id, %campaign, draft = draft.version, why,
            "{id}/{campaign} was to be published now and was not: {why}");
    }
    Ok(false)
}

/// Whether a campaign is another function's.
fn is_anothers(shell: &Shell, tenant: &TenantShell, campaign: &str) -> bool {
    let Some(only) = shell.activity else {
        return false;
    };
    let served = tenant.campaigns.get(campaign);
    let activity = served.and_then(|served| served.newest());
    activity.is_none_or(|campaign| *campaign.activity != *only)
}

async fn lease(
    shell: &Shell,
    tenant: &str,
    campaign: &Arc<str>,
) -> Result<Option<Lease>, store::Error> {
    if !shell.store.is_remote() {
        return Ok(None);
    }
    // A draft is of no edition.
    let key = CampaignKey {
        tenant: tenant.into(),
        campaign: campaign.clone(),
        edition: 0,
        lane: Lane::Live,
    };
    shell.store.lease(&key, JOB, TERM).await
}

fn admin(tenant: &str, by: &str, at: Millis, action: Action, why: Option<Arc<str>>) -> Admin {
    Admin {
        tenant: tenant.into(),
        by: by.into(),
        at,
        key: None,
        action,
        why,
    }
}

/// Publishes what is due for ever.
pub async fn run(shell: Arc<Shell>) {
    let mut timetable = Timetable::default();
    let mut every = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        timetable.round(&shell).await;
    }
}
