//! A wheel: one reward of several by exact integer odds, with pity. Scratch cards, eggs and nine-grids are the same with another
//! picture ([`picture`]).
//!
//! Odds are parts of a stated whole and equal the config to the last digit. What a roll gives when the reward is gone is
//! decided by `when_gone` alone: the odds of the rest never change. Several draws in one action are made one after the other,
//! each on what the one before left: ten at once come to what ten alone would have come to.

pub mod contract;
mod counted;
mod odds;
pub mod picture;
mod shown;

use std::sync::Arc;

use machine::block::{ActionSig, Block, FunctionSig, Look, Redrawn, Signature, VarSig};
use machine::calendar::Millis;
use machine::expr::Fault;
use machine::luck::Luck;
use machine::model::{BlockSpec, LinkError};
use machine::step::{No, Rejection};
use machine::turn::{Drawing, Gave, Turn};
use machine::{Campaign, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use counted::AtMost;
use counted::Counted;
pub use odds::{Odds, Slice, Tier};
pub use picture::Picture;

/// This kind of block.
pub const KIND: &str = "wheel";

/// The code of the rejection of a draw beyond [`AtMost`].
pub const DRAW_LIMIT: &str = "draw-limit";

/// The most draws of one action: each has its row and its grant, and all of them are one commit.
pub const MOST_AT_ONCE: i64 = 50;

/// The parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Other odds for a participant's first draws, in order; the odds above hold after them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// What clients are told of drawing several times in one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<AtOnce>,
    /// How often one participant draws at most.
    #[serde(default, skip_serializing_if = "AtMost::is_free")]
    pub at_most: AtMost,
    /// What it looks like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
}

/// Drawing several times in one call, as the machine does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtOnce {
    /// How many draws; 2 to [`MOST_AT_ONCE`].
    pub times: i64,
    /// For how many chances.
    pub price: i64,
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

impl Pity {
    /// Whether a draw that ended so starts the count over. One that pity decided always does, whatever it gave in the end: else
    /// pity whose reward is gone would decide every later draw too.
    pub fn starts_over(pity: Option<&Self>, by_pity: bool, given: Option<u16>) -> bool {
        match (pity, given) {
            _ if by_pity => true,
            (_, None) => false,
            (Some(pity), Some(given)) => pity.any_win || given == pity.reward,
            (None, Some(_)) => true,
        }
    }
}

/// The block.
#[derive(Debug)]
pub struct Wheel {
    params: Params,
    name: Arc<str>,
    misses: u16,
    made: u16,
    counted: Option<Counted>,
}

/// What the check knows of it; `counts`: whether draws are limited by the day or week.
pub fn signature(counts: bool) -> Signature {
    let hidden = |name: &str, default: i64| VarSig {
        name: name.to_owned(),
        ty: Type::Int,
        balance: false,
        show: false,
        default: Value::Int(default),
        at_most: i64::MAX,
    };
    let misses = VarSig {
        name: "misses".to_owned(),
        ty: Type::Int,
        balance: false,
        show: true,
        default: Value::Int(0),
        at_most: i64::MAX,
    };
    // Days may draw too, and their draws are none of the wheel's.
    let made = hidden("$wheel.draws", 0);
    let counters = counted::VARS.iter().filter(|_| counts);
    let counters = counters.map(|name| hidden(name, counted::NEVER));
    let function = |name| FunctionSig {
        name,
        args: vec![],
        result: Type::Int,
    };
    Signature {
        vars: [misses, made].into_iter().chain(counters).collect(),
        actions: vec![ActionSig {
            name: "draw",
            args: vec![],
            outcomes: &["won", "missed"],
            draws: true,
        }],
        functions: vec![function("draws_left"), function("draws_made")],
    }
}

/// The place of the outcome `won`.
const WON: u16 = 0;
/// The place of the outcome `missed`.
const MISSED: u16 = 1;

impl Wheel {
    pub(crate) fn new(params: Params, spec: &BlockSpec) -> Result<Self, LinkError> {
        let (misses, made, counted) = match spec.vars.as_slice() {
            [misses, made] => (*misses, *made, None),
            [misses, made, counters @ ..] => {
                let counted = Counted::new(crate::slots(KIND, counters)?);
                (*misses, *made, Some(counted))
            }
            [_] | [] => return Err(broken("needs two variables of the record")),
        };
        if !params.all_odds().all(|odds| odds.are_sound()) {
            return Err(broken("the odds are more than the whole"));
        }
        if counted.is_none() && params.at_most.counts() {
            return Err(broken("draws are limited, and no variable counts them"));
        }
        Ok(Self {
            params,
            name: spec.name.clone(),
            misses,
            made,
            counted,
        })
    }

