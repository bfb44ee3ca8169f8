//! A gift pack: several rewards at once, all or none. As it is, once for each participant; or with some of it chosen by the
//! user, or in stages by days, or in windows of the day that have a stock of their own.

pub mod choose;
pub mod flash;
pub mod stages;

use machine::block::{ActionSig, Block, FunctionSig, Look, Signature};
use machine::expr::Fault;
use machine::ids::Period;
use machine::step::{No, Rejection};
use machine::turn::{Gave, Turn};
use machine::{Campaign, Millis, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use self::choose::Choose;
use self::flash::Flash;
use self::stages::Stages;
use crate::promise::{Promise, shown};

/// This kind of block.
pub const KIND: &str = "pack";

/// The code for whom nothing is left to claim, where the machine has no word of its own for that.
pub const ALREADY: &str = "already-claimed";

/// The parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// What a claim gives. Empty where `stages` or `flash` have what is given in them.
    pub gives: Vec<Promise>,
    /// Under which rule what was chosen is given; none where nothing is chosen, or `flash` has rules of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<u16>,
    /// What is chosen from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choose: Option<Choose>,
    /// What is given on which day after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Stages>,
    /// When in the day it is given, and how often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flash: Option<Flash>,
}

impl Params {
    /// All that it promises without a choice, whatever the day.
    pub fn promises(&self) -> impl Iterator<Item = &Promise> {
        let staged = self.stages.iter().flat_map(|stages| &stages.each);
        let windows = self.flash.iter().flat_map(|flash| &flash.windows);
        self.gives
            .iter()
            .chain(staged.flat_map(|stage| &stage.gives))
            .chain(windows.flat_map(|window| &window.gives))
    }

    /// The rewards that it may give, chosen ones too; some more than once.
    pub fn rewards(&self) -> impl Iterator<Item = u16> {
        let chosen = self.choose.iter().flat_map(|choose| choose.of.clone());
        self.promises().map(|promise| promise.reward).chain(chosen)
    }

    /// What the first claim gives for certain.
    pub fn first(&self) -> &[Promise] {
        if let Some(flash) = &self.flash {
            return flash.windows.first().map_or(&[], |window| &window.gives);
        }
        match &self.stages {
            Some(stages) => stages.each.first().map_or(&[], |stage| &stage.gives),
            None => &self.gives,
        }
    }
}

/// The block.
#[derive(Debug)]
pub struct Pack {
    params: Params,
}

/// What the check knows of it. Where it is chosen from, `claim` takes one argument more than is written: the place of the
/// field, among the event's, that says what was chosen.
pub fn signature() -> Signature {
    Signature {
        vars: vec![],
        actions: vec![ActionSig {
            name: "claim",
            args: vec![],
            outcomes: &["claimed", "more"],
            draws: false,
        }],
        functions: vec![FunctionSig {
            name: "claimed",
            args: vec![],
            result: Type::Bool,
        }],
    }
}

/// The places of the outcomes: nothing is left to claim, or something will be.
const CLAIMED: u16 = 0;
const MORE: u16 = 1;

impl Pack {
    pub(crate) fn new(params: Params) -> Self {
        Self { params }
    }

    /// Whether nothing is left to claim: today, where it may be claimed each day.
    fn claimed(&self, look: &Look<'_>) -> bool {
        match (&self.params.stages, &self.params.flash) {
            (Some(stages), _) => stages.is_over(look),
            (None, Some(flash)) => flash.had(look),
            (None, None) => look.all_grants().any(|grant| {
                let mut rules = self.params.gives.iter().map(|promise| promise.rule);
                self.params.choice == Some(grant.rule) || rules.any(|rule| rule == grant.rule)
            }),
        }
    }

    /// The no that a claim meets, as far as the record and the time say.
    fn hindrance(&self, look: &Look<'_>) -> Option<Rejection> {
        match (&self.params.stages, &self.params.flash) {
            (Some(stages), _) => stages.hindrance(look),
            (None, Some(flash)) => flash.hindrance(look),
            (None, None) => self.claimed(look).then_some(Rejection::NotPossible),
        }
    }

    /// What of it is chosen; nothing where there is no choice.
    fn chosen(&self, args: &[Value], look: &Look<'_>) -> Result<Vec<u16>, No> {
        match &self.params.choose {
            None => Ok(Vec::new()),
            Some(choose) => choose.made(args.first(), look),
        }
    }

