//! Expressions, by example: what they become, and what is said of those that become nothing.

mod world;

mod lowered;
mod meaning;

mod anything;
mod refused;
mod syntax;
mod wanted;

use proptest::prelude::*;

use self::world::{VARS, World};
use super::*;
use crate::document::Kind;
use crate::source::{Place, Source};

/// What a text becomes, or what is said.
fn shown(text: &str, want: Option<Type>, world: &mut World) -> String {
    let mut out = Diagnostics::new();
    let source = Source::new("a.yaml", text);
    let node = &Node {
        place: Place::new(&source, 0, text.len()),
        kind: Kind::Scalar {
            text: text.to_owned(),
            quoted: false,
        },
    };
    let found = match want {
        Some(want) => lower(node, want, world, &mut out).map(|program| (want, program)),
        None => lower_any(node, world, &mut out),
    };
    assert_eq!(found.is_none(), out.has_errors(), "{text}: {}", out.lines());
    match found {
        Some((ty, program)) => format!("{ty} {program:?}"),
        None => out
            .sorted()
            .iter()
            .map(|each| {
                let help = each
                    .help
                    .as_ref()
                    .map_or(String::new(), |help| format!("\n  = {help}"));
                format!(
                    "{} {} `{}` {}{help}",
                    each.code,
                    each.place.column(),
                    each.place.text(),
                    each.message
                )
            })
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn table(texts: &[&str]) -> String {
    texts
        .iter()
        .map(|text| format!("{text}\n  {}", shown(text, None, &mut World::new())))
        .collect::<Vec<_>>()
        .join("\n")
}
