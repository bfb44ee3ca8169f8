//! A wheel: one reward of several by exact integer odds, with pity. Scratch cards and eggs are the same with another
//! picture.
//!
//! Odds are parts of a stated whole and equal the config to the last digit. What a roll gives when the reward is gone is
//! decided by `when_gone` alone: the odds of the rest never change.

use std::sync::Arc;

use machine::block::{ActionSig, Block, Look, Signature, VarSig};
use machine::expr::Fault;
use machine::ledger::Rolled;
use machine::luck::Luck;
use machine::model::{BlockSpec, LinkError};
use machine::step::No;
use machine::turn::{Gave, Turn};
use machine::{Campaign, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::promise::shown;

/// This kind of block.
pub const KIND: &str = "wheel";

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The whole that odds are parts of; at least 1, at least the sum of the slices.
    pub whole: u64,
    /// The rewards with odds of their own.
    pub slices: Vec<Slice>,
    /// The reward that takes what the slices leave, if one does; else that misses.
    pub rest: Option<u16>,
    /// Its rule, if it gives something.
    pub rest_rule: Option<u16>,
    /// After how many losses in a row what is given.
    pub pity: Option<Pity>,
    /// The rewards' ids by their places, so that a row can name what came up.
    pub names: Vec<(u16, Arc<str>)>,
}

/// A reward and its odds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Which reward.
    pub reward: u16,
    /// Its parts of the whole.
    pub parts: u64,
    /// Under which rule.
    pub rule: u16,
}

/// Pity: a bounded run of bad luck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pity {
    /// After this many draws in a row without a win ...
    pub losses: u32,
    /// ... the next draw gives this reward, without a roll.
    pub reward: u16,
    /// Under this rule.
    pub rule: u16,
    /// Whether any win starts the count over; else only this reward does.
    pub any_win: bool,
}

/// The block.
#[derive(Debug)]
pub struct Wheel {
    params: Params,
    name: Arc<str>,
    misses: u16,
}

/// What the check knows of it.
pub fn signature() -> Signature {
    Signature {
        vars: vec![VarSig {
            name: "misses".to_owned(),
            ty: Type::Int,
            balance: false,
            show: true,
            default: Value::Int(0),
            at_most: i64::MAX,
        }],
        actions: vec![ActionSig {
            name: "draw",
            args: vec![],
            outcomes: &["won", "missed"],
            draws: true,
        }],
        functions: vec![],
    }
}

/// The place of the outcome `won`.
const WON: u16 = 0;
/// The place of the outcome `missed`.
const MISSED: u16 = 1;

impl Wheel {
    pub(crate) fn new(params: Params, spec: &BlockSpec) -> Result<Self, LinkError> {
        let [misses] = crate::slots(KIND, &spec.vars)?;
        let sum = params
            .slices
            .iter()
            .try_fold(0u64, |sum, slice| sum.checked_add(slice.parts));
        if params.whole == 0 || sum.is_none_or(|sum| sum > params.whole) {
            let message = "the odds are more than the whole".to_owned();
            return Err(LinkError::Params {
                kind: KIND.to_owned(),
                message,
            });
        }
        Ok(Self {
            params,
            name: spec.name.clone(),
            misses,
        })
    }

    /// What comes up, its reward and its rule.
    fn roll(&self, luck: &mut Luck, misses: i64) -> (Rolled, Option<u16>, u16) {
        if let Some(pity) = &self.params.pity
            && misses >= i64::from(pity.losses)
        {
            let rolled = Rolled {
                pick: 0,
                of: 0,
                reward: self.name_of(Some(pity.reward)),
                pity: true,
            };
            return (rolled, Some(pity.reward), pity.rule);
        }
        let pick = luck.below(self.params.whole);
        let mut up_to = 0;
        let mut hit = (self.params.rest, self.params.rest_rule.unwrap_or(u16::MAX));
        for slice in &self.params.slices {
            up_to += slice.parts;
            if pick < up_to {
                hit = (Some(slice.reward), slice.rule);
                break;
            }
        }
        let rolled = Rolled {
            pick,
            of: self.params.whole,
            reward: self.name_of(hit.0),
            pity: false,
        };
        (rolled, hit.0, hit.1)
    }

