//! `gala rollback`: an earlier revision as the next one.

use clap::Args;
use serde_json::json;

use crate::change::Change;
use crate::failure::Failure;
use crate::out::Out;

/// Makes an earlier revision the next one and the live one (exit code 1 if it may not follow)
///
/// The campaign's file stays as it is: change it too, or the next `gala publish` brings back what was rolled back.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The revision to go back to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub to: u32,
    /// Why, where users get less than they were promised
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Of which campaign
    #[command(flatten)]
    pub change: Change,
}

/// Rolls back.
pub fn run(args: &Rollback, out: Out) -> Result<(), Failure> {
    let body = json!({ "revision": args.to, "reason": args.reason });
    let done = args.change.make("rollback", &body)?;
    if out.json {
        return out.value(&done);
    }
    let (tenant, campaign, to) = (&args.change.tenant, &args.change.campaign, args.to);
    out.line(if done["revision"].is_null() {
        format!("{tenant}/{campaign}: nothing to do, what revision {to} says is live already")
    } else {
        format!(
            "{tenant}/{campaign}: revision {} is live and says what revision {to} said (audit entry {})",
            done["revision"], done["audit"]
        )
    })
}
