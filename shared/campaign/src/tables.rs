//! The tables of a definition while it is being made: what each name stands for, and where it was written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use machine::block::Signature;
use machine::calendar::Calendar;
use machine::model::{
    BlockSpec, ClaimDecl, CountDecl, EventDecl, Every, FactDecl, FactKind, Reward, Rule, Sender,
    VarDecl, VarKind,
};
use machine::{Type, Value};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::relays::{Ear, Emitted};
use crate::source::Place;

/// The most variables a record holds, the blocks' and the counts' included.
pub(crate) const MOST_VARS: usize = 200;

/// Something with the place where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    pub what: T,
    pub place: Place,
}

/// A variable and who may change it.
#[derive(Debug, Clone)]
pub(crate) struct Var {
    pub decl: VarDecl,
    /// Whether `set` may change it: it is the config's own.
    pub settable: bool,
}

/// A rule and what it promises, so that one id is never two promises.
#[derive(Debug, Clone)]
pub(crate) struct Promised {
    pub rule: Rule,
    pub terms: Terms,
}

/// What a rule promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Terms {
    /// A `give` action's: the same in several places is one promise.
    Give {
        reward: u16,
        every: Every,
        at_most: u32,
    },
    /// A block's own.
    Block,
}

/// A block with what the check knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub spec: BlockSpec,
    pub signature: Signature,
}

/// The tables.
#[derive(Debug)]
pub(crate) struct Tables {
    pub calendar: Calendar,
    pub claims: Vec<ClaimDecl>,
    /// The names of the lists that the tenant has.
    pub lists: Vec<String>,
    pub facts: Vec<FactDecl>,
    /// The declared facts, by their place in `facts`, where the file declares each.
    pub asked: Vec<Placed<u16>>,
    /// The fact with the tallies of the user's team, if teams are counted.
    pub team: Option<u16>,
    /// Whether an event of users, with whom a team comes along, counts their days for it.
    pub team_counted: bool,
    /// Where the fact by first sight is declared, if there is one.
    pub first_sight: Option<Place>,
    /// The campaigns that it leaves out.
    pub left_out: Vec<Placed<String>>,
    pub vars: Vec<Placed<Var>>,
    pub counts: Vec<CountDecl>,
    pub events: Vec<Placed<EventDecl>>,
    pub rewards: Vec<Placed<Reward>>,
    pub rules: Vec<Placed<Promised>>,
    pub blocks: Vec<Placed<Built>>,
    pub states: Vec<Placed<Arc<str>>>,
    /// Where each declared event is declared.
    pub declared: BTreeMap<u16, Place>,
    /// The events that some state, or the whole campaign, takes.
    pub taken: BTreeSet<u16>,
    /// The ids of the tasks.
    pub tasks: Vec<String>,
    /// The ids of the kinds of codes that are taken.
    pub codes: Vec<String>,
    /// The fact that says what a code is, and the event with which codes come.
    pub redeem: Option<(u16, u16)>,
    /// The rewards that something gives.
    pub given: BTreeSet<u16>,
    /// The reward of each place that gives one by name, but for a raffle's prizes and the wheel's odds.
    pub named: Vec<u16>,
    /// The blocks that some action uses.
    pub used_blocks: BTreeSet<u16>,
    /// What it listens for of other campaigns.
    pub ears: Vec<Placed<Ear>>,
    /// What it emits.
    pub emitted: Vec<Placed<Emitted>>,
}

impl Tables {
    pub fn new(calendar: Calendar, claims: Vec<ClaimDecl>, lists: Vec<String>) -> Self {
        Self {
            calendar,
            claims,
            lists,
            facts: Vec::new(),
            asked: Vec::new(),
            team: None,
            team_counted: false,
            first_sight: None,
            left_out: Vec::new(),
            vars: Vec::new(),
            counts: Vec::new(),
            events: Vec::new(),
            rewards: Vec::new(),
            rules: Vec::new(),
            blocks: Vec::new(),
            states: Vec::new(),
            declared: BTreeMap::new(),
            taken: BTreeSet::new(),
            tasks: Vec::new(),
            codes: Vec::new(),
            redeem: None,
            given: BTreeSet::new(),
            named: Vec::new(),
            used_blocks: BTreeSet::new(),
            ears: Vec::new(),
            emitted: Vec::new(),
        }
    }