    /// The id of a reward; empty where the roll stands for none.
    fn name_of(&self, reward: Option<u16>) -> Arc<str> {
        let found = self
            .params
            .names
            .iter()
            .find(|(place, _)| Some(*place) == reward);
        found.map_or_else(|| Arc::from(""), |(_, name)| name.clone())
    }

    fn prizes(&self, campaign: &Campaign, language: &str) -> Json {
        let taken: u64 = self.params.slices.iter().map(|slice| slice.parts).sum();
        let rest = self
            .params
            .rest
            .map(|reward| (reward, self.params.whole.saturating_sub(taken)));
        let slices = self
            .params
            .slices
            .iter()
            .map(|slice| (slice.reward, slice.parts))
            .chain(rest);
        slices
            .map(|(reward, parts)| {
                let mut prize = shown(campaign, reward, language);
                prize["odds"] = json!({ "parts": parts, "of": self.params.whole });
                prize["instead"] = campaign
                    .rewards
                    .get(usize::from(reward))
                    .and_then(|reward| campaign.rewards.get(usize::from(reward.when_gone?)))
                    .map_or(Json::Null, |instead| json!(&*instead.id));
                prize
            })
            .collect()
    }

    fn pity(&self, campaign: &Campaign) -> Json {
        self.params.pity.as_ref().map_or(Json::Null, |pity| {
            json!({
                "losses_in_a_row": pity.losses,
                "then_give": campaign.rewards.get(usize::from(pity.reward)).map(|reward| &*reward.id),
                "starts_over_after": if pity.any_win { "any-win" } else { "this-reward" },
            })
        })
    }
}

impl Block for Wheel {
    fn act(&self, _action: u16, _args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let misses = turn.int(self.misses)?;
        let (index, mut luck) = turn.draw(&self.name)?;
        let (rolled, reward, rule) = self.roll(&mut luck, misses);
        // A roll that stands for no reward is booked like the blank one: with nothing given.
        let by_pity = rolled.pity;
        let gave = match reward {
            Some(reward) => turn.settle_draw(index, &self.name, rolled, reward, rule, misses)?,
            None => turn.book_blank(index, &self.name, rolled, misses),
        };
        let starts_over = match (gave, &self.params.pity) {
            // Pity whose reward is gone starts over too: else it would decide every later draw, and nobody it has
            // reached could win anything any more.
            (Gave::Nothing(_), _) => by_pity,
            (Gave::Reward(reward), Some(pity)) => pity.any_win || reward == pity.reward,
            (Gave::Reward(_), None) => true,
        };
        turn.set(
            self.misses,
            Value::Int(if starts_over {
                0
            } else {
                misses.saturating_add(1)
            }),
        )?;
        let won = matches!(gave, Gave::Reward(_));
        turn.raise(if won { "won" } else { "missed" });
        Ok(Some(if won { WON } else { MISSED }))
    }

    fn call(&self, _function: u16, _args: &[Value], _look: &Look<'_>) -> Result<Value, Fault> {
        Err(Fault::Mismatch("the wheel has no function"))
    }

    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        let mut wheel = json!({
            "prizes": self.prizes(look.campaign, language),
            "misses": look.int(self.misses).unwrap_or(0),
        });
        if self.params.pity.is_some() {
            wheel["pity"] = self.pity(look.campaign);
        }
        Some(("wheel", wheel))
    }

    fn public(&self, campaign: &Campaign, language: &str) -> Option<(&'static str, Json)> {
        let mut wheel = json!({ "prizes": self.prizes(campaign, language) });
        if self.params.pity.is_some() {
            wheel["pity"] = self.pity(campaign);
        }
        Some(("wheel", wheel))
    }

    fn redraw(&self, luck: &mut Luck, misses: i64) -> Option<Rolled> {
        Some(self.roll(luck, misses).0)
    }
}