    /// Claims all of it; none: something of it can't be had, and nobody is there to be told.
    fn claim_now(&self, chosen: &[u16], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        if let Some(stages) = &self.params.stages {
            return stages.claim(turn);
        }
        if let Some(flash) = &self.params.flash {
            return flash.claim(chosen, turn);
        }
        let choice = self.params.choice.map(|rule| (rule, chosen));
        let all = give_all(&self.params.gives, choice, Period::Ever, turn)?;
        Ok(all.then_some(CLAIMED))
    }

    fn contents(&self, campaign: &Campaign, language: &str) -> Json {
        let list = |gives: &[Promise]| -> Json {
            gives
                .iter()
                .map(|promise| shown(campaign, promise.reward, language))
                .collect()
        };
        let gives = if self.params.stages.is_some() {
            list(&[])
        } else {
            list(self.params.first())
        };
        json!({ "gives": gives })
    }
}

/// Gives all of these and what was chosen, or nothing of it: then that is rejected, or false where nobody is there to be told.
fn give_all(
    gives: &[Promise],
    choice: Option<(u16, &[u16])>,
    period: Period,
    turn: &mut Turn<'_>,
) -> Result<bool, No> {
    let one_each = gives
        .iter()
        .map(|promise| (promise.rule, promise.reward, 1));
    let chosen = choice.into_iter().flat_map(|(rule, chosen)| {
        let all = chosen.len() as u32;
        chosen.iter().map(move |reward| (rule, *reward, all))
    });
    turn.all_or_none(|turn| {
        for (rule, reward, at_most) in one_each.chain(chosen) {
            let gave = turn.give_or_reject(rule, reward, period, at_most)?;
            if matches!(gave, Gave::Nothing(_)) {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

impl Block for Pack {
    /// Claims it. If one of its rewards is gone, and so is what stands in for it, all of the claim is rejected. After a draw, or
    /// with nobody there to be told, nothing is rejected any more: then it just does nothing, and raises no outcome.
    fn act(&self, _action: u16, args: &[Value], turn: &mut Turn<'_>) -> Result<Option<u16>, No> {
        let no = match self.hindrance(&turn.look()) {
            Some(no) => Err(no.into()),
            None => self.chosen(args, &turn.look()),
        };
        let chosen = match no {
            Err(No::Rejected(_)) if turn.quiet() => return Ok(None),
            chosen => chosen?,
        };
        let outcome = self.claim_now(&chosen, turn)?;
        if let Some(outcome) = outcome {
            turn.raise(if outcome == CLAIMED {
                "claimed"
            } else {
                "more"
            });
        }
        Ok(outcome)
    }

    fn call(&self, _function: u16, _args: &[Value], look: &Look<'_>) -> Result<Value, Fault> {
        Ok(Value::Bool(self.claimed(look)))
    }

    fn refuses(
        &self,
        _action: u16,
        _args: &[Value],
        look: &Look<'_>,
    ) -> Result<Option<Rejection>, Fault> {
        Ok(self.hindrance(look))
    }

    fn view(&self, look: &Look<'_>, language: &str) -> Option<(&'static str, Json)> {
        let mut pack = self.contents(look.campaign, language);
        pack["claimed"] = json!(self.claimed(look));
        if let Some(choose) = &self.params.choose {
            pack["choose"] = choose.view(look, language);
        }
        if let Some(stages) = &self.params.stages {
            pack["stages"] = stages.view(look, language);
        }
        if let Some(flash) = &self.params.flash {
            pack["flash"] = flash.view(look.campaign, look.now);
        }
        Some(("pack", pack))
    }

    fn public(&self, campaign: &Campaign, language: &str) -> Option<(&'static str, Json)> {
        let mut pack = self.contents(campaign, language);
        if let Some(choose) = &self.params.choose {
            pack["choose"] = choose.public(campaign, language);
        }
        if let Some(stages) = &self.params.stages {
            pack["stages"] = stages.public(campaign, language);
        }
        if let Some(flash) = &self.params.flash {
            pack["flash"] = flash.public();
        }
        Some(("pack", pack))
    }

    fn next_at(&self, look: &Look<'_>) -> Option<Millis> {
        match self.hindrance(look)? {
            Rejection::Later { next_at, .. } => next_at,
            _ => None,
        }
    }
}
