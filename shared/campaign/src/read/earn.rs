//! Events that earn a balance: `earn`, short for an event of the whole campaign with a limit per day.

use machine::expr::{BoolExpr, Compare, IntExpr};
use machine::model::{Action, On, Sender, Transition, VarKind};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Entry, Key, Keys, Shape};
use crate::read::events;

/// The code of the limit's rejection.
pub(crate) const ALREADY: &str = "already-earned-today";

/// The keys of an entry beside the balance that it names.
const PER_DAY: &str = "per_day";

/// Reads `earn` into events of the whole campaign.
pub(crate) fn read(check: &mut Check<'_>) -> Vec<On> {
    let Some(entries) = check
        .root
        .get("earn")
        .and_then(|node| node.map(&mut check.out))
    else {
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| one(entry, check))
        .collect()
}

/// An entry's table is made of its fixed keys only: the others name balances.
static KEYS: Keys = Keys {
    name: "earning",
    doc: "An event that earns a balance: `{ from: backend, chances: 1, per_day: 1 }`.",
    keys: &[
        events::FROM,
        Key::optional(
            PER_DAY,
            Shape::Int(1, 1_000_000),
            "How often a day; without limit unless said.",
        ),
    ],
};

fn one(entry: &Entry, check: &mut Check<'_>) -> Option<On> {
    let event = events::named(entry, check)?;
    let all = entry.value.map(&mut check.out)?;
    let (fixed, balances): (Vec<Entry>, Vec<Entry>) = all
        .iter()
        .cloned()
        .partition(|field| KEYS.keys.iter().any(|key| key.name == field.name()));
    let fixed = crate::document::Node {
        place: entry.value.place.clone(),
        kind: crate::document::Kind::Map(fixed),
    };
    let fields = fixed.fields(&KEYS, &mut check.out)?;
    events::declare(event, entry, &fields, check);
    let per_day = fields
        .get(PER_DAY)
        .and_then(|node| node.int(1..=1_000_000, &mut check.out));

    if balances.is_empty() {
        check
            .out
            .error(
                codes::EARNS_NOTHING,
                &entry.key.place,
                format!("event `{}` earns nothing", entry.name()),
            )
            .help("say what it earns: `chances: 1`");
    }
    anyone(event, entry, check);
    let actions = balances
        .iter()
        .filter_map(|field| add(field, check))
        .collect();
    let mut transitions = Vec::new();
    if let Some(per_day) = per_day {
        let count = check.tables.count(entry.name())?;
        let when = BoolExpr::Compare(
            Compare::Ge,
            IntExpr::CountToday(count),
            IntExpr::Lit(per_day),
        );
        transitions.push(Transition {
            when: Some(when),
            reject: Some(ALREADY.into()),
            ..Transition::default()
        });
        check.rejects(ALREADY, &entry.key.place);
    }
    transitions.push(Transition {
        actions,
        ..Transition::default()
    });
    check.tables.taken.insert(event);
    Some(On { event, transitions })
}

/// Warns where users themselves report what earns something: `entry` is what is earned by the event.
pub(crate) fn anyone(event: u16, entry: &Entry, check: &mut Check<'_>) {
    if check
        .tables
        .event_at(event)
        .is_some_and(|event| event.from.contains(&Sender::User))
    {
        check
            .out
            .warn(
                codes::ANYONE,
                &entry.key.place,
                format!(
                    "anyone can send `{}`: users tell us themselves that they earned this",
                    entry.name()
                ),
            )
            .help("let your own back end report it: `from: backend`");
    }
}

fn add(field: &Entry, check: &mut Check<'_>) -> Option<Action> {
    let (slot, amount) = amount(field, check)?;
    Some(Action::Add(slot, IntExpr::Lit(amount)))
}

/// A balance, and how much of it is earned.
pub(crate) fn amount(field: &Entry, check: &mut Check<'_>) -> Option<(u16, i64)> {
    let slot = balance(&field.key, check);
    check.tables.fed(slot);
    let amount = field.value.int(1..=1_000_000_000, &mut check.out);
    Some((slot?, amount?))
}

/// The balance with this name.
pub(crate) fn balance(node: &crate::document::Node, check: &mut Check<'_>) -> Option<u16> {
    let name = node.string(&mut check.out)?;
    let found = check
        .tables
        .var(name)
        .filter(|(_, var)| var.decl.kind == VarKind::Balance)
        .map(|(slot, _)| slot);
    if found.is_none() {
        let balances: Vec<&str> = check
            .tables
            .vars
            .iter()
            .filter(|var| var.what.decl.kind == VarKind::Balance)
            .map(|var| var.what.decl.name.as_str())
            .collect();
        let help =
            meant(name, balances.iter().copied()).unwrap_or_else(|| match balances.as_slice() {
                [] => {
                    "balances are `chances` (section `chances`) and rewards of points without stock"
                        .to_owned()
                }
                _ => format!(
                    "the balances are {}",
                    balances
                        .iter()
                        .map(|name| format!("`{name}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            });
        let what = if check.tables.var(name).is_some() {
            "can't be earned or spent"
        } else {
            "is no balance of this campaign"
        };
        check
            .out
            .error(
                codes::UNKNOWN_BALANCE,
                &node.place,
                format!("`{name}` {what}"),
            )
            .help(help);
    }
    found
}
