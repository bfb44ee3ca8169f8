//! Leases: one holder, told apart by token and number, for a term. Nothing here measures time: what must end is waited for.

use std::time::Duration;

use machine::ids::CampaignKey;
use machine::world::Outcome;
use tokio::time::Instant;

use super::Failed;
use super::races::at_once;
use super::sample::{commit, live, test, user};
use super::stage::Stage;
use crate::{Error, Lease};

type Done = Result<(), Failed>;

/// Longer than any case takes: such a lease does not end by itself.
const LONG: Duration = Duration::from_mins(10);

/// So short that waiting for its end costs nothing.
const SHORT: Duration = Duration::from_millis(20);

/// How long a lease that must end is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

impl Stage {
    async fn ask(
        &self,
        key: &CampaignKey,
        job: &str,
        term: Duration,
    ) -> Result<Option<Lease>, Failed> {
        Ok(self.store.lease(key, job, term).await?)
    }

    /// Takes the live lane's lease, which must be free or end soon.
    async fn take(&self, job: &str, term: Duration) -> Result<Lease, Failed> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(lease) = self.ask(&live(), job, term).await? {
                return Ok(lease);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Err(Failed(format!("the lease `{job}` did not end")))
    }
}

pub(super) async fn one_holds_it(stage: Stage) -> Done {
    let lease = stage.take("sweep", LONG).await?;
    holds!(lease.is_live());
    holds!(stage.ask(&live(), "sweep", LONG).await?.is_none());
    holds!(lease.renew().await?);
    holds!(lease.release().await?);
    holds!(!lease.is_live());
    holds!(stage.ask(&live(), "sweep", LONG).await?.is_some());
    Ok(())
}

pub(super) async fn of_many_one_gets_it(stage: Stage) -> Done {
    let store = stage.store.clone();
    let taken = at_once(move |_| {
        let store = store.clone();
        async move { Ok(store.lease(&live(), "sweep", LONG).await?) }
    })
    .await?;
    same!(taken.iter().flatten().count(), 1);
    Ok(())
}

pub(super) async fn jobs_and_lanes_are_apart(stage: Stage) -> Done {
    let sweep = stage.ask(&live(), "sweep", LONG).await?;
    let settle = stage.ask(&live(), "settle", LONG).await?;
    let elsewhere = stage.ask(&test(), "sweep", LONG).await?;
    holds!(sweep.is_some() && settle.is_some() && elsewhere.is_some());
    holds!(
        stage
            .store
            .lease(&live(), "no such job!", LONG)
            .await
            .is_err()
    );
    Ok(())
}

pub(super) async fn a_number_is_never_used_again(stage: Stage) -> Done {
    let mut last = 0;
    for round in 0..6 {
        // Given up, and over by itself, in turn.
        let lease = if round % 2 == 0 {
            let lease = stage.take("sweep", LONG).await?;
            holds!(lease.release().await?);
            lease
        } else {
            stage.take("sweep", SHORT).await?
        };
        holds!(lease.fence() > last);
        last = lease.fence();
    }
    Ok(())
}

pub(super) async fn one_that_is_over_is_not_brought_back(stage: Stage) -> Done {
    let old = stage.take("sweep", SHORT).await?;
    let new = stage.take("sweep", LONG).await?;
    holds!(!old.is_live());
    holds!(!old.renew().await?);
    holds!(!old.is_live());
    holds!(new.renew().await?);
    Ok(())
}

pub(super) async fn a_stranger_releases_nothing(stage: Stage) -> Done {
    let old = stage.take("sweep", SHORT).await?;
    let new = stage.take("sweep", LONG).await?;
    holds!(!old.release().await?);
    holds!(stage.ask(&live(), "sweep", LONG).await?.is_none());
    holds!(new.release().await?);
    holds!(!new.release().await?);
    Ok(())
}

pub(super) async fn a_commit_under_it_is_a_commit(stage: Stage) -> Done {
    let lease = stage.take("sweep", LONG).await?;
    let made = commit(user(1), 0, "a");
    match stage.store.commit_under(Box::new(made), &lease).await? {
        Outcome::Committed(applied) => same!(applied.version, 1),
        other => return Err(Failed(format!("a commit came out as {other:?}"))),
    }
    let behind = commit(user(1), 0, "b");
    let outcome = stage.store.commit_under(Box::new(behind), &lease).await?;
    holds!(matches!(outcome, Outcome::Stale(Some(_))));
    Ok(())
}

pub(super) async fn a_commit_under_a_lost_one_is_refused(stage: Stage) -> Done {
    let old = stage.take("sweep", SHORT).await?;
    let new = stage.take("sweep", LONG).await?;
    let late = commit(user(1), 0, "late");
    let refused = stage.store.commit_under(Box::new(late), &old).await;
    same!(refused, Err(Error::LeaseLost));
    let recalled = stage.recall_in(&live(), user(1)).await?;
    same!(recalled.participant, None);
    same!(stage.lane(&live()).await?.rows, 0);
    holds!(new.release().await?);
    // Nobody holds it now; that is no leave either.
    let late = commit(user(1), 0, "later");
    let refused = stage.store.commit_under(Box::new(late), &new).await;
    same!(refused, Err(Error::LeaseLost));
    Ok(())
}

pub(super) async fn a_lease_is_of_one_lane(stage: Stage) -> Done {
    let lease = stage.take("sweep", LONG).await?;
    let mut made = commit(user(1), 0, "a");
    made.campaign = test();
    let refused = stage.store.commit_under(Box::new(made), &lease).await;
    holds!(matches!(refused, Err(Error::NotWritten(_))));
    Ok(())
}
