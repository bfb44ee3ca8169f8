//! What is done when something is wrong: kill switches, blocks, what support and risk do to one user's grants, notices. A
//! measure holds for every commit after it; what it was stands in the audit like all that staff do.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::admin::{Admin, AdminOutcome, Refused};
use super::carry::{Effect, known};
use super::change::CounterKey;
use super::state::{Counter, Pause, TenantWorld, World};
use crate::calendar::Millis;
use crate::ids::{Lane, Pseudonym};
use crate::text::Text;

/// A measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// Nothing of a reward is given any more in the live lane, whatever is left of it.
    StopReward {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Which reward.
        reward: Arc<str>,
    },
    /// It is given again.
    StartReward {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Which reward.
        reward: Arc<str>,
    },
    /// Lowers a ceiling, never below what is gone already.
    Withdraw {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Which lane.
        lane: Lane,
        /// Which reward.
        reward: Arc<str>,
        /// By how many units at most; none: all that is left.
        units: Option<u32>,
    },
    /// Stops the live lanes of all of the tenant's campaigns, those that are published later too.
    PauseTenant {
        /// The stop; of no single event.
        pause: Pause,
    },
    /// Ends that.
    ResumeTenant,
    /// Keeps a user from all that changes their records.
    Block {
        /// Whom.
        user: Pseudonym,
        /// Until when (excluded); none: until it is ended.
        until: Option<Millis>,
    },
    /// Ends that.
    Unblock {
        /// Whom.
        user: Pseudonym,
    },
    /// What is about to be done to one user's grants: booked here first, and then committed to the record.
    OnUser {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// Which lane.
        lane: Lane,
        /// Whose.
        user: Pseudonym,
        /// What.
        deed: Deed,
    },
    /// What users are told without a stop; none: nothing any more.
    Notice {
        /// Which campaign.
        campaign: Arc<str>,
        /// Which edition.
        edition: u32,
        /// The words.
        notice: Option<Notice>,
    },
}

/// What is done to one user's grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// A reward is given by hand.
    Grant {
        /// Which.
        reward: Arc<str>,
        /// How many times.
        n: u32,
        /// For which ticket.
        ticket: Arc<str>,
    },
    /// A grant is held.
    Hold {
        /// Its id.
        grant: Arc<str>,
    },
    /// A held grant is let go on.
    Release {
        /// Its id.
        grant: Arc<str>,
    },
    /// A grant is taken back.
    Void {
        /// Its id.
        grant: Arc<str>,
    },
}

/// What users are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The words, by language.
    pub text: Text,
    /// Until when (excluded).
    pub until: Option<Millis>,
}

impl Notice {
    /// Whether it is shown at `now`.
    pub fn is_shown(&self, now: Millis) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// That a user is kept from taking part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Until when (excluded); none: until it is ended.
    pub until: Option<Millis>,
    /// Since when.
    pub at: Millis,
    /// By whom.
    pub by: Arc<str>,
    /// Why.
    pub why: Option<Arc<str>>,
}

/// Of a block what a commit looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked {
    /// Until when (excluded); none: until it is ended.
    pub until: Option<Millis>,
}