    pub fn reward(&self, id: &str) -> Option<u16> {
        self.rewards
            .iter()
            .position(|reward| &*reward.what.id == id)
            .map(|at| at as u16)
    }

    pub fn reward_at(&self, at: u16) -> Option<&Reward> {
        self.rewards.get(usize::from(at)).map(|reward| &reward.what)
    }

    /// Notes that something adds to this balance: whichever reward adds to it is no idle one.
    pub fn fed(&mut self, slot: Option<u16>) {
        let adding = self.rewards.iter().enumerate();
        let adding = adding.filter(|(_, reward)| slot.is_some() && reward.what.balance == slot);
        self.given.extend(adding.map(|(at, _)| at as u16));
    }

    pub fn event(&self, name: &str) -> Option<u16> {
        self.events
            .iter()
            .position(|event| &*event.what.name == name)
            .map(|at| at as u16)
    }

    pub fn event_at(&self, at: u16) -> Option<&EventDecl> {
        self.events.get(usize::from(at)).map(|event| &event.what)
    }

    pub fn state(&self, name: &str) -> Option<u16> {
        self.states
            .iter()
            .position(|state| &*state.what == name)
            .map(|at| at as u16)
    }

    pub fn var(&self, name: &str) -> Option<(u16, &Var)> {
        let at = self
            .vars
            .iter()
            .position(|var| var.what.decl.name == name)?;
        self.vars.get(at).map(|var| (at as u16, &var.what))
    }

    pub fn block(&self, name: &str) -> Option<(u16, &Built)> {
        let at = self
            .blocks
            .iter()
            .position(|block| &*block.what.spec.name == name)?;
        self.blocks.get(at).map(|block| (at as u16, &block.what))
    }

    /// Adds a variable; a second one of a name is an error.
    pub fn add_var(&mut self, var: Var, place: &Place, out: &mut Diagnostics) -> u16 {
        let name = &var.decl.name;
        if let Some(known) = self.vars.iter().find(|known| known.what.decl.name == *name) {
            out.error(
                codes::NAME_TAKEN,
                place,
                format!(
                    "`{name}` is the name of two things: expressions could not tell them apart"
                ),
            )
            .related(&known.place, "the other one")
            .help("give one of them another name");
        }
        if self.vars.len() == MOST_VARS {
            out.error(
                codes::TOO_MANY,
                place,
                format!("a record holds at most {MOST_VARS} variables, the blocks' own included"),
            );
        }
        self.vars.push(Placed {
            what: var,
            place: place.clone(),
        });
        (self.vars.len() - 1) as u16
    }

    /// Adds a block: its variables first, then itself. A balance of one of the `shared` names that is there already (a reward of
    /// points adds to it) becomes the block's variable of that name.
    pub fn add_block(
        &mut self,
        kind: &str,
        params: String,
        signature: Signature,
        shared: &[&str],
        place: &Place,
        out: &mut Diagnostics,
    ) {
        let vars = signature.vars.iter().map(|sig| {
            let known = self.vars.iter_mut().enumerate().find(|(_, var)| {
                let decl = &var.what.decl;
                shared.contains(&sig.name.as_str())
                    && decl.name == sig.name
                    && decl.kind == VarKind::Balance
            });
            if let Some((at, known)) = known {
                known.what.decl.default = sig.default.clone();
                known.what.decl.at_most = sig.at_most;
                return at as u16;
            }
            let kind = match (sig.balance, sig.show) {
                (true, _) => VarKind::Balance,
                (false, true) => VarKind::Context,
                (false, false) => VarKind::Hidden,
            };
            let decl = VarDecl {
                name: sig.name.clone(),
                ty: sig.ty,
                default: sig.default.clone(),
                show: sig.show,
                kind,
                at_most: sig.at_most,
            };
            self.add_var(
                Var {
                    decl,
                    settable: false,
                },
                place,
                out,
            )
        });
        let vars = vars.collect();
        let spec = BlockSpec {
            kind: kind.to_owned(),
            name: kind.into(),
            params,
            vars,
        };
        self.blocks.push(Placed {
            what: Built { spec, signature },
            place: place.clone(),
        });
    }

