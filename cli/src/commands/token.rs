//! `gala token`: a token, and nothing else, on standard output.

use std::path::PathBuf;

use campaign::tenant::Tenant;
use clap::Args;
use function::identity::{Role, Ticket};
use machine::Type;
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;
use crate::out::Out;
use crate::sign;

/// The longest life of a token, in seconds: a month.
const TTL_MOST_SECS: i64 = 31 * 86_400;

/// Makes a token for a user, a member of the staff, or a back end, with the tenant's own key
#[derive(Debug, Args)]
pub struct Token {
    /// The tenant's id
    pub tenant: String,
    /// The member id; for staff and back ends their name
    pub user: String,
    /// The folder with the tenants
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    pub configs: PathBuf,
    /// A claim, such as `level=5` or `tags=vip,staff`; repeat for more
    #[arg(long, value_name = "K=V", value_parser = claim)]
    pub claim: Vec<(String, String)>,
    /// For a member of the staff: viewer, support, finance, risk, editor or publisher
    #[arg(long, value_parser = role, conflicts_with = "service")]
    pub role: Option<Role>,
    /// For the tenant's back end
    #[arg(long)]
    pub service: bool,
    /// How long it is good, in seconds
    #[arg(long, default_value_t = 3600, value_name = "SECS", value_parser = clap::value_parser!(i64).range(1..=TTL_MOST_SECS))]
    pub ttl: i64,
}

pub(super) fn claim(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

fn role(name: &str) -> Result<Role, String> {
    let known = || Role::ALL.map(Role::as_str).join(", ");
    Role::parse(name).ok_or_else(|| format!("the roles are {}", known()))
}

/// Makes it.
pub fn run(args: &Token, out: Out) -> Result<(), Failure> {
    let fits = (1..=255).contains(&args.user.len()) && !args.user.chars().any(char::is_control);
    if !fits {
        return Err(Failure::usage(
            "a member id has 1 to 255 bytes and no control characters",
        ));
    }
    let tenant = sign::tenant(&args.configs, &args.tenant)?;
    let (keys, ticket) = if let Some(role) = args.role {
        (
            &tenant.admin_keys,
            Ticket::admin(&tenant.id, &args.user, role),
        )
    } else if args.service {
        (
            &tenant.service_keys,
            Ticket::service(&tenant.id, &args.user),
        )
    } else {
        (&tenant.keys, Ticket::user(&tenant.id, &args.user))
    };
    let extra = claims(args, &tenant)?;
    let ticket = Ticket {
        ttl_secs: args.ttl,
        extra,
        ..ticket
    };
    let token = sign::sign(&args.configs, &tenant.id, keys, &ticket)?;
    if out.json {
        out.value(&json!({ "token": token, "tenant": tenant.id, "aud": ticket.audience, "ttl_secs": args.ttl }))
    } else {
        out.line(token)
    }
}

fn claims(args: &Token, tenant: &Tenant) -> Result<Map<String, Json>, Failure> {
    const REGISTERED: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope"];
    let mut claims = Map::new();
    for (name, text) in &args.claim {
        if REGISTERED.contains(&name.as_str()) {
            return Err(Failure::usage(format!(
                "`{name}` is set by the arguments of `gala token`, not by --claim"
            )));
        }
        let declared = tenant.claims.iter().find(|declared| declared.name == *name);
        let value = if let Some(declared) = declared {
            typed(text, declared.ty).ok_or_else(|| {
                Failure::usage(format!(
                    "`{text}` is no {}, and `{name}` is one",
                    declared.ty
                ))
            })?
        } else {
            // Warned of in JSON, too: the token works, and does not say what was meant.
            eprintln!(
                "warning: tenant `{}` declares no claim `{name}`: the server will ignore it",
                tenant.id
            );
            serde_json::from_str(text).unwrap_or_else(|_| json!(text))
        };
        claims.insert(name.clone(), value);
    }
    Ok(claims)
}

/// A claim as the server reads it.
fn typed(text: &str, ty: Type) -> Option<Json> {
    match ty {
        Type::Bool => text.parse::<bool>().ok().map(Json::from),
        Type::Int | Type::Duration => text.parse::<i64>().ok().map(Json::from),
        Type::Str => Some(json!(text)),
        Type::Date => text
            .parse::<chrono::NaiveDate>()
            .ok()
            .map(|date| json!(date.to_string())),
        // Seconds since 1970 or RFC 3339.
        Type::Time => {
            let seconds = text.parse::<i64>().ok().map(Json::from);
            seconds.or_else(|| {
                chrono::DateTime::parse_from_rfc3339(text)
                    .ok()
                    .map(|_| json!(text))
            })
        }
        Type::Strs => Some(
            text.split(',')
                .filter(|item| !item.is_empty())
                .map(Json::from)
                .collect(),
        ),
        Type::Days => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_have_their_declared_types() {
        let rows = [
            (Type::Int, "5", Some(json!(5))),
            (Type::Int, "five", None),
            (Type::Bool, "true", Some(json!(true))),
            (Type::Bool, "yes", None),
            (Type::Str, "5", Some(json!("5"))),
            (Type::Strs, "vip,staff", Some(json!(["vip", "staff"]))),
            (Type::Strs, "", Some(json!([]))),
            (Type::Time, "1700000000", Some(json!(1_700_000_000))),
            (
                Type::Time,
                "2026-11-01T10:00:00+08:00",
                Some(json!("2026-11-01T10:00:00+08:00")),
            ),
            (Type::Time, "yesterday", None),
            (Type::Date, "2026-11-01", Some(json!("2026-11-01"))),
            (Type::Date, "2026-13-01", None),
        ];
        for (ty, text, expected) in rows {
            assert_eq!(typed(text, ty), expected, "{ty} {text}");
        }
    }
}
