//! `gala block`: keeps a user from taking part, or ends that.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Keeps a user from taking part in any campaign of a tenant, or ends that
#[derive(Debug, Args)]
pub struct Block {
    /// The tenant's id
    pub tenant: String,
    /// The member id, or `pseudonym:` with the 32 digits of the ledger
    pub user: String,
    /// Why, for staff
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
    /// Until when: 2026-12-01T10:00:00+08:00; without it until it is ended
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Ends the block
    #[arg(long, conflicts_with = "until")]
    pub end: bool,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Blocks, or unblocks.
pub fn run(args: &Block, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Risk)?;
    let (what, body) = if args.end {
        ("unblock", json!({ "reason": args.reason }))
    } else {
        (
            "block",
            json!({ "reason": args.reason, "until": args.until }),
        )
    };
    let ask = Ask {
        path: &[&args.tenant, "users", &args.user, what],
        query: &[],
    };
    let done = api.post(ask, args.key.as_deref(), &body)?;
    if out.json {
        return out.value(&done);
    }
    out.line(match (args.end, done["audit"].is_null()) {
        (true, true) => "the user was not blocked".to_owned(),
        (true, false) => format!(
            "the user is blocked no more (audit entry {})",
            done["audit"]
        ),
        (false, _) => format!("the user is blocked (audit entry {})", done["audit"]),
    })
}
