//! `gala amend`: holds a grant, lets it go on, or takes it back.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Holds a user's grant, lets it go on, or takes it back (its unit and its cost stay counted)
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["hold", "release", "void"]))]
pub struct Amend {
    /// The tenant's id
    pub tenant: String,
    /// The member id, or `pseudonym:` with the 32 digits of the ledger
    pub user: String,
    /// The grant's id
    pub grant: String,
    /// It waits until somebody has looked
    #[arg(long)]
    pub hold: bool,
    /// A held one goes on
    #[arg(long)]
    pub release: bool,
    /// It is taken back, for good
    #[arg(long)]
    pub void: bool,
    /// Why
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
    /// The campaign's id; without it all are searched
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Amends it.
pub fn run(args: &Amend, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Risk)?;
    let what = match (args.hold, args.release) {
        (true, _) => "hold",
        (_, true) => "release",
        _ => "void",
    };
    let body = json!({ "reason": args.reason, "campaign": args.campaign });
    let ask = Ask {
        path: &[
            &args.tenant,
            "users",
            &args.user,
            "grants",
            &args.grant,
            what,
        ],
        query: &[],
    };
    let done = api.post(ask, args.key.as_deref(), &body)?;
    if out.json {
        return out.value(&done);
    }
    let status = done["status"].as_str().unwrap_or_default();
    out.line(if done["audit"].is_null() {
        format!("{} is {status} already", args.grant)
    } else {
        format!("{} is {status} (audit entry {})", args.grant, done["audit"])
    })
}
