//! Codes that users hand in: each of a kind, which says how many may use one, how many one user may use, and what it gives.
//!
//! Which code it is, the shell has found out before the step ([`machine::redeem`]); what is here never sees one. That a code is used
//! as often as it may be, and no more, is a counter of the code's own, moved by the commit that gives.

use std::sync::Arc;

use machine::block::{ActionSig, Block, FunctionSig, Look, Signature, VarSig};
use machine::expr::Fault;
use machine::ids::Period;
use machine::model::LinkError;
use machine::redeem::{FIELD, Standing};
use machine::step::{No, Rejection};
use machine::turn::Turn;
use machine::{Campaign, Type, Value, typed};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::promise::Promise;

/// This kind of block.
pub const KIND: &str = "redeem";

/// The code for one that is none of the campaign's.
pub const UNKNOWN: &str = "code-unknown";

/// The code for one whose check symbol says that it is mistyped.
pub const MISTYPED: &str = "code-mistyped";

/// The code for one that was used as often as it may be.
pub const USED: &str = "code-used";

/// The code for a user who has used as many as one may.
pub const LIMIT: &str = "code-limit";

/// The most that one user may use, whatever is said: what was given stands in their record.
pub const MOST_PER_USER: u32 = 1000;

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The fact that says what a code is, by its place in the definition.
    pub fact: u16,
    /// The event with which codes come, by its place.
    pub event: u16,
    /// How many codes one user may use in all; none: as the kinds say.
    pub per_user: Option<u32>,
    /// The kinds, in order.
    pub kinds: Vec<Kind>,
}

/// Codes of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// Its id; unique, and part of its variable's name and its rules' ids.
    pub id: Arc<str>,
    /// How often each of its codes may be used; none: without end.
    pub uses: Option<u32>,
    /// How often one user may use a code of it; 1 to [`MOST_PER_USER`].
    pub per_user: u32,
    /// The balances it earns, and how much of each.
    pub earns: Vec<(u16, i64)>,
    /// What it gives: all of it, or the code is not used.
    pub gives: Vec<Promise>,
}

/// The block.
#[derive(Debug)]
pub struct Redeem {
    params: Params,
    slots: Vec<u16>,
}

/// The places of the functions in the signature.
const OF_KIND: u16 = 0;

/// What the check knows of any of them; its variables are [`vars`].
pub fn signature() -> Signature {
    Signature {
        vars: vec![],
        actions: vec![ActionSig {
            name: "redeem",
            args: vec![],
            outcomes: &[],
            draws: false,
        }],
        functions: vec![
            FunctionSig {
                name: "redeemed",
                args: vec![Type::Str],
                result: Type::Int,
            },
            FunctionSig {
                name: "redeemed_in_all",
                args: vec![],
                result: Type::Int,
            },
        ],
    }
}

/// Its variables: for each kind how many codes of it the user has used.
pub fn vars(params: &Params) -> Vec<VarSig> {
    let one = |kind: &Kind| VarSig {
        name: format!("$redeem.{}.used", kind.id),
        ty: Type::Int,
        balance: false,
        show: false,
        default: Value::Int(0),
        at_most: i64::MAX,
    };
    params.kinds.iter().map(one).collect()
}

/// The codes that a definition takes.
pub fn of(definition: &machine::Definition) -> Option<Params> {
    let mut specs = definition.blocks.iter();
    let spec = specs.find(|spec| spec.kind == KIND)?;
    serde_json::from_str(&spec.params).ok()
}

impl Redeem {
    pub(crate) fn new(params: Params, vars: &[u16]) -> Result<Self, LinkError> {
        let limits = params.kinds.iter().map(|kind| kind.per_user);
        let possible = limits
            .clone()
            .all(|most| (1..=MOST_PER_USER).contains(&most));
        if vars.len() != params.kinds.len() || !possible {
            return Err(LinkError::Params {
                kind: KIND.to_owned(),
                message: "a kind of codes lacks its variable, or a limit that can be met"
                    .to_owned(),
            });
        }
        Ok(Self {
            params,
            slots: vars.to_vec(),
        })
    }

    fn used(&self, at: usize, look: &Look<'_>) -> Result<i64, Fault> {
        let slot = self.slots.get(at);
        look.int(*slot.ok_or(Fault::Mismatch("a kind of codes is missing"))?)
    }

    fn used_in_all(&self, look: &Look<'_>) -> Result<i64, Fault> {
        let each = (0..self.slots.len()).map(|at| self.used(at, look));
        each.sum()
    }

