//! What is asked about a user before a step: `facts`. Who is new by first sight: [`first_sight`].

pub(crate) mod first_sight;

use machine::Type;
use machine::facts::MOST_TEXT;
use machine::model::{Asked, FactDecl, FactKind, Sender};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Entry, Key, Keys, Node, Shape};
use crate::read::context::{constant, readable};
use crate::tables::{Placed, Tables};
use crate::tenant::ConnectorKind;

/// The most facts that a campaign asks for.
const MOST: usize = 16;
/// The longest `field`, in bytes.
const LONGEST_FIELD: usize = 128;

const TYPES: [(&str, Type); 5] = [
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("string", Type::Str),
    ("date", Type::Date),
    ("time", Type::Time),
];
const TYPE_WORDS: [&str; 5] = ["bool", "int", "string", "date", "time"];

/// What a fact is: asked of a service, or found in the tenant's own campaigns.
pub(crate) static SHAPE: Shape =
    Shape::Either(&[Shape::Keys(&KEYS), Shape::Keys(&first_sight::KEYS)]);

/// The keys of a fact.
static KEYS: Keys = Keys {
    name: "fact",
    doc: "Something that one of the tenant's services knows of a user.",
    keys: &[
        Key::required(
            "ask",
            Shape::String,
            "The connector that is asked: one of kind `http` in tenant.yaml.",
        ),
        Key::required("type", Shape::OneOf(&TYPE_WORDS), "What it is."),
        Key::required(
            "when_unknown",
            Shape::Any,
            "What it counts as when the service does not say so in time.",
        ),
        Key::optional(
            "field",
            Shape::String,
            "Where in the service's answer it stands: `member.level`. Default: the fact's own name.",
        ),
    ],
};

pub(crate) fn read(check: &mut Check<'_>) {
    let Some(entries) = check
        .root
        .get("facts")
        .and_then(|node| node.map(&mut check.out))
    else {
        return;
    };
    if entries.len() > MOST {
        let place = check.root.key_place("facts");
        check.out.error(
            codes::TOO_MANY,
            place,
            format!(
                "a campaign asks for at most {MOST} facts, this one {}",
                entries.len()
            ),
        );
    }
    for entry in entries.iter().take(MOST) {
        readable(entry.name(), &entry.key.place, &mut check.out);
        let what = if entry.value.get("by").is_some() {
            first_sight::read(entry, check)
        } else {
            fact(entry, check)
        };
        if let Some(what) = what {
            check.tables.asked.push(Placed {
                what: check.tables.facts.len() as u16,
                place: entry.key.place.clone(),
            });
            check.tables.facts.push(what);
        }
    }
}

fn fact(entry: &Entry, check: &mut Check<'_>) -> Option<FactDecl> {
    let fields = entry.value.fields(&KEYS, &mut check.out)?;
    let connector = fields.get("ask").and_then(|node| connector(node, check));
    let word = fields
        .get("type")
        .and_then(|node| node.one_of(&TYPE_WORDS, &mut check.out));
    let mut types = TYPES.iter();
    let ty = types.find(|(known, _)| Some(*known) == word)?.1;
    let when_unknown = fields
        .get("when_unknown")
        .and_then(|node| constant(node, ty, &check.tables.calendar, &mut check.out));
    let field = match fields.get("field") {
        Some(node) => field(node, &mut check.out).unwrap_or_else(|| entry.name()),
        None => entry.name(),
    };
    // What is wrong with it is said above; whoever reads it is not wrong as well.
    let when_unknown = when_unknown.unwrap_or_else(|| ty.zero());
    if let machine::Value::Str(text) = &when_unknown
        && text.chars().count() > MOST_TEXT
    {
        check.out.error(
            codes::TOO_LONG,
            &entry.value.place,
            format!("a fact is a text of at most {MOST_TEXT} characters"),
        );
    }
    Some(FactDecl {
        what: FactKind::Asked(Asked {
            name: entry.name().to_owned(),
            connector: connector.unwrap_or_default(),
            field: field.to_owned(),
            ty,
        }),
        when_unknown,
    })
}

fn field<'n>(node: &'n Node, out: &mut Diagnostics) -> Option<&'n str> {
    let text = node.string(out)?;
    let sound = text.len() <= LONGEST_FIELD
        && text.split('.').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        });
    if !sound {
        out.error(
            codes::FACT_FIELD,
            &node.place,
            format!("`{text}` names no place in an answer"),
        )
        .help("write the answer's keys with dots between: `member.level`");
    }
    sound.then_some(text)
}

fn connector(node: &Node, check: &mut Check<'_>) -> Option<String> {
    let name = node.string(&mut check.out)?;
    let connectors = &check.input.tenant.connectors;
    match connectors.get(name) {
        Some(found) if found.kind == ConnectorKind::Http => Some(name.to_owned()),
        Some(_) => {
            check
                .out
                .error(
                    codes::FACT_CONNECTOR,
                    &node.place,
                    format!("`{name}` is no service that can be asked"),
                )
                .help("declare one in tenant.yaml: `connectors: { crm: { kind: http, url: .., secret: .. } }`");
            None
        }
        None => {
            let services = connectors
                .iter()
                .filter(|(_, connector)| connector.kind == ConnectorKind::Http);
            let help = meant(name, services.map(|(name, _)| name.as_str()));
            check
                .out
                .error(
                    codes::UNKNOWN_CONNECTOR,
                    &node.place,
                    format!("the tenant has no connector `{name}`"),
                )
                .help(
                    help.unwrap_or_else(|| {
                        "declare it in tenant.yaml under `connectors`".to_owned()
                    }),
                );
            None
        }
    }
}

/// Reports facts that nothing reads, and those that are read where nobody can be asked about.
pub(crate) fn unused(tables: &Tables, audience: &[u16], out: &mut Diagnostics) {
    for fact in &tables.asked {
        let reads = |asks: &Vec<u16>| asks.contains(&fact.what);
        let name = tables
            .facts
            .get(usize::from(fact.what))
            .and_then(FactDecl::declared)
            .unwrap_or_default();
        let declared = tables.facts.get(usize::from(fact.what));
        let first = declared.is_some_and(|fact| fact.first_sight().is_some());
        let mut readers = tables.events.iter().map(|event| &event.what);
        let read = readers.any(|event| reads(&event.asks)) || audience.contains(&fact.what);
        if !read {
            let message = if first {
                format!("nothing reads the fact `{name}`: it is looked up and kept for nothing")
            } else {
                format!("nothing reads the fact `{name}`, so nobody is asked")
            };
            out.warn(codes::FACT_UNUSED, &fact.place, message)
            .help(format!(
                "read it in a condition: `when: facts.{name}`, or `audience: {{ all_of: [{{ fact: {name} }}] }}`"
            ));
        }
        for event in &tables.events {
            let someone = |sender: &Sender| matches!(sender, Sender::User | Sender::Backend);
            if reads(&event.what.asks) && !event.what.from.iter().any(someone) {
                let event_name = &event.what.name;
                let message = if first {
                    format!(
                        "who is new is not looked up when `{event_name}` comes: `facts.{name}` is what an event of the user has found before, or else what `when_unknown` says"
                    )
                } else {
                    format!(
                        "nobody is asked when `{event_name}` comes: no member id comes with it, and `facts.{name}` is what `when_unknown` says"
                    )
                };
                out.warn(codes::FACT_NOBODY, &event.place, message)
                    .help("keep what you need in `context` when an event of the user brings it");
            }
        }
    }
}
