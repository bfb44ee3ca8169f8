//! Chances for points: `buy`, short for an event of the whole campaign that takes what is paid and adds what is bought.

use machine::expr::{BoolExpr, Compare, IntExpr, Source};
use machine::model::{Action, On, Transition};

use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Key, Keys, Kind, Node, Shape};
use crate::read::{earn, events};

/// The event.
const EVENT: &str = "buy-chance";

/// The code of who has too little to pay with.
pub(crate) const CANT_PAY: &str = "too-few-to-pay";

/// The code of who has bought as often as one may today.
pub(crate) const ENOUGH: &str = "bought-enough-today";

/// The code of who could not hold what they would pay for.
pub(crate) const FULL: &str = "holds-enough";

/// More than anybody buys.
const MOST: i64 = 1_000_000;

/// The keys of `buy`.
pub(crate) static KEYS: Keys = Keys {
    name: "purchase",
    doc: "Chances for points: `{ chances: 1, for: { points: 50 }, per_day: 3 }`. The event is `buy-chance`.",
    keys: &[
        Key::required("chances", Shape::Int(1, MOST), "How many at once."),
        Key::required(
            "for",
            Shape::MapOf(&Shape::Int(1, 1_000_000_000)),
            "What they cost, by balance.",
        ),
        Key::optional(
            "per_day",
            Shape::Int(1, MOST),
            "How often a day; without limit unless said.",
        ),
    ],
};

/// Reads `buy` into an event of the whole campaign.
pub(crate) fn read(check: &mut Check<'_>) -> Option<On> {
    let section = check.root.entry("buy")?;
    let fields = section.value.fields(&KEYS, &mut check.out)?;
    let event = event(section, check)?;
    let bought = fields.entry("chances")?;
    let slot = earn::balance(&bought.key, check);
    let amount = bought.value.int(1..=MOST, &mut check.out);
    let per_day = fields
        .get("per_day")
        .and_then(|node| node.int(1..=MOST, &mut check.out));
    let prices = fields.get("for")?.map(&mut check.out)?;
    let (slot, amount) = (slot?, amount?);

    let mut on = On {
        event,
        transitions: Vec::new(),
    };
    let place = &section.key.place;
    if let Some(per_day) = per_day {
        let count = check.tables.count(EVENT)?;
        let made = IntExpr::CountToday(count);
        let when = BoolExpr::Compare(Compare::Ge, made, IntExpr::Lit(per_day));
        on.transitions.push(no(when, ENOUGH));
        check.rejects(ENOUGH, place);
    }
    let mut actions = Vec::new();
    for entry in prices {
        let from = earn::balance(&entry.key, check);
        let price = entry.value.int(1..=1_000_000_000, &mut check.out);
        if from == Some(slot) {
            check
                .out
                .error(
                    codes::BUYS_ITSELF,
                    &entry.key.place,
                    "chances are bought with chances",
                )
                .help("name a balance of points: `for: { points: 50 }`");
        }
        let (Some(from), Some(price)) = (from, price) else {
            continue;
        };
        let held = IntExpr::Get(Source::Var(from));
        let when = BoolExpr::Compare(Compare::Lt, held, IntExpr::Lit(price));
        on.transitions.push(no(when, CANT_PAY));
        check.rejects(CANT_PAY, place);
        actions.push(Action::Take(from, IntExpr::Lit(price)));
    }
    if prices.is_empty() {
        let place = fields.key_place("for");
        check
            .out
            .error(codes::EMPTY, place, "nothing is paid for them")
            .help("say what they cost: `for: { points: 50 }`; what costs nothing belongs under `earn`");
    }
    // What a balance can't hold is cut: whoever pays must get it whole, or keep what they would pay.
    let var = check.tables.vars.get(usize::from(slot));
    let most = var.map_or(i64::MAX, |var| var.what.decl.at_most);
    if most < amount {
        check
            .out
            .error(
                codes::NEVER_REACHED,
                &bought.value.place,
                format!("{amount} are bought at once, of which a user can hold {most}"),
            )
            .help("raise `hold_at_most`, or sell fewer at once");
    } else if most < i64::MAX {
        let held = IntExpr::Get(Source::Var(slot));
        let when = BoolExpr::Compare(Compare::Gt, held, IntExpr::Lit(most - amount));
        on.transitions.push(no(when, FULL));
        check.rejects(FULL, place);
    }
    actions.push(Action::Add(slot, IntExpr::Lit(amount)));
    on.transitions.push(Transition {
        actions,
        ..Transition::default()
    });
    check.tables.taken.insert(event);
    Some(on)
}

fn no(when: BoolExpr, code: &str) -> Transition {
    Transition {
        when: Some(when),
        reject: Some(code.into()),
        ..Transition::default()
    }
}

/// The event, from users and without a payload.
fn event(section: &Entry, check: &mut Check<'_>) -> Option<u16> {
    let node = |kind| Node {
        place: section.key.place.clone(),
        kind,
    };
    let name = Kind::Scalar {
        text: EVENT.to_owned(),
        quoted: false,
    };
    let entry = Entry {
        key: node(name),
        value: node(Kind::Map(Vec::new())),
    };
    let event = events::named(&entry, check)?;
    let fields = entry.value.fields(&events::KEYS, &mut check.out)?;
    events::declare(event, &entry, &fields, check);
    Some(event)
}
