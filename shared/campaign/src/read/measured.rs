//! Days that count by what was done on them: `day_counts`. It makes an event that brings amounts, unless the campaign declares
//! that event itself, and has the streak sum them up.

use blocks::streak::{KIND, Measure, NOT_ENOUGH};
use machine::expr::{Expr, IntExpr, Source};
use machine::model::{Action, Field, On, Sender, Transition};
use machine::{Text, Type};

use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Key, Keys, Kind, Node, Shape};
use crate::read::{context, events};

/// The event's name unless said.
const EVENT: &str = "study";

/// The most that a day may ask for, and the most that one event may bring.
const MOST: i64 = 1_000_000_000;

/// The keys of `day_counts`.
pub(crate) static KEYS: Keys = Keys {
    name: "what makes a day count",
    doc: "A day counts once what an event brings adds up to enough: `{ sum: words, at_least: 10, from: backend }`.",
    keys: &[
        Key::required(
            "sum",
            Shape::String,
            "The field of the event that is summed up by day.",
        ),
        Key::required(
            "at_least",
            Shape::Int(1, MOST),
            "How much makes the day count.",
        ),
        Key::optional(
            "event",
            Shape::Id,
            "The event that brings it; `study` unless said.",
        ),
        Key::optional(
            events::FROM.name,
            events::FROM.shape,
            "Who may send it; `backend` unless said.",
        ),
        Key::optional(
            "unit",
            Shape::Text,
            "What users read it is counted in: `{ zh-CN: 个单词, en: words }`; the field's name unless said.",
        ),
    ],
};

/// What is measured, for the block.
pub(super) fn read(check: &mut Check<'_>) -> Option<Measure> {
    let fields = check
        .root
        .get("day_counts")?
        .fields(&KEYS, &mut check.out)?;
    check.rejects(NOT_ENOUGH, check.root.key_place("day_counts"));
    let at_least = fields
        .get("at_least")
        .and_then(|node| node.int(1..=MOST, &mut check.out));
    let sum = fields.get("sum")?;
    let field = sum.string(&mut check.out)?.to_owned();
    context::readable(&field, &sum.place, &mut check.out);
    let unit = fields.get("unit").and_then(|node| check.text(node));
    Some(Measure {
        at_least: at_least?,
        unit: unit.unwrap_or_else(|| Text::one(check.input.tenant.language(), &field)),
        field,
    })
}

/// The event that brings it, once those that are declared are known.
pub(crate) fn event(check: &mut Check<'_>) -> Option<On> {
    let node = check.root.get("day_counts").filter(|node| node.is_map())?;
    let sum = node.get("sum")?;
    let field = sum.scalar()?.to_owned();
    let place = check.root.key_place("day_counts").clone();
    let key = node.get("event").cloned().unwrap_or_else(|| Node {
        place: place.clone(),
        kind: Kind::Scalar {
            text: EVENT.to_owned(),
            quoted: false,
        },
    });
    let entry = Entry {
        key,
        value: node.clone(),
    };
    let event = events::named(&entry, check)?;
    if !check.tables.declared.contains_key(&event) {
        let from = node.get("from");
        let (from, hears) = from.map_or_else(
            || (vec![Sender::Backend], Vec::new()),
            |from| events::senders(from, entry.name(), check),
        );
        let amount = Field {
            name: field.clone(),
            ty: Type::Int,
            default: None,
            at_least: 0,
            at_most: MOST,
            max_length: 0,
            choice: None,
        };
        events::declare_as(event, &entry.key.place, from, hears, vec![amount], check);
    } else if let Some(from) = node.get("from") {
        check
            .out
            .error(
                codes::EVENT_TWICE,
                &from.place,
                format!("event `{}` is declared in two places", entry.name()),
            )
            .help("say `from` where the event is declared, and leave it out here");
    }
    let declared = check.tables.event_at(event)?;
    let at = declared.payload.iter();
    let at = at
        .clone()
        .position(|known| known.name == field && known.ty == Type::Int);
    let anyone = declared.from.contains(&Sender::User);
    let Some(at) = at else {
        check
            .out
            .error(
                codes::MEASURED_FIELD,
                &sum.place,
                format!(
                    "event `{}` brings no whole number `{field}` that could be summed up",
                    entry.name()
                ),
            )
            .help(format!(
                "declare it: `payload: {{ {field}: {{ type: int }} }}`"
            ));
        return None;
    };
    if anyone {
        check
            .out
            .warn(
                codes::ANYONE,
                &entry.key.place,
                format!(
                    "anyone can send `{}` with any payload, and it earns something of value",
                    entry.name()
                ),
            )
            .help("let your own back end report it: `from: backend`");
    }
    let (block, built) = check.tables.block(KIND)?;
    let mut actions = built.signature.actions.iter();
    let action = actions.position(|action| action.name == "measure")? as u16;
    check.tables.used_blocks.insert(block);
    check.tables.taken.insert(event);
    if let Some(team) = check.tables.team {
        check.tables.event_asks(event, team);
        check.tables.team_counted |= anyone;
    }
    let amount = Expr::Int(IntExpr::Get(Source::Event(at as u16)));
    Some(On {
        event,
        transitions: vec![Transition {
            actions: vec![Action::Block {
                block,
                action,
                args: vec![amount],
            }],
            ..Transition::default()
        }],
    })
}
