//! `gala pause`: stops a campaign, or one event of it.

use clap::Args;
use serde_json::json;

use crate::change::Change;
use crate::failure::Failure;
use crate::out::Out;

/// Stops a campaign's live lane, or one event of it
#[derive(Debug, Args)]
pub struct Pause {
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
    /// Of which campaign
    #[command(flatten)]
    pub change: Change,
}

/// Stops it.
pub fn run(args: &Pause, out: Out) -> Result<(), Failure> {
    let body = json!({ "reason": args.reason, "notice": args.notice, "until": args.until, "event": args.event });
    let done = args.change.make("pause", &body)?;
    if out.json {
        return out.value(&done);
    }
    let what = args
        .event
        .as_ref()
        .map_or(String::new(), |event| format!(", event {event}"));
    out.line(format!(
        "{}/{}{what}: paused (audit entry {})",
        args.change.tenant, args.change.campaign, done["audit"]
    ))
}
