//! A raffle: users enter until a time, and at a set time winners and alternates are drawn from all entries. Who is drawn is told
//! from outside ([`machine::raffle::Told`]); this block keeps what one participant knows of it, takes their entries, and
//! gives what they won.
//!
//! To have won is a right: where a prize is to be claimed, nothing is given before it is. So a unit that lapses was never given,
//! and goes to the next alternate without anything being taken back.

use std::sync::Arc;

use machine::block::{ActionSig, Block, FunctionSig, Look, Signature, VarSig};
use machine::expr::Fault;
use machine::ids::Period;
use machine::migrate::Stranded;
use machine::model::{BlockSpec, LinkError};
use machine::participant::Core;
use machine::raffle::Told;
use machine::step::{No, Rejection};
use machine::turn::{Gave, Turn};
use machine::{Campaign, Definition, Millis, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::promise::shown;

/// This kind of block.
pub const KIND: &str = machine::raffle::KIND;

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The first instant at which no entry is taken.
    pub entries_close: Millis,
    /// From when on it is drawn; not before the entries close.
    pub draw_at: Millis,
    /// How often one participant may enter.
    pub entries_each: u32,
    /// What there is to win, in order; each reward once.
    pub prizes: Vec<Prize>,
    /// How many are drawn who come next when somebody does not claim.
    pub alternates: u32,
    /// For how long a prize can be claimed, in milliseconds; none: it is given at once.
    pub claim_within: Option<i64>,
}

/// A reward and how many win it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prize {
    /// Which reward.
    pub reward: u16,
    /// Under which rule.
    pub rule: u16,
    /// How many win it.
    pub winners: u32,
}

impl Params {
    /// How many can win.
    pub fn winners(&self) -> u32 {
        let winners = self.prizes.iter().map(|prize| prize.winners);
        winners.fold(0, u32::saturating_add)
    }

    /// The prizes by the rewards' ids.
    pub fn named(&self, definition: &Definition) -> Vec<(Arc<str>, u32)> {
        let named = self.prizes.iter().filter_map(|prize| {
            let reward = definition.rewards.get(usize::from(prize.reward))?;
            Some((reward.id.clone(), prize.winners))
        });
        named.collect()
    }
}

/// The raffle of a definition, if it has one: its parameters, its name, its variables.
pub fn of(definition: &Definition) -> Option<(Params, &BlockSpec)> {
    let spec = definition.blocks.iter().find(|spec| spec.kind == KIND)?;
    let params = serde_json::from_str(&spec.params).ok()?;
    Some((params, spec))
}

/// What stands against `new` following `old` at `now`, where people have entered a raffle, or were drawn and have not all been
/// given what they won.
pub fn stranded(old: &Definition, new: &Definition, now: Millis) -> Vec<Stranded> {
    let Some((was, spec)) = of(old) else {
        return Vec::new();
    };
    if now < old.window.opens {
        return Vec::new();
    }
    let name = spec.name.to_string();
    let Some((is, _)) = of(new).filter(|(_, new)| new.name == spec.name) else {
        return vec![Stranded::Raffle(name)];
    };
    if now < was.draw_at {
        return Vec::new();
    }
    let mut found = Vec::new();
    if is.draw_at != was.draw_at || is.claim_within.is_some() != was.claim_within.is_some() {
        found.push(Stranded::Drawn(name));
    }
    let kept = is.named(new);
    for (prize, _) in was.named(old) {
        if !kept.iter().any(|(kept, _)| *kept == prize) {
            found.push(Stranded::Prize(prize.to_string()));
        }
    }
    found
}

/// How far one participant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They were told nothing.
    Nothing,
    /// They come next, after so many others.
    Alternate,
    /// The unit of this slot is theirs to claim before the instant.
    Won {
        /// Which unit.
        slot: u32,
        /// Until when (excluded).
        until: Millis,
    },
    /// They have it.
    Given {
        /// Which unit.
        slot: u32,
    },
    /// They did not claim it in time.
    Lapsed {
        /// Which unit it was.
        slot: u32,
    },
}

/// The states of a participant as the record holds them.
const NOTHING: i64 = 0;
const ALTERNATE: i64 = 1;
const WON: i64 = 2;
const GIVEN: i64 = 3;
const LAPSED: i64 = 4;

/// How far a participant is by their record, which must be of this definition's revision.
pub fn standing(spec: &BlockSpec, core: &Core) -> Option<Standing> {
    let [_, _, state, slot, _, until] = crate::slots(KIND, &spec.vars).ok()?;
    let int = |slot: u16| match core.vars.get(usize::from(slot)) {
        Some(Value::Int(value)) => Some(*value),
        _ => None,
    };
    let slot = u32::try_from(int(slot)?).unwrap_or(0);
    Some(match int(state)? {
        ALTERNATE => Standing::Alternate,
        WON => Standing::Won {
            slot,
            until: int(until)?,
        },
        GIVEN => Standing::Given { slot },
        LAPSED => Standing::Lapsed { slot },
        _ => Standing::Nothing,
    })
}

