//! `gala rollback`: an earlier revision as the next one.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Makes an earlier revision the next one and the live one (exit code 1 if it may not follow)
///
/// The campaign's file stays as it is: change it too, or the next `gala publish` brings back what was rolled back.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// The revision to go back to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub to: u32,
    /// The edition; without it the newest
    #[arg(long, value_name = "N")]
    pub edition: Option<u32>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Rolls back.
pub fn run(args: &Rollback, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [
        args.tenant.as_str(),
        "campaigns",
        &args.campaign,
        "rollback",
    ];
    let query = [("edition", args.edition.map(|edition| edition.to_string()))];
    let done = api.post(
        Ask {
            path: &path,
            query: &query,
        },
        args.key.as_deref(),
        &json!({ "revision": args.to }),
    )?;
    if out.json {
        return out.value(&done);
    }
    let (tenant, campaign, to) = (&args.tenant, &args.campaign, args.to);
    out.line(if done["revision"].is_null() {
        format!("{tenant}/{campaign}: nothing to do, what revision {to} says is live already")
    } else {
        format!(
            "{tenant}/{campaign}: revision {} is live and says what revision {to} said (audit entry {})",
            done["revision"], done["audit"]
        )
    })
}