impl Blocked {
    /// Whether it holds at `now`.
    pub fn holds(self, now: Millis) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl TenantWorld {
    /// Whether a user is blocked at `now`.
    pub fn blocked(&self, user: &Pseudonym, now: Millis) -> Option<Blocked> {
        let until = self.blocks.get(user)?.until;
        Some(Blocked { until }).filter(|blocked| blocked.holds(now))
    }
}

impl Counter {
    /// Takes up to so many units out of what is left; none: all of it. How many it took.
    pub fn withdraw(&mut self, units: Option<u32>) -> i64 {
        let left = self.ceiling.saturating_sub(self.issued).max(0);
        let taken = units.map_or(left, |units| left.min(i64::from(units)));
        self.ceiling -= taken;
        taken
    }
}

pub(super) fn take(
    world: &mut World,
    change: &Admin,
    measure: &Measure,
) -> Result<Effect, AdminOutcome> {
    let tenant = &change.tenant;
    match measure {
        Measure::StopReward {
            campaign,
            edition,
            reward,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            if !found.stopped.insert(reward.clone()) {
                return Err(AdminOutcome::Already);
            }
            Ok(Effect::of(campaign))
        }
        Measure::StartReward {
            campaign,
            edition,
            reward,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            if !found.stopped.remove(reward) {
                return Err(AdminOutcome::Already);
            }
            Ok(Effect::of(campaign))
        }
        Measure::Withdraw {
            campaign,
            edition,
            lane,
            reward,
            units,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            let counters = &mut found.lane_mut(*lane).counters;
            let Some(counter) = counters.get_mut(&CounterKey::Stock(reward.clone())) else {
                return Err(AdminOutcome::Refused(Refused::NoSuchStock(reward.clone())));
            };
            let withdrawn = counter.withdraw(*units);
            if withdrawn == 0 {
                return Err(AdminOutcome::Already);
            }
            Ok(Effect {
                ceiling: Some(counter.ceiling),
                withdrawn: Some(withdrawn),
                ..Effect::of(campaign)
            })
        }
        Measure::OnUser {
            campaign, edition, ..
        } => {
            known(world, tenant, campaign, *edition)?;
            Ok(Effect::of(campaign))
        }
        Measure::Notice {
            campaign,
            edition,
            notice,
        } => {
            let found = known(world, tenant, campaign, *edition)?;
            if found.notice == *notice {
                return Err(AdminOutcome::Already);
            }
            found.notice.clone_from(notice);
            Ok(Effect::of(campaign))
        }
        Measure::PauseTenant { .. }
        | Measure::ResumeTenant
        | Measure::Block { .. }
        | Measure::Unblock { .. } => of_tenant(world, change, measure),
    }
}

/// Those that hold for all of a tenant's campaigns.
fn of_tenant(world: &mut World, change: &Admin, measure: &Measure) -> Result<Effect, AdminOutcome> {
    let Some(tenant) = world.tenants.get_mut(&change.tenant) else {
        let no = Refused::NoSuchTenant(change.tenant.clone());
        return Err(AdminOutcome::Refused(no));
    };
    let there = match measure {
        Measure::PauseTenant { pause } => {
            tenant.pause = Some(pause.clone());
            true
        }
        Measure::ResumeTenant => tenant.pause.take().is_some(),
        Measure::Block { user, .. } => {
            let block = measure.block(change);
            tenant.blocks.extend(block.map(|block| (*user, block)));
            true
        }
        Measure::Unblock { user } => tenant.blocks.remove(user).is_some(),
        Measure::StopReward { .. }
        | Measure::StartReward { .. }
        | Measure::Withdraw { .. }
        | Measure::OnUser { .. }
        | Measure::Notice { .. } => false,
    };
    there.then(Effect::default).ok_or(AdminOutcome::Already)
}

impl Measure {
    /// The campaign and the edition that it is about, if it is about one.
    pub fn campaign(&self) -> Option<(&Arc<str>, u32)> {
        match self {
            Self::StopReward {
                campaign, edition, ..
            }
            | Self::StartReward {
                campaign, edition, ..
            }
            | Self::Withdraw {
                campaign, edition, ..
            }
            | Self::OnUser {
                campaign, edition, ..
            }
            | Self::Notice {
                campaign, edition, ..
            } => Some((campaign, *edition)),
            Self::PauseTenant { .. }
            | Self::ResumeTenant
            | Self::Block { .. }
            | Self::Unblock { .. } => None,
        }
    }

    /// The block that a change makes, if it makes one.
    pub fn block(&self, change: &Admin) -> Option<Block> {
        let Self::Block { until, .. } = self else {
            return None;
        };
        Some(Block {
            until: *until,
            at: change.at,
            by: change.by.clone(),
            why: change.why.clone(),
        })
    }

    /// The measure in one word, and its particulars.
    pub(super) fn told(&self, done: &super::admin::Done) -> (&'static str, serde_json::Value) {
        match self {
            Self::StopReward {
                edition, reward, ..
            } => (
                "stop-reward",
                json!({ "edition": edition, "reward": reward }),
            ),
            Self::StartReward {
                edition, reward, ..
            } => (
                "start-reward",
                json!({ "edition": edition, "reward": reward }),
            ),
            Self::Withdraw {
                edition,
                lane,
                reward,
                units,
                ..
            } => (
                "withdraw-stock",
                json!({
                    "edition": edition, "lane": lane, "reward": reward, "asked": units,
                    "withdrawn": done.withdrawn, "ceiling": done.ceiling,
                }),
            ),
            Self::PauseTenant { pause } => ("pause-tenant", json!({ "pause": pause })),
            Self::ResumeTenant => ("resume-tenant", json!({})),
            Self::Block { user, until } => (
                "block-user",
                json!({ "user": user.to_string(), "until": until }),
            ),
            Self::Unblock { user } => ("unblock-user", json!({ "user": user.to_string() })),
            Self::OnUser {
                edition,
                lane,
                user,
                deed,
                ..
            } => {
                let user = user.to_string();
                let about = json!({ "edition": edition, "lane": lane, "user": user });
                deed.told(about)
            }
            Self::Notice {
                edition, notice, ..
            } => ("notice", json!({ "edition": edition, "notice": notice })),
        }
    }
}

impl Deed {
    fn told(&self, mut about: serde_json::Value) -> (&'static str, serde_json::Value) {
        let (word, more): (_, BTreeMap<&str, serde_json::Value>) = match self {
            Self::Grant { reward, n, ticket } => (
                "grant-by-hand",
                BTreeMap::from([
                    ("reward", json!(reward)),
                    ("n", json!(n)),
                    ("ticket", json!(ticket)),
                ]),
            ),
            Self::Hold { grant } => ("hold-grant", BTreeMap::from([("grant", json!(grant))])),
            Self::Release { grant } => ("release-grant", BTreeMap::from([("grant", json!(grant))])),
            Self::Void { grant } => ("void-grant", BTreeMap::from([("grant", json!(grant))])),
        };
        for (name, value) in more {
            about[name] = value;
        }
        (word, about)
    }
}
