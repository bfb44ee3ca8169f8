//! What a user chooses of a pack: some of what there is to choose from, each at most once. What was chosen is one promise,
//! whatever it is, so that a second choice is no second promise.

use std::sync::Arc;

use machine::block::Look;
use machine::expr::{Fault, Source};
use machine::step::{No, Rejection};
use machine::{Campaign, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::promise::{May, may, shown};

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choose {
    /// The rewards to choose from.
    pub of: Vec<u16>,
    /// How many of them are chosen, all different; at least 1 and fewer than there are.
    pub how_many: u32,
}

impl Choose {
    /// What the event's field at the place `slot` chooses. The payload was read against its declaration, which allows
    /// nothing else; an event of an older revision may still name what is no longer there.
    pub(super) fn made(&self, slot: Option<&Value>, look: &Look<'_>) -> Result<Vec<u16>, No> {
        let Some(Value::Int(slot)) = slot else {
            return Err(Rejection::NotPossible.into());
        };
        let slot = u16::try_from(*slot).map_err(|_| Fault::Mismatch("a field is missing"))?;
        let names: &[Arc<str>] = match look.get(Source::Event(slot))? {
            Value::Str(name) => std::slice::from_ref(name),
            Value::Strs(names) => names,
            Value::Bool(_) | Value::Int(_) | Value::Days(_) => &[],
        };
        let mut chosen: Vec<u16> = Vec::new();
        for name in names {
            let reward = look.campaign.reward(name);
            let reward = reward.filter(|reward| self.of.contains(reward));
            chosen.extend(reward.filter(|reward| !chosen.contains(reward)));
        }
        if chosen.len() != self.how_many as usize || chosen.len() != names.len() {
            return Err(Rejection::NotPossible.into());
        }
        Ok(chosen)
    }

    pub(super) fn view(&self, look: &Look<'_>, language: &str) -> Json {
        let option = |reward: &u16| {
            let mut option = shown(look.campaign, *reward, language);
            // What can't be told is left to the claim, which says no if it must.
            let may = may(*reward, look).unwrap_or(May::Now);
            option["possible"] = json!(may == May::Now);
            option
        };
        let of: Json = self.of.iter().map(option).collect();
        json!({ "how_many": self.how_many, "of": of })
    }

    pub(super) fn public(&self, campaign: &Campaign, language: &str) -> Json {
        let of: Json = self
            .of
            .iter()
            .map(|reward| shown(campaign, *reward, language))
            .collect();
        json!({ "how_many": self.how_many, "of": of })
    }
}
