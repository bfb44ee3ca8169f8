//! `gala pause`: stops a campaign, or one event of it.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Stops a campaign's live lane, or one event of it
#[derive(Debug, Args)]
pub struct Pause {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// Why, for staff
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
    /// What users are told
    #[arg(long, value_name = "WORDS")]
    pub notice: Option<String>,
    /// When it is meant to end, for users: 2026-12-01T10:00:00+08:00. It ends only by `gala resume`
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only this event
    #[arg(long)]
    pub event: Option<String>,
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

/// Stops it.
pub fn run(args: &Pause, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "pause"];
    let query = [("edition", args.edition.map(|edition| edition.to_string()))];
    let body = json!({ "reason": args.reason, "notice": args.notice, "until": args.until, "event": args.event });
    let done = api.post(
        Ask {
            path: &path,
            query: &query,
        },
        args.key.as_deref(),
        &body,
    )?;
    if out.json {
        return out.value(&done);
    }
    let what = args
        .event
        .as_ref()
        .map_or(String::new(), |event| format!(", event {event}"));
    out.line(format!(
        "{}/{}{what}: paused (audit entry {})",
        args.tenant, args.campaign, done["audit"]
    ))
}
