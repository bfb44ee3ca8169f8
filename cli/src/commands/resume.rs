//! `gala resume`: ends a stop.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Ends a campaign's pause
#[derive(Debug, Args)]
pub struct Resume {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
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

/// Ends it.
pub fn run(args: &Resume, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "resume"];
    let query = [("edition", args.edition.map(|edition| edition.to_string()))];
    let done = api.post(
        Ask {
            path: &path,
            query: &query,
        },
        args.key.as_deref(),
        &json!({}),
    )?;
    if out.json {
        return out.value(&done);
    }
    let word = if done["audit"].is_null() {
        "was not paused".to_owned()
    } else {
        format!("goes on (audit entry {})", done["audit"])
    };
    out.line(format!("{}/{}: {word}", args.tenant, args.campaign))
}
