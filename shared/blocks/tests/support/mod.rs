//! Campaigns built by hand, without the check, and someone who plays them without a store.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use std::sync::Arc;

use machine::Text;
use machine::block::{Look, Signature};
use machine::calendar::{Calendar, Day, HOUR_MS, Millis};
use machine::expr::{BlockCall, BoolExpr, Compare, Expr, IntExpr, Source};
use machine::ids::Pseudonym;
use machine::input::{Facts, Payload, User};
use machine::luck::{Draws, Seed, Seeded};
use machine::model::{
    Action, BlockSpec, Budget, Campaign, Currency, Definition, Deliver, Durability, EventDecl,
    Field, Machine, On, Reward, RewardKind, Rule, Sender, State, Transition, VarDecl, VarKind,
    Window,
};
use machine::participant::Participant;
use machine::step::{Call, Decision, No, settle, step};
use machine::value::{Type, Value};
use machine::world::Left;

/// The wheel's parameters' JSON, and so on: what a check would write.
#[allow(unused_imports)]
pub use blocks::{Promise, chances, pack, streak, wheel};

/// A definition under construction.
pub struct Builder {
    pub definition: Definition,
}

/// 2026-01-01T00:00:00Z.
pub const OPENS: Millis = 1_767_225_600_000;
/// Ten years later.
pub const CLOSES: Millis = OPENS + 10 * 366 * 24 * HOUR_MS;

impl Builder {
    pub fn new(timezone: &str, skip_days: Vec<Day>) -> Self {
        let state = State {
            name: "playing".into(),
            ..State::default()
        };
        let definition = Definition {
            tenant: "acme".into(),
            campaign: "trial".into(),
            edition: 1,
            activity: "custom".into(),
            title: Text::one("en", "Trial"),
            organizer: Text::one("en", "Acme"),
            rules: Text::default(),
            rules_written: None,
            language: "en".to_owned(),
            currency: Currency {
                code: "CNY".to_owned(),
                digits: 2,
            },
            calendar: Calendar::new(timezone.parse().unwrap(), 0, skip_days),
            window: Window {
                opens: OPENS,
                closes: CLOSES,
                claim_until: CLOSES,
            },
            durability: Durability::Strict,
            testers: None,
            audience: None,
            claims: vec![],
            facts: vec![],
            vars: vec![],
            counts: vec![],
            events: vec![],
            rewards: vec![],
            rules_of_giving: vec![],
            budget: None,
            blocks: vec![],
            machine: Machine {
                initial: 0,
                states: vec![state],
                events: vec![],
            },
            messages: std::collections::BTreeMap::new(),
            moves: vec![],
            posters: machine::model::Posters::default(),
        };
        Self { definition }
    }

    /// A reward without limit and cost; what else it is, `change` says.
    pub fn reward(&mut self, id: &str, kind: RewardKind, change: impl FnOnce(&mut Reward)) -> u16 {
        let mut reward = Reward {
            id: id.into(),
            title: Text::one("en", id),
            kind,
            image: None,
            amount: 0,
            stock: None,
            release: None,
            pool: None,
            value: 0,
            cost: 0,
            deliver: Deliver {
                connector: "manual".to_owned(),
                reference: String::new(),
            },
            expires: None,
            per_user: None,
            within: None,
            not_for: None,
            balance: None,
            when_gone: None,
        };
        change(&mut reward);
        self.definition.rewards.push(reward);
        (self.definition.rewards.len() - 1) as u16
    }

    pub fn rule(&mut self, id: &str) -> u16 {
        self.definition.rules_of_giving.push(Rule {
            id: id.into(),
            was: vec![],
        });
        (self.definition.rules_of_giving.len() - 1) as u16
    }

    pub fn budget(&mut self, total: i64, per_day: Option<i64>, when_spent: Option<u16>) {
        self.definition.budget = Some(Budget {
            total,
            per_day,
            when_spent,
        });
    }

    /// Adds a wheel; its place, and its variables'.
    pub fn wheel(&mut self, params: &wheel::Params) -> (u16, Vec<u16>) {
        let signature = wheel::signature(params.at_most.counts());
        self.built("wheel", serde_json::to_string(params).unwrap(), signature)
    }

    /// Adds a block; its place, and its variables'.
    pub fn block(&mut self, kind: &str, params: String, hold_at_most: i64) -> (u16, Vec<u16>) {
        let signature = blocks::signature(kind, hold_at_most).unwrap();
        self.built(kind, params, signature)
    }

    fn built(&mut self, kind: &str, params: String, signature: Signature) -> (u16, Vec<u16>) {
        let mut vars = Vec::new();
        for var in signature.vars {
            vars.push(self.definition.vars.len() as u16);
            self.definition.vars.push(VarDecl {
                name: var.name,
                ty: var.ty,
                default: var.default,
                show: var.show,
                kind: if var.balance {
                    VarKind::Balance
                } else {
                    VarKind::Hidden
                },
                at_most: var.at_most,
            });
        }
        self.definition.blocks.push(BlockSpec {
            kind: kind.to_owned(),
            name: kind.into(),
            params,
            vars: vars.clone(),
        });
        ((self.definition.blocks.len() - 1) as u16, vars)
    }

