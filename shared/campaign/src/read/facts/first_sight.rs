//! Newcomers by first sight: whom the tenant has not met before, in any other of its campaigns. What was found is kept in a
//! hidden variable of the record, which is named the same whatever the fact is called, so that a new name asks nobody anew.

use machine::model::{FactDecl, FactKind, FirstSight, VarDecl, VarKind};
use machine::{Type, Value};

use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Key, Keys, Shape};
use crate::read::context::constant;
use crate::tables::{Placed, Var};

/// The hidden variable.
const KEPT: &str = "$first-sight";

const BY: [&str; 1] = ["first-sight"];

/// The keys of such a fact.
pub(crate) static KEYS: Keys = Keys {
    name: "fact by first sight",
    doc: "Whether a user is new: they have done nothing yet in any other campaign of the tenant.",
    keys: &[
        Key::required(
            "by",
            Shape::OneOf(&BY),
            "How it is found: `first-sight` looks for a record in the tenant's other campaigns.",
        ),
        Key::required(
            "when_unknown",
            Shape::Bool,
            "What it counts as when the store does not say so in time.",
        ),
        Key::optional(
            "except",
            Shape::List(&Shape::Id),
            "Campaigns in which having taken part makes nobody less new.",
        ),
    ],
};

pub(super) fn read(entry: &Entry, check: &mut Check<'_>) -> Option<FactDecl> {
    let fields = entry.value.fields(&KEYS, &mut check.out)?;
    fields.get("by")?.one_of(&BY, &mut check.out)?;
    let calendar = &check.tables.calendar;
    let when_unknown = fields
        .get("when_unknown")
        .and_then(|node| constant(node, Type::Bool, calendar, &mut check.out));
    let left_out = fields
        .get("except")
        .and_then(|node| node.list(&mut check.out))
        .unwrap_or_default();
    let mut except = Vec::new();
    for node in left_out {
        let Some(campaign) = node.id("campaign", &mut check.out) else {
            continue;
        };
        check.tables.left_out.push(Placed {
            what: campaign.to_owned(),
            place: node.place.clone(),
        });
        except.push(campaign.to_owned());
    }
    if let Some(other) = &check.tables.first_sight {
        check
            .out
            .error(
                codes::FIRST_SIGHT_TWICE,
                &entry.key.place,
                "a campaign looks at first sight once: a record keeps one answer",
            )
            .related(other, "the other one")
            .help("keep one of the two facts, and name in its `except` what makes nobody less new");
    } else {
        check.tables.first_sight = Some(entry.key.place.clone());
    }
    // A second one is declared all the same: whoever reads it is not wrong as well.
    let kept = match check.tables.var(KEPT) {
        Some((kept, _)) => kept,
        None => keep(entry, check),
    };
    Some(FactDecl {
        what: FactKind::FirstSight(FirstSight {
            name: entry.name().to_owned(),
            except,
            kept,
        }),
        when_unknown: when_unknown.unwrap_or(Value::Bool(false)),
    })
}

/// The variable in which a record keeps it.
fn keep(entry: &Entry, check: &mut Check<'_>) -> u16 {
    let decl = VarDecl {
        name: KEPT.to_owned(),
        ty: Type::Int,
        default: Value::Int(0),
        show: false,
        kind: VarKind::Hidden,
        at_most: i64::MAX,
    };
    let var = Var {
        decl,
        settable: false,
    };
    check.tables.add_var(var, &entry.key.place, &mut check.out)
}