/// What the check knows of it.
pub fn signature() -> Signature {
    let int = |name: &str, show: bool| VarSig {
        name: name.to_owned(),
        ty: Type::Int,
        balance: false,
        show,
        default: Value::Int(0),
        at_most: i64::MAX,
    };
    Signature {
        vars: vec![
            int("entries", true),
            VarSig {
                ty: Type::Str,
                default: Value::Str("".into()),
                ..int("prize", true)
            },
            int("$raffle.state", false),
            int("$raffle.slot", false),
            int("$raffle.place", false),
            int("$raffle.until", false),
        ],
        actions: vec![
            ActionSig {
                name: "enter",
                args: vec![],
                outcomes: &[],
                draws: false,
            },
            ActionSig {
                name: "claim_prize",
                args: vec![],
                outcomes: &["claimed"],
                draws: false,
            },
        ],
        functions: ["entries_closed", "prize_won", "prize_lapsed"]
            .map(|name| FunctionSig {
                name,
                args: vec![],
                result: Type::Bool,
            })
            .into_iter()
            .chain([FunctionSig {
                name: "entries_left",
                args: vec![],
                result: Type::Int,
            }])
            .collect(),
    }
}

/// The places of the actions in the signature.
pub const ENTER: u16 = 0;
/// The second.
pub const CLAIM: u16 = 1;

/// The block.
#[derive(Debug)]
pub struct Raffle {
    params: Params,
    name: Arc<str>,
    entries: u16,
    prize: u16,
    state: u16,
    slot: u16,
    place: u16,
    until: u16,
}

impl Raffle {
    pub(crate) fn new(params: Params, spec: &BlockSpec) -> Result<Self, LinkError> {
        let [entries, prize, state, slot, place, until] = crate::slots(KIND, &spec.vars)?;
        Ok(Self {
            params,
            name: spec.name.clone(),
            entries,
            prize,
            state,
            slot,
            place,
            until,
        })
    }

    fn entries_left(&self, entered: i64) -> i64 {
        (i64::from(self.params.entries_each) - entered).max(0)
    }

    /// Whether there is something to claim at `now`.
    fn is_won(&self, look: &Look<'_>) -> Result<bool, Fault> {
        Ok(look.int(self.state)? == WON && look.now < look.int(self.until)?)
    }

    /// Whether the time to claim is over, and nothing was claimed.
    fn is_lapsed(&self, look: &Look<'_>) -> Result<bool, Fault> {
        let state = look.int(self.state)?;
        Ok(state == LAPSED || state == WON && look.now >= look.int(self.until)?)
    }

    /// The prize of this reward.
    fn prize_of(&self, campaign: &Campaign, reward: &str) -> Result<&Prize, Fault> {
        let at = campaign.reward(reward);
        let mut prizes = self.params.prizes.iter();
        prizes
            .find(|prize| Some(prize.reward) == at)
            .ok_or(Fault::Mismatch("this revision has no such prize"))
    }

    fn won_reward(&self, look: &Look<'_>) -> Result<Arc<str>, Fault> {
        match look.core.vars.get(usize::from(self.prize)) {
            Some(Value::Str(reward)) => Ok(reward.clone()),
            _ => Err(Fault::Mismatch("the prize is missing")),
        }
    }

    fn enter(&self, turn: &mut Turn<'_>) -> Result<(), No> {
        let entered = turn.int(self.entries)?;
        if self.entries_left(entered) == 0 {
            return Err(Rejection::NotPossible.into());
        }
        turn.enter_draw(&self.name, self.params.entries_close)?;
        Ok(turn.set(self.entries, Value::Int(entered.saturating_add(1)))?)
    }

    fn claim(&self, turn: &mut Turn<'_>) -> Result<(), No> {
        if !self.is_won(&turn.look())? {
            return Err(Rejection::NotPossible.into());
        }
        let reward = self.won_reward(&turn.look())?;
        let prize = self.prize_of(turn.campaign, &reward)?;
        // What they won and nothing else: their right is not used up by a stand-in.
        let gave = turn.give_itself(prize.rule, prize.reward, Period::Ever)?;
        if let Gave::Nothing(gone) = gave {
            return Err(turn.rejection(gone, prize.reward).into());
        }
        turn.set(self.state, Value::Int(GIVEN))?;
        turn.raise("claimed");
        Ok(())
    }