    /// An event of users that does one thing, in the only state.
    pub fn event(
        &mut self,
        name: &str,
        payload: &[(&str, Type)],
        transitions: Vec<Transition>,
    ) -> u16 {
        let event = self.definition.events.len() as u16;
        let field = |(name, ty): &(&str, Type)| Field {
            name: (*name).to_owned(),
            ty: *ty,
            default: None,
            at_least: i64::MIN,
            at_most: i64::MAX,
            max_length: 100,
            choice: None,
        };
        self.definition.events.push(EventDecl {
            payload: payload.iter().map(field).collect(),
            ..EventDecl::named(name)
        });
        self.definition.machine.states[0]
            .events
            .push(On { event, transitions });
        event
    }

    pub fn link(&self) -> Arc<Campaign> {
        Arc::new(
            Campaign::link(self.definition.clone(), 1, [0; 32], &|spec| {
                blocks::link(spec)
            })
            .unwrap(),
        )
    }
}

/// A transition that runs a block's action.
pub fn acts(block: u16, action: u16, args: Vec<Expr>) -> Transition {
    Transition {
        actions: vec![Action::Block {
            block,
            action,
            args,
        }],
        ..Transition::default()
    }
}

/// A transition that takes one of a balance, then runs a block's action.
pub fn takes_and_acts(balance: u16, block: u16) -> Vec<Transition> {
    let none_left = BoolExpr::Compare(
        Compare::Eq,
        IntExpr::Get(Source::Var(balance)),
        IntExpr::Lit(0),
    );
    vec![
        Transition {
            when: Some(none_left),
            reject: Some("no-chances".into()),
            ..Transition::default()
        },
        Transition {
            actions: vec![
                Action::Take(balance, IntExpr::Lit(1)),
                Action::Block {
                    block,
                    action: 0,
                    args: vec![],
                },
            ],
            ..Transition::default()
        },
    ]
}

/// The payload's first field, as a block's argument.
pub fn first_field() -> Expr {
    Expr::Int(IntExpr::Get(Source::Event(0)))
}

/// Someone who plays alone.
pub struct Alone {
    pub campaign: Arc<Campaign>,
    pub record: Participant,
    pub user: Pseudonym,
    pub seed: Seed,
    /// What the store would say is gone.
    pub gone: Vec<Left>,
}

impl Alone {
    pub fn new(campaign: &Arc<Campaign>, user: Pseudonym, now: Millis) -> Self {
        Self {
            campaign: campaign.clone(),
            record: Participant::new(campaign, now),
            user,
            seed: Seed([5; 32]),
            gone: Vec::new(),
        }
    }

    fn call<'a>(
        &'a self,
        event: Option<(u16, &'a Payload)>,
        now: Millis,
        draws: &'a dyn Draws,
        user: &'a User,
        facts: &'a Facts,
    ) -> Call<'a> {
        Call {
            campaign: &self.campaign,
            participant: &self.record,
            user,
            sender: Sender::User,
            event,
            facts,
            now,
            rehearsal: false,
            draws,
            exhausted: &self.gone,
        }
    }

    pub fn draws(&self) -> Seeded {
        Seeded::new(&self.seed, &self.campaign.path(), 1, &self.user)
    }

    /// Decides; commits nothing.
    pub fn decide(
        &self,
        event: Option<u16>,
        fields: &[Value],
        now: Millis,
    ) -> Result<Decision, No> {
        let payload = Payload {
            fields: fields.to_vec(),
        };
        let (draws, user, facts) = (self.draws(), User::default(), Facts::default());
        step(&self.call(
            event.map(|event| (event, &payload)),
            now,
            &draws,
            &user,
            &facts,
        ))
    }

    /// Decides and commits.
    pub fn send(&mut self, event: u16, fields: &[Value], now: Millis) -> Result<Decision, No> {
        let decision = self.decide(Some(event), fields, now)?;
        self.commit(&decision);
        Ok(decision)
    }

    /// Lets time pass, and commits.
    pub fn sweep(&mut self, now: Millis) -> Decision {
        let decision = self.decide(None, &[], now).unwrap();
        self.commit(&decision);
        decision
    }

    pub fn commit(&mut self, decision: &Decision) {
        self.record.core = decision.core.clone();
        self.record.grants.extend(decision.grants.iter().cloned());
    }

    /// An integer variable as a view at `now` shows it.
    pub fn shown(&self, slot: u16, now: Millis) -> i64 {
        let (draws, user, facts) = (self.draws(), User::default(), Facts::default());
        let turn = settle(&self.call(None, now, &draws, &user, &facts)).unwrap();
        turn.int(slot).unwrap()
    }

    /// What a block shows at `now`.
    pub fn view(&self, block: u16, now: Millis) -> serde_json::Value {
        let (draws, user, facts) = (self.draws(), User::default(), Facts::default());
        let turn = settle(&self.call(None, now, &draws, &user, &facts)).unwrap();
        let shown = self.campaign.blocks[usize::from(block)].view(&turn.look(), "en");
        shown.unwrap().1
    }

    /// What a block's function answers at `now`.
    pub fn ask(&self, block: u16, function: u16, args: Vec<Expr>, now: Millis) -> bool {
        let (draws, user, facts) = (self.draws(), User::default(), Facts::default());
        let turn = settle(&self.call(None, now, &draws, &user, &facts)).unwrap();
        let look: Look<'_> = turn.look();
        BoolExpr::Call(BlockCall {
            block,
            function,
            args,
        })
        .eval(&look)
        .unwrap()
    }
}
