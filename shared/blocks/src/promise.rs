//! A reward under a rule: what blocks promise.

use machine::Campaign;
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