    /// One draw; whether it won.
    fn once(&self, turn: &mut Turn<'_>) -> Result<bool, No> {
        let misses = turn.int(self.misses)?;
        let made = self.made(&turn.look())?;
        let (index, mut luck) = turn.draw(&self.name)?;
        let (rolled, hit, tier) = self.params.roll(&mut luck, made, misses);
        let after = i64::try_from(made.saturating_add(1)).unwrap_or(i64::MAX);
        turn.set(self.made, Value::Int(after))?;
        let by_pity = rolled.pity;
        if let Some(counted) = &self.counted {
            counted.count(turn)?;
        }
        let gave = turn.settle_draw(Drawing {
            index,
            purpose: self.name.clone(),
            rolled,
            hit,
            misses,
            tier,
            counts: self.params.at_most.counts(),
            made: Some(made),
        })?;
        let given = match gave {
            Gave::Reward(reward) => Some(reward),
            Gave::Nothing(_) => None,
        };
        let over = Pity::starts_over(self.params.pity.as_ref(), by_pity, given);
        let misses = if over { 0 } else { misses.saturating_add(1) };
        turn.set(self.misses, Value::Int(misses))?;
        Ok(given.is_some())
    }

    /// How many draws a participant has made of it.
    fn made(&self, look: &Look<'_>) -> Result<u64, Fault> {
        Ok(u64::try_from(look.int(self.made)?).unwrap_or(0))
    }

    /// How many more draws a participant may make now.
    fn left(&self, look: &Look<'_>) -> Result<i64, Fault> {
        let counted = match &self.counted {
            Some(counted) => counted.of(look)?,
            None => (0, 0),
        };
        Ok(self.params.at_most.left(counted, self.made(look)?))
    }
}

fn broken(message: &str) -> LinkError {
    LinkError::Params {
        kind: KIND.to_owned(),
        message: message.to_owned(),
    }
}

impl Block for Wheel {
    /// Draws, as many times as its argument says; without one, once. More than may be drawn is a rejection before the first; where
    /// nobody is there to be told, as many as may be.
    fn act(&self, _action: u16, args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let mut times = match args {
            [] => 1,
            [Value::Int(times)] if (1..=MOST_AT_ONCE).contains(times) => *times,
            _ => return Err(Fault::Mismatch("a number of draws was expected").into()),
        };
        let left = self.left(&turn.look())?;
        if left < times {
            if !turn.quiet() {
                return Err(Rejection::Custom(DRAW_LIMIT.into()).into());
            }
            times = left;
        }
        let mut won = false;
        for _ in 0..times {
            won |= self.once(turn)?;
        }
        turn.raise(if won { "won" } else { "missed" });
        Ok(Some(if won { WON } else { MISSED }))
    }

    fn call(&self, function: u16, _args: &[Value], look: &Look<'_>) -> Result<Value, Fault> {
        match function {
            0 => self.left(look).map(Value::Int),
            1 => look.int(self.made).map(Value::Int),
            _ => Err(Fault::Mismatch("the wheel has no such function")),
        }
    }

    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        let misses = look.int(self.misses).unwrap_or(0);
        let left = (!self.params.at_most.is_free()).then(|| self.left(look).unwrap_or(0));
        let drawn = shown::Drawn {
            misses,
            made: self.made(look).unwrap_or(0),
            left,
        };
        Some(("wheel", shown::view(&self.params, look, drawn, language)))
    }

    fn public(&self, campaign: &Campaign, language: &str) -> Option<(&'static str, Json)> {
        Some(("wheel", shown::public(&self.params, campaign, language)))
    }

    fn lifts(&self, code: &str) -> bool {
        code == DRAW_LIMIT
    }

    fn lifted_at(&self, _code: &str, look: &Look<'_>) -> Option<Millis> {
        let counted = self.counted.as_ref()?;
        let of_late = counted.of(look).ok()?;
        let all = self.made(look).ok()?;
        let times = self.params.at_once.map_or(1, |at_once| at_once.times);
        let at_most = &self.params.at_most;
        let day = at_most.lifted(of_late, all, look.today(), times)?;
        Some(look.campaign.calendar.start_of(day))
    }

    fn redraw(&self, luck: &mut Luck, made: u64, misses: i64) -> Option<Redrawn> {
        let (rolled, _, tier) = self.params.roll(luck, made, misses);
        Some(Redrawn { rolled, tier })
    }
}
