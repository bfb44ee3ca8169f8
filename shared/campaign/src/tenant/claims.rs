//! What a tenant's tokens may say about their users.

use std::sync::Arc;

use chrono_tz::Tz;
use machine::model::ClaimDecl;
use machine::value::{Type, Value};

use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::document::{Fields, Node};
use crate::expr::is_name;
use crate::tenant::keys::{CLAIM, TYPES};

/// The claims, in the order written.
pub(super) fn read(fields: &Fields<'_>, timezone: Tz, out: &mut Diagnostics) -> Vec<ClaimDecl> {
    /// Claims that the token itself is checked by; `sub` is the member id, which no rule reads.
    const TOKENS: [&str; 7] = ["sub", "exp", "nbf", "iat", "iss", "aud", "jti"];
    let mut found = Vec::new();
    for entry in fields
        .get("claims")
        .and_then(|node| node.map(out))
        .unwrap_or(&[])
    {
        let name = entry.name();
        if !is_name(name) || TOKENS.contains(&name) {
            out.error(codes::TENANT_CLAIM, &entry.key.place, format!("`{name}` can't be a claim that expressions read"))
                .help("letters, digits and `_`, not beginning with a digit; neither a word of expressions nor one of the token's own, such as `sub`");
            continue;
        }
        if let Some((ty, default)) = claim(&entry.value, timezone, out) {
            found.push(ClaimDecl {
                name: name.to_owned(),
                ty,
                default,
            });
        }
    }
    found
}

fn claim(node: &Node, timezone: Tz, out: &mut Diagnostics) -> Option<(Type, Value)> {
    if !node.is_map() {
        let ty = claim_type(node, out)?;
        return Some((ty, ty.zero()));
    }
    let fields = node.fields(&CLAIM, out)?;
    let ty = claim_type(fields.get("type")?, out)?;
    let default = match fields.get("default") {
        Some(node) => claim_default(node, ty, timezone, out)?,
        None => ty.zero(),
    };
    Some((ty, default))
}

fn claim_type(node: &Node, out: &mut Diagnostics) -> Option<Type> {
    Some(match node.one_of(&TYPES, out)? {
        "bool" => Type::Bool,
        "string" => Type::Str,
        "list" | "strings" => Type::Strs,
        "date" => Type::Date,
        "time" => Type::Time,
        "duration" => Type::Duration,
        _ => Type::Int,
    })
}

fn claim_default(node: &Node, ty: Type, timezone: Tz, out: &mut Diagnostics) -> Option<Value> {
    Some(match ty {
        Type::Bool => Value::Bool(node.bool(out)?),
        Type::Int => Value::Int(node.int(i64::MIN..=i64::MAX, out)?),
        Type::Str => Value::Str(node.string(out)?.into()),
        Type::Date => Value::Int(node.date(out)?.into()),
        Type::Time => Value::Int(node.datetime(timezone, out)?.at),
        Type::Duration => Value::Int(node.duration(out)?),
        Type::Strs => {
            let items: Vec<_> = node
                .list(out)?
                .iter()
                .map(|item| item.string(out).map(Arc::from))
                .collect();
            Value::Strs(items.into_iter().collect::<Option<Vec<_>>>()?.into())
        }
        Type::Days => return None,
    })
}
