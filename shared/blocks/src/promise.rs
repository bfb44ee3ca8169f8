//! A reward under a rule: what blocks promise.

use machine::Campaign;
use machine::block::Look;
use machine::expr::Fault;
use machine::model::RewardKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// A reward to be given under a rule, both by their places in the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Under which rule.
    pub rule: u16,
    /// Which reward.
    pub reward: u16,
}

/// Whether this user may be given a reward, or what stands in for it when it is gone, for all that the record and lists say.
/// Whether any unit is left only the store knows, when it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// They may have it.
    Now,
    /// They have had it as often as may be today, or this week.
    Later,
    /// They have had it as often as may be, or it is not for them.
    Never,
}

/// Whether this user may be given a reward.
pub fn may(reward: u16, look: &Look<'_>) -> Result<May, Fault> {
    let mut may = May::Never;
    let mut at = Some(reward);
    for _ in 0..=look.campaign.rewards.len() {
        let known = at.and_then(|at| Some((at, look.campaign.rewards.get(usize::from(at))?)));
        let Some((place, found)) = known.filter(|(_, found)| found.kind != RewardKind::Nothing)
        else {
            break;
        };
        let is_excluded = match &found.not_for {
            Some(guard) => guard.eval(look)?,
            None => false,
        };
        if !is_excluded {
            if !look.has_had(place) {
                return Ok(May::Now);
            }
            let most = found.per_user;
            if most.is_none_or(|most| look.given(place) < i64::from(most)) {
                may = May::Later;
            }
        }
        at = found.when_gone;
    }
    Ok(may)
}

/// A reward as clients see it.
pub fn shown(campaign: &Campaign, reward: u16, language: &str) -> Json {
    campaign
        .rewards
        .get(usize::from(reward))
        .map_or(Json::Null, |reward| {
            let mut shown = json!({
                "reward": &*reward.id,
                "kind": reward.kind,
                "title": reward.title.pick(language, &campaign.language),
                "image": reward.image,
            });
            if reward.amount != 0 {
                shown["amount"] = json!(reward.amount);
            }
            if reward.value != 0 {
                shown["value"] = json!({
                    "amount": campaign.currency.decimal(reward.value),
                    "currency": campaign.currency.code,
                });
            }
            shown
        })
}
