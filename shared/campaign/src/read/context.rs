//! Variables that are kept for each participant: `context`.

use machine::calendar::Calendar;
use machine::model::{VarDecl, VarKind};
use machine::{Type, Value};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Entry, Key, Keys, Kind, Node, Shape};
use crate::expr::is_name;
use crate::source::Place;
use crate::tables::Var;

/// The most variables that a config declares.
const MOST: usize = 60;

/// The types a variable may have.
pub(crate) const TYPES: [(&str, Type); 6] = [
    ("int", Type::Int),
    ("bool", Type::Bool),
    ("string", Type::Str),
    ("date", Type::Date),
    ("time", Type::Time),
    ("duration", Type::Duration),
];

pub(crate) const TYPE_WORDS: [&str; 6] = ["int", "bool", "string", "date", "time", "duration"];

/// The keys of a variable.
pub(crate) static KEYS: Keys = Keys {
    name: "variable",
    doc: "A variable. `shares: 0` is short for an integer that starts at 0 and is not shown.",
    keys: &[
        Key::required("type", Shape::OneOf(&TYPE_WORDS), "What it holds."),
        Key::optional(
            "default",
            Shape::Any,
            "Where it starts; zero, false or empty unless said.",
        ),
        Key::optional("show", Shape::Bool, "Whether users see it; no unless said."),
    ],
};

pub(crate) fn read(check: &mut Check<'_>) {
    let Some(entries) = check
        .root
        .get("context")
        .and_then(|node| node.map(&mut check.out))
    else {
        return;
    };
    if entries.len() > MOST {
        let place = check.root.key_place("context");
        check.out.error(
            codes::TOO_MANY,
            place,
            format!(
                "a campaign declares at most {MOST} variables, this one {}",
                entries.len()
            ),
        );
    }
    for entry in entries.iter().take(MOST) {
        readable(entry.name(), &entry.key.place, &mut check.out);
        let Some((ty, default, show)) = variable(entry, check) else {
            continue;
        };
        let decl = VarDecl {
            name: entry.name().to_owned(),
            ty,
            default,
            show,
            kind: VarKind::Context,
            at_most: i64::MAX,
        };
        check.tables.add_var(
            Var {
                decl,
                settable: true,
            },
            &entry.key.place,
            &mut check.out,
        );
    }
}

fn variable(entry: &Entry, check: &mut Check<'_>) -> Option<(Type, Value, bool)> {
    let node = &entry.value;
    if !node.is_map() {
        let (ty, value) = short(node, &mut check.out)?;
        return Some((ty, value, false));
    }
    let fields = node.fields(&KEYS, &mut check.out)?;
    let ty = fields
        .get("type")
        .and_then(|node| ty(node, &mut check.out))?;
    let default = match fields.get("default") {
        Some(node) => constant(node, ty, &check.tables.calendar, &mut check.out)?,
        None => ty.zero(),
    };
    let show = fields
        .get("show")
        .and_then(|node| node.bool(&mut check.out))
        .unwrap_or(false);
    Some((ty, default, show))
}

/// A type by its word.
pub(crate) fn ty(node: &Node, out: &mut Diagnostics) -> Option<Type> {
    let word = node.one_of(&TYPE_WORDS, out)?;
    TYPES
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, ty)| *ty)
}

/// A value whose type shows: a number, a truth value, a text.
fn short(node: &Node, out: &mut Diagnostics) -> Option<(Type, Value)> {
    let Kind::Scalar { text, quoted } = &node.kind else {
        node.string(out)?;
        return None;
    };
    match text.as_str() {
        "true" | "false" if !quoted => Some((Type::Bool, Value::Bool(text == "true"))),
        _ if !quoted && text.parse::<f64>().is_ok() => {
            Some((Type::Int, Value::Int(node.int(i64::MIN..=i64::MAX, out)?)))
        }
        _ => Some((Type::Str, Value::Str(text.as_str().into()))),
    }
}

/// A constant of a type, as a config writes it.
pub(crate) fn constant(
    node: &Node,
    ty: Type,
    calendar: &Calendar,
    out: &mut Diagnostics,
) -> Option<Value> {
    match ty {
        Type::Bool => node.bool(out).map(Value::Bool),
        Type::Int => node.int(i64::MIN..=i64::MAX, out).map(Value::Int),
        Type::Str => node.string(out).map(|text| Value::Str(text.into())),
        Type::Date => node.date(out).map(|day| Value::Int(i64::from(day))),
        Type::Time => node
            .datetime(calendar.timezone, out)
            .map(|moment| Value::Int(moment.at)),
        Type::Duration => node.duration(out).map(Value::Int),
        // Neither can be declared.
        Type::Strs | Type::Days => None,
    }
}

/// Makes sure that expressions can read a name.
pub(crate) fn readable(name: &str, place: &Place, out: &mut Diagnostics) {
    const LONGEST: usize = 64;
    if is_name(name) && name.len() <= LONGEST {
        return;
    }
    let guess = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let guess = guess.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '_');
    let help = if is_name(guess) && guess != name && guess.len() <= LONGEST {
        format!("write `{guess}`")
    } else {
        "a name has letters, digits and `_`, starts with a letter, and is no word of the language itself"
            .to_owned()
    };
    out.error(
        codes::NOT_A_NAME,
        place,
        format!("expressions can't read the name `{name}`"),
    )
    .help(help);
}
