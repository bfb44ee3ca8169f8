//! One reward of several by exact odds where no wheel is: what days draw. The wheel's odds and its way of rolling are these, too;
//! when a draw is made, and what it costs, the blocks say.

use std::sync::Arc;

use machine::ledger::Rolled;
use machine::luck::Luck;
use machine::{Campaign, Definition};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::promise::shown;
use crate::streak;
use crate::wheel::{self, AtMost, Slice};

/// The odds of a draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Odds {
    /// The whole that odds are parts of; at least 1, at least the sum of the slices.
    pub whole: u64,
    /// The rewards with odds of their own.
    pub slices: Vec<Slice>,
    /// The reward that takes what the slices leave, if one does; else that misses.
    pub rest: Option<u16>,
    /// Its rule, if it gives something.
    pub rest_rule: Option<u16>,
    /// The rewards' ids by their places, so that a row can name what came up.
    pub names: Vec<(u16, Arc<str>)>,
}

impl Odds {
    /// These odds, as a wheel has them.
    pub fn odds(&self) -> wheel::Odds<'_> {
        wheel::Odds {
            whole: self.whole,
            slices: &self.slices,
            rest: self.rest,
            rest_rule: self.rest_rule,
        }
    }

    /// A wheel with nothing but these odds.
    pub fn wheel(&self) -> wheel::Params {
        wheel::Params {
            whole: self.whole,
            slices: self.slices.clone(),
            rest: self.rest,
            rest_rule: self.rest_rule,
            pity: None,
            names: self.names.clone(),
            tiers: Vec::new(),
            at_once: None,
            at_most: AtMost::default(),
            picture: None,
        }
    }

    /// What comes up; and the reward it stands for with its rule, if it stands for one.
    pub fn roll(&self, luck: &mut Luck) -> (Rolled, Option<(u16, u16)>) {
        let (pick, hit) = self.odds().pick(luck);
        let place = hit.map(|(reward, _)| reward);
        let name = self.names.iter().find(|(known, _)| Some(*known) == place);
        let rolled = Rolled {
            pick,
            of: self.whole,
            reward: name.map_or_else(|| Arc::from(""), |(_, name)| name.clone()),
            pity: false,
        };
        (rolled, hit)
    }

    /// As clients see it: each reward with its odds, and what stands in for it when it is gone.
    pub fn shown(&self, campaign: &Campaign, language: &str) -> Json {
        let odds = self.odds();
        odds.parts()
            .map(|(reward, parts)| {
                let mut prize = shown(campaign, reward, language);
                prize["odds"] = json!({ "parts": parts, "of": self.whole });
                prize["instead"] = campaign
                    .rewards
                    .get(usize::from(reward))
                    .and_then(|reward| campaign.rewards.get(usize::from(reward.when_gone?)))
                    .map_or(Json::Null, |instead| json!(&*instead.id));
                prize
            })
            .collect()
    }
}

/// What days of a definition draw, by what the draws are for. A block whose parameters can't be read has nothing.
pub fn lots(definition: &Definition) -> Vec<(String, Odds)> {
    let specs = definition.blocks.iter();
    let specs = specs.filter(|spec| spec.kind == streak::KIND);
    specs
        .filter_map(|spec| {
            let params = serde_json::from_str::<streak::Params>(&spec.params).ok()?;
            let lots = params.lots.into_iter();
            Some(lots.map(|lot| (lot.purpose(&spec.name), lot.odds)))
        })
        .flatten()
        .collect()
}
