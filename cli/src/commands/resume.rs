//! `gala resume`: ends a stop.

use clap::Args;
use serde_json::json;

use crate::change::Change;
use crate::failure::Failure;
use crate::out::Out;

/// Ends a campaign's pause
#[derive(Debug, Args)]
pub struct Resume {
    /// Of which campaign
    #[command(flatten)]
    pub change: Change,
}

/// Ends it.
pub fn run(args: &Resume, out: Out) -> Result<(), Failure> {
    let done = args.change.make("resume", &json!({}))?;
    if out.json {
        return out.value(&done);
    }
    let word = if done["audit"].is_null() {
        "was not paused".to_owned()
    } else {
        format!("goes on (audit entry {})", done["audit"])
    };
    out.line(format!(
        "{}/{}: {word}",
        args.change.tenant, args.change.campaign
    ))
}