    /// How many more the user may use of a kind, within what they may use in all.
    fn left(&self, at: usize, kind: &Kind, look: &Look<'_>) -> Result<i64, Fault> {
        let of_kind = i64::from(kind.per_user) - self.used(at, look)?;
        let in_all = match self.params.per_user {
            Some(most) => i64::from(most) - self.used_in_all(look)?,
            None => i64::MAX,
        };
        Ok(of_kind.min(in_all).max(0))
    }

    /// How many more the user may use, of any kind.
    fn left_in_all(&self, look: &Look<'_>) -> Result<i64, Fault> {
        let mut left = 0_i64;
        for (at, kind) in self.params.kinds.iter().enumerate() {
            left = left.saturating_add(self.left(at, kind, look)?);
        }
        Ok(match self.params.per_user {
            Some(most) => left.min((i64::from(most) - self.used_in_all(look)?).max(0)),
            None => left,
        })
    }

    /// Takes the code in: what it gives and what uses it up are decided together.
    fn redeem(&self, turn: &mut Turn<'_>) -> Result<(), No> {
        let no = |code: &str| No::from(Rejection::Custom(code.into()));
        let look = turn.look();
        let Some(handed) = look.facts.handed(self.params.fact) else {
            // Nobody looked: it is no event in which codes come.
            return Err(Rejection::NotPossible.into());
        };
        let id = match &handed.is {
            Standing::Mistyped => return Err(no(MISTYPED)),
            Standing::Unknown => return Err(no(UNKNOWN)),
            Standing::Of(id) => id,
        };
        let mut kinds = self.params.kinds.iter().enumerate();
        let Some((at, kind)) = kinds.find(|(_, kind)| kind.id == *id) else {
            return Err(no(UNKNOWN));
        };
        // Whoever may use no more learns nothing of what others used.
        if self.left(at, kind, &look)? == 0 {
            return Err(no(LIMIT));
        }
        let (code, used) = (handed.code, self.used(at, &look)?);
        if !turn.use_code(code, &kind.id, kind.uses) {
            return Err(no(USED));
        }
        let slot = self.slots.get(at);
        let slot = *slot.ok_or(Fault::Mismatch("a kind of codes is missing"))?;
        turn.set(slot, Value::Int(used.saturating_add(1)))?;
        for promise in &kind.gives {
            turn.give_or_reject(promise.rule, promise.reward, Period::Ever, kind.per_user)?;
        }
        for (slot, amount) in &kind.earns {
            // What no number can hold is cut, or the participant would be locked out.
            let room = i64::MAX - turn.int(*slot)?.max(0);
            turn.add(*slot, (*amount).min(room))?;
        }
        Ok(())
    }
}

impl Block for Redeem {
    fn act(&self, _action: u16, _args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        self.redeem(turn).map(|()| None)
    }

    fn call(&self, function: u16, args: &[Value], look: &Look<'_>) -> Result<Value, Fault> {
        if function != OF_KIND {
            return self.used_in_all(look).map(Value::Int);
        }
        let Some(Value::Str(id)) = args.first() else {
            return Err(Fault::Mismatch("a kind of codes was expected"));
        };
        let at = self.params.kinds.iter().position(|kind| kind.id == *id);
        let at = at.ok_or(Fault::Mismatch("a kind of codes is missing"))?;
        self.used(at, look).map(Value::Int)
    }

    fn refuses(
        &self,
        _action: u16,
        _args: &[Value],
        look: &Look<'_>,
    ) -> Result<Option<Rejection>, Fault> {
        let none = self.left_in_all(look)? == 0;
        Ok(none.then(|| Rejection::Custom(LIMIT.into())))
    }

    fn view(&self, look: &Look<'_>, _language: &str) -> Option<(&'static str, Json)> {
        let (_, mut shown) = self.public(look.campaign, "")?;
        shown["used"] = json!(self.used_in_all(look).ok()?);
        shown["left"] = json!(self.left_in_all(look).ok()?);
        Some(("redeem", shown))
    }

    fn public(&self, campaign: &Campaign, _language: &str) -> Option<(&'static str, Json)> {
        let event = campaign.events.get(usize::from(self.params.event))?;
        let fact = campaign.facts.get(usize::from(self.params.fact))?;
        let redeem = fact.redeem()?;
        let shown = json!({
            "event": &*event.name,
            "field": FIELD,
            "length": redeem.checked.then_some(typed::LENGTH),
        });
        Some(("redeem", shown))
    }
}