    /// The rule with this id; a new one if there is none. Two promises under one id are an error.
    pub fn promise(
        &mut self,
        id: &str,
        was: Vec<String>,
        terms: Terms,
        place: &Place,
        out: &mut Diagnostics,
    ) -> u16 {
        let found = self
            .rules
            .iter()
            .position(|known| &*known.what.rule.id == id);
        let Some((at, known)) =
            found.and_then(|at| self.rules.get_mut(at).map(|known| (at, known)))
        else {
            let rule = Rule { id: id.into(), was };
            self.rules.push(Placed {
                what: Promised { rule, terms },
                place: place.clone(),
            });
            return (self.rules.len() - 1) as u16;
        };
        if known.what.terms == Terms::Block || known.what.terms != terms {
            let (message, help) = if known.what.terms == terms {
                (
                    format!("`{id}` is promised twice"),
                    "name each reward once; to give more of it, raise its `amount`",
                )
            } else {
                let help = "name one of them: `give: { reward: .., rule: another-name }`; a rule's id is part of every grant's";
                (format!("rule `{id}` promises two different things"), help)
            };
            out.error(codes::DUPLICATE_RULE, place, message)
                .related(&known.place, "the other promise")
                .help(help);
        }
        for id in was {
            if !known.what.rule.was.contains(&id) {
                known.what.rule.was.push(id);
            }
        }
        at as u16
    }

    /// The counts of an event, made at the first use.
    pub fn count(&mut self, event: &str) -> Option<u16> {
        let event = self.event(event)?;
        if let Some(count) = self.event_at(event).and_then(|event| event.count) {
            return Some(count);
        }
        let name = self.event_at(event)?.name.clone();
        let place = self.events.get(usize::from(event))?.place.clone();
        let mut slot = |what: &str| {
            let decl = VarDecl {
                name: format!("$count.{name}.{what}"),
                ty: Type::Int,
                default: Value::Int(0),
                show: false,
                kind: VarKind::Hidden,
                at_most: i64::MAX,
            };
            self.vars.push(Placed {
                what: Var {
                    decl,
                    settable: false,
                },
                place: place.clone(),
            });
            (self.vars.len() - 1) as u16
        };
        let decl = CountDecl {
            event,
            day: slot("day"),
            today: slot("today"),
            total: slot("total"),
        };
        self.counts.push(decl);
        let count = (self.counts.len() - 1) as u16;
        self.events.get_mut(usize::from(event))?.what.count = Some(count);
        Some(count)
    }

    /// A declared fact: its place among the facts, and its type.
    pub fn fact(&self, name: &str) -> Option<(u16, Type)> {
        let mut facts = self.facts.iter();
        let at = facts.position(|fact| fact.declared() == Some(name))?;
        self.facts.get(at).map(|fact| (at as u16, fact.ty()))
    }

    /// The names of all declared facts.
    pub fn fact_names(&self) -> Vec<String> {
        let declared = self.facts.iter().filter_map(FactDecl::declared);
        declared.map(str::to_owned).collect()
    }

    /// Whether users send an event: only with them a token comes along.
    pub fn is_of_users(&self, event: u16) -> bool {
        let event = self.events.get(usize::from(event));
        event.is_some_and(|event| event.what.from.contains(&Sender::User))
    }

    /// Notes that an event's transitions read a fact, so that it is asked for when the event comes.
    pub fn event_asks(&mut self, event: u16, fact: u16) {
        if let Some(event) = self.events.get_mut(usize::from(event))
            && !event.what.asks.contains(&fact)
        {
            event.what.asks.push(fact);
            event.what.asks.sort_unstable();
        }
    }

    /// The fact "on this list", made at the first use. Unknown counts as not listed.
    pub fn list(&mut self, list: &str) -> Option<u16> {
        if !self.lists.iter().any(|known| known == list) {
            return None;
        }
        let what = FactKind::List(list.to_owned());
        let at = self
            .facts
            .iter()
            .position(|fact| fact.what == what)
            .unwrap_or_else(|| {
                self.facts.push(FactDecl {
                    what,
                    when_unknown: Value::Bool(false),
                });
                self.facts.len() - 1
            });
        Some(at as u16)
    }
}
