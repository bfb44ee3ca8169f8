//! What a streak keeps in the record, and what the check knows of it. Each part of the parameters brings its own variables,
//! after those that every streak has: a campaign pays for what it uses, and an older definition keeps its shape.

use machine::block::{ActionSig, FunctionSig, Signature, VarSig};
use machine::model::LinkError;
use machine::value::Days;
use machine::{Type, Value};

use super::params::{Cards, Due, Params};

/// The balance of cards that freeze a streak.
pub const FREEZE_CARDS: &str = "freeze_cards";

/// The balance of cards for make-ups.
pub const MAKEUP_CARDS: &str = "makeup_cards";

/// A variable that time or days are noted in, before there was any.
pub(super) const NEVER: i64 = i64::MIN;

/// The variables that a streak has, by what they are for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Slots {
    pub days: u16,
    pub length: u16,
    pub total: u16,
    pub made_up: u16,
    /// The month of the last make-ups, and how many were made in it.
    pub in_month: Option<(u16, u16)>,
    pub makeup_cards: Option<u16>,
    pub forgiven: Option<u16>,
    pub frozen: Option<u16>,
    pub freeze_cards: Option<u16>,
    /// Up to which day it is decided which missed days are forgiven or frozen.
    pub settled: Option<u16>,
    /// The sum of the last measured day, and which day that is.
    pub sum: Option<(u16, u16)>,
    /// Up to which instant reminders had their turn.
    pub reminded: Option<u16>,
    /// For each lot that is due for days in a row: for which days it was drawn.
    pub drawn: Vec<Option<u16>>,
}

fn hidden(name: &str) -> VarSig {
    VarSig {
        name: name.to_owned(),
        ty: Type::Int,
        balance: false,
        show: false,
        default: Value::Int(NEVER),
        at_most: i64::MAX,
    }
}

fn count(name: &str) -> VarSig {
    VarSig {
        show: true,
        default: Value::Int(0),
        ..hidden(name)
    }
}

fn days(name: &str) -> VarSig {
    VarSig {
        ty: Type::Days,
        default: Value::Days(Days::default()),
        ..hidden(name)
    }
}

fn cards(name: &str, cards: Cards) -> VarSig {
    VarSig {
        balance: true,
        show: true,
        default: Value::Int(cards.start),
        at_most: cards.hold_at_most,
        ..hidden(name)
    }
}

/// Calls `add` for each variable in its order, and notes what it answers.
fn all(params: &Params, mut add: impl FnMut(VarSig) -> u16) -> Slots {
    let mut slots = Slots {
        days: add(days("$streak.days")),
        length: add(count("streak")),
        total: add(count("total_days")),
        made_up: add(count("makeups_used")),
        ..Slots::default()
    };
    if let Some(makeup) = &params.makeup {
        if makeup.per_month.is_some() {
            let month = add(hidden("$streak.makeup_month"));
            let many = add(VarSig {
                show: false,
                ..count("$streak.makeups_in_month")
            });
            slots.in_month = Some((month, many));
        }
        slots.makeup_cards = makeup.cards.map(|held| add(cards(MAKEUP_CARDS, held)));
    }
    slots.forgiven = params.forgive.map(|_| add(days("$streak.forgiven")));
    if let Some(held) = params.freeze {
        slots.frozen = Some(add(days("$streak.frozen")));
        slots.freeze_cards = Some(add(cards(FREEZE_CARDS, held)));
    }
    if params.forgive.is_some() || params.freeze.is_some() {
        slots.settled = Some(add(hidden("$streak.settled")));
    }
    if params.measure.is_some() {
        slots.sum = Some((add(count("day_sum")), add(hidden("$streak.sum_day"))));
    }
    if params.remind.is_some() {
        slots.reminded = Some(add(hidden("$streak.reminded")));
    }
    for lot in &params.lots {
        let row = matches!(lot.due, Due::Streak(_));
        let slot = row.then(|| add(days(&format!("$streak.drawn.{}", lot.name))));
        slots.drawn.push(slot);
    }
    slots
}

impl Slots {
    /// The variables of a block with these parameters.
    pub fn of(params: &Params, vars: &[u16]) -> Result<Self, LinkError> {
        let mut asked = 0;
        let slots = all(params, |_| {
            asked += 1;
            vars.get(asked - 1).copied().unwrap_or(u16::MAX)
        });
        if asked == vars.len() {
            return Ok(slots);
        }
        Err(LinkError::Params {
            kind: super::KIND.to_owned(),
            message: format!(
                "needs {asked} variables of the record, was given {}",
                vars.len()
            ),
        })
    }
}

/// What the check knows of a streak without parameters: the actions and functions that every one has.
pub fn signature() -> Signature {
    signature_of(&Params::default())
}

/// What the check knows of a streak with these parameters.
pub fn signature_of(params: &Params) -> Signature {
    let mut vars = Vec::new();
    all(params, |var| {
        vars.push(var);
        0
    });
    let draws = !params.lots.is_empty();
    Signature {
        vars,
        actions: vec![
            ActionSig {
                name: "sign",
                args: vec![],
                outcomes: &["signed"],
                draws,
            },
            ActionSig {
                name: "make_up",
                args: vec![Type::Date],
                outcomes: &["made-up"],
                draws,
            },
            ActionSig {
                name: "measure",
                args: vec![Type::Int],
                outcomes: &["signed"],
                draws,
            },
        ],
        functions: [
            ("signed_today", None, Type::Bool),
            ("signed_on", Some(Type::Date), Type::Bool),
            ("can_make_up", Some(Type::Date), Type::Bool),
            ("makeups_left", None, Type::Int),
            ("skipped_today", None, Type::Bool),
            ("has_makeup_card", None, Type::Bool),
            ("can_pay_makeup", None, Type::Bool),
            ("enough_today", None, Type::Bool),
        ]
        .into_iter()
        .map(|(name, arg, result)| FunctionSig {
            name,
            args: arg.into_iter().collect(),
            result,
        })
        .collect(),
    }
}
