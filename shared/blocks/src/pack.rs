//! A gift pack: several rewards at once, all or none, once for each participant.

use machine::block::{ActionSig, Block, FunctionSig, Look, Signature};
use machine::expr::Fault;
use machine::ids::Period;
use machine::step::No;
use machine::turn::Turn;
use machine::{Campaign, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::promise::{Promise, shown};

/// This kind of block.
pub const KIND: &str = "pack";

/// The parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// What is in it; at least one.
    pub gives: Vec<Promise>,
}

/// The block.
#[derive(Debug)]
pub struct Pack {
    params: Params,
}

/// What the check knows of it.
pub fn signature() -> Signature {
    Signature {
        vars: vec![],
        actions: vec![ActionSig {
            name: "claim",
            args: vec![],
            outcomes: &["claimed"],
            draws: false,
        }],
        functions: vec![FunctionSig {
            name: "claimed",
            args: vec![],
            result: Type::Bool,
        }],
    }
}

impl Pack {
    pub(crate) fn new(params: Params) -> Self {
        Self { params }
    }

    fn claimed(&self, look: &Look<'_>) -> bool {
        look.all_grants().any(|grant| {
            self.params
                .gives
                .iter()
                .any(|promise| promise.rule == grant.rule)
        })
    }
}

impl Block for Pack {
    /// Claims it. If one of its rewards is gone, and so is what stands in for it, all of the claim is rejected.
    fn act(&self, _action: u16, _args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        for promise in &self.params.gives {
            turn.give_or_reject(promise.rule, promise.reward, Period::Ever, 1)?;
        }
        turn.raise("claimed");
        Ok(Some(0))
    }

    fn call(&self, _function: u16, _args: &[Value], look: &Look<'_>) -> Result<Value, Fault> {
        Ok(Value::Bool(self.claimed(look)))
    }

    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        let gives: Vec<Json> = self
            .params
            .gives
            .iter()
            .map(|promise| shown(look.campaign, promise.reward, language))
            .collect();
        Some((
            "pack",
            json!({ "claimed": self.claimed(look), "gives": gives }),
        ))
    }

    fn public(&self, campaign: &Campaign, language: &str) -> Option<(&'static str, Json)> {
        let gives: Vec<Json> = self
            .params
            .gives
            .iter()
            .map(|promise| shown(campaign, promise.reward, language))
            .collect();
        Some(("pack", json!({ "gives": gives })))
    }
}