    fn won(
        &self,
        (slot, reward): (u32, &str),
        until: Option<Millis>,
        turn: &mut Turn<'_>,
    ) -> Result<bool, Fault> {
        let state = turn.int(self.state)?;
        if state != NOTHING && state != ALTERNATE {
            return Ok(false);
        }
        let prize = self.prize_of(turn.campaign, reward)?;
        if until.is_none() {
            // What can't be had just now (staff have stopped it, say) is given another time: they stay to be told.
            let gave = turn.give_itself(prize.rule, prize.reward, Period::Ever)?;
            if let Gave::Nothing(_) = gave {
                return Ok(false);
            }
        }
        let state = if until.is_some() { WON } else { GIVEN };
        turn.set(self.state, Value::Int(state))?;
        turn.set(self.slot, Value::Int(i64::from(slot)))?;
        turn.set(self.prize, Value::Str(reward.into()))?;
        turn.set(self.until, Value::Int(until.unwrap_or(0)))?;
        turn.report(
            "raffle-won",
            vec![("reward".into(), Value::Str(reward.into()))],
        );
        Ok(true)
    }

    fn lapsed(&self, turn: &mut Turn<'_>) -> Result<bool, Fault> {
        if turn.int(self.state)? != WON || turn.now < turn.int(self.until)? {
            return Ok(false);
        }
        let reward = self.won_reward(&turn.look())?;
        turn.set(self.state, Value::Int(LAPSED))?;
        turn.set(self.prize, Value::Str("".into()))?;
        turn.report("raffle-lapsed", vec![("reward".into(), Value::Str(reward))]);
        Ok(true)
    }

    fn dates(&self, campaign: &Campaign) -> Json {
        json!({
            "entries_close": campaign.calendar.rfc3339(self.params.entries_close),
            "draw_at": campaign.calendar.rfc3339(self.params.draw_at),
        })
    }
}

impl Block for Raffle {
    fn act(&self, action: u16, _args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        match action {
            ENTER => self.enter(turn).map(|()| None),
            CLAIM => self.claim(turn).map(|()| Some(0)),
            _ => Err(Fault::Mismatch("the raffle has no such action").into()),
        }
    }

    fn call(&self, function: u16, _args: &[Value], look: &Look<'_>) -> Result<Value, Fault> {
        match function {
            0 => Ok(Value::Bool(look.now >= self.params.entries_close)),
            1 => self.is_won(look).map(Value::Bool),
            2 => self.is_lapsed(look).map(Value::Bool),
            3 => Ok(Value::Int(self.entries_left(look.int(self.entries)?))),
            _ => Err(Fault::Mismatch("the raffle has no such function")),
        }
    }

    fn told(&self, told: &Told<'_>, turn: &mut Turn<'_>) -> Result<bool, Fault> {
        match *told {
            Told::Won {
                slot,
                reward,
                until,
            } => self.won((slot, reward), until, turn),
            Told::Alternate { place } => {
                if turn.int(self.state)? != NOTHING {
                    return Ok(false);
                }
                turn.set(self.state, Value::Int(ALTERNATE))?;
                turn.set(self.place, Value::Int(i64::from(place)))?;
                Ok(true)
            }
            Told::Lapsed => self.lapsed(turn),
        }
    }

    /// `state` is `open`, `entered` or `closed` until the draw; then `won`, `given`, `lapsed`, `alternate`. Whoever was not drawn is
    /// told so by the shell, which knows that it is over.
    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        let entered = look.int(self.entries).ok()?;
        let mut page = self.dates(look.campaign);
        page["entries"] = json!(entered);
        page["entries_left"] = if look.now < self.params.entries_close {
            json!(self.entries_left(entered))
        } else {
            json!(0)
        };
        let state = match look.int(self.state).ok()? {
            ALTERNATE => "alternate",
            GIVEN => "given",
            WON | LAPSED if self.is_lapsed(look).ok()? => "lapsed",
            WON => "won",
            _ if entered > 0 => "entered",
            _ if look.now < self.params.entries_close => "open",
            _ => "closed",
        };
        page["state"] = json!(state);
        if state == "alternate" {
            page["place"] = json!(look.int(self.place).ok()?);
        }
        if state == "won" || state == "given" {
            let reward = look.campaign.reward(&self.won_reward(look).ok()?);
            page["prize"] =
                reward.map_or(Json::Null, |reward| shown(look.campaign, reward, language));
        }
        if state == "won" {
            let until = look.int(self.until).ok()?;
            page["claim_before"] = json!(look.campaign.calendar.rfc3339(until));
        }
        Some((KIND, page))
    }

    fn public(&self, campaign: &Campaign, language: &str) -> Option<(&'static str, Json)> {
        let mut page = self.dates(campaign);
        let prizes = self.params.prizes.iter().map(|prize| {
            let mut shown = shown(campaign, prize.reward, language);
            shown["winners"] = json!(prize.winners);
            shown
        });
        page["prizes"] = prizes.collect();
        page["alternates"] = json!(self.params.alternates);
        page["entries_each"] = json!(self.params.entries_each);
        if let Some(within) = self.params.claim_within {
            page["claim_within_seconds"] = json!(within / 1000);
        }
        Some((KIND, page))
    }
}
