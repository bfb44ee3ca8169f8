//! A store with a tenant and a campaign in it, and short words for what the cases do with it.

use std::sync::Arc;

use machine::ids::{CampaignKey, Pseudonym};
use machine::luck::Seed;
use machine::participant::Participant;
use machine::world::{
    Action, Admin, AdminOutcome, Answer, Applied, Commit, Counter, CounterKey, Done, KeyWasUsed,
    Left, Outcome, Pause, Recalled,
};

use super::{Failed, sample};
use crate::{Asked, Lane, LedgerRow, Store};

/// Three mugs, five cups, a budget of a thousand, in each lane; revision 1.
pub(super) struct Stage {
    pub store: Arc<dyn Store>,
}

impl Stage {
    pub async fn set(store: Arc<dyn Store>) -> Result<Self, Failed> {
        let stage = Self { store };
        stage
            .done_by(sample::admin(Action::CreateTenant {
                secret: Seed([9; 32]),
            }))
            .await?;
        stage.publish("{}", &[("mug", 3), ("cup", 5)]).await?;
        Ok(stage)
    }

    pub async fn publish(&self, definition: &str, stock: &[(&str, u32)]) -> Result<Done, Failed> {
        self.done_by(sample::admin(sample::publish(
            definition,
            stock,
            Some(1000),
        )))
        .await
    }

    pub async fn admin(&self, change: Admin) -> Result<AdminOutcome, Failed> {
        Ok(self.store.admin(Box::new(change)).await?)
    }

    pub async fn done_by(&self, change: Admin) -> Result<Done, Failed> {
        match self.admin(change).await? {
            AdminOutcome::Done(done) => Ok(done),
            other => Err(Failed(format!("an admin change came out as {other:?}"))),
        }
    }

    pub async fn commit(&self, commit: &Commit) -> Result<Outcome, Failed> {
        Ok(self.store.commit(Box::new(commit.clone())).await?)
    }

    /// A commit that must succeed.
    pub async fn committed(&self, commit: &Commit) -> Result<Applied, Failed> {
        match self.commit(commit).await? {
            Outcome::Committed(applied) => Ok(applied),
            other => Err(Failed(format!(
                "commit `{}` came out as {other:?}",
                commit.key
            ))),
        }
    }

    /// A commit that must be exhausted.
    pub async fn exhausted(&self, commit: &Commit) -> Result<Vec<Left>, Failed> {
        match self.commit(commit).await? {
            Outcome::Exhausted(left) => Ok(left),
            other => Err(Failed(format!(
                "commit `{}` came out as {other:?}",
                commit.key
            ))),
        }
    }

    pub async fn recall_in(&self, key: &CampaignKey, user: Pseudonym) -> Result<Recalled, Failed> {
        Ok(self.store.recall(key, user, None).await?)
    }

    pub async fn participant(&self, user: Pseudonym) -> Result<Arc<Participant>, Failed> {
        let recalled = self.recall_in(&sample::live(), user).await?;
        recalled
            .participant
            .ok_or_else(|| Failed(format!("there is no participant {user}")))
    }

    /// What is remembered of a commit, `later` milliseconds after it.
    pub async fn remembered(
        &self,
        commit: &Commit,
        later: i64,
    ) -> Result<Option<Result<Answer, KeyWasUsed>>, Failed> {
        let (fingerprint, now) = (&commit.fingerprint, commit.at + later);
        let asked = Asked {
            key: &commit.key,
            fingerprint,
            now,
        };
        Ok(self
            .store
            .recall(&commit.campaign, commit.user, Some(asked))
            .await?
            .answer)
    }

    pub async fn lane(&self, key: &CampaignKey) -> Result<Lane, Failed> {
        let lane = self.store.lane(key).await?;
        lane.ok_or_else(|| Failed(format!("there is no lane {key}")))
    }

    pub async fn counter(&self, key: &CounterKey) -> Result<Counter, Failed> {
        let lane = self.lane(&sample::live()).await?;
        let found = lane.counters.into_iter().find(|(known, _)| known == key);
        found
            .map(|(_, counter)| counter)
            .ok_or_else(|| Failed(format!("there is no counter {key}")))
    }

    pub async fn ledger(&self, key: &CampaignKey) -> Result<Vec<LedgerRow>, Failed> {
        Ok(self.store.ledger(key, 0, 10_000).await?)
    }

    pub async fn pause(&self, event: Option<&str>) -> Result<Pause, Failed> {
        let pause = Pause {
            reason: "a look at the wheel".to_owned(),
            notice: Some("back soon".to_owned()),
            until: Some(sample::START + 1),
            event: event.map(Arc::from),
        };
        let (campaign, edition) = (sample::CAMPAIGN.into(), 1);
        let action = Action::Pause {
            campaign,
            edition,
            pause: pause.clone(),
        };
        self.done_by(sample::admin(action)).await?;
        Ok(pause)
    }
}
