//! `gala release`: what becomes of a revision that some users have.

use clap::Args;
use serde_json::json;

use crate::change::Change;
use crate::failure::Failure;
use crate::out::Out;

/// Gives a revision that a share of the users has (`gala publish --share`) to more of them, to all, or to nobody
///
/// A share only grows, and who has the revision keeps it. What is taken back is taken from all who have it: their records go back to
/// the revision before, which must have a place for them (exit code 1 if it has not).
#[derive(Debug, Args)]
pub struct Release {
    /// Of which campaign
    #[command(flatten)]
    pub change: Change,
    /// Where it goes
    #[command(flatten)]
    pub to: To,
    /// Why; for the audit
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Where it goes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct To {
    /// To this share of the users, in percent: more than it has now
    #[arg(long, value_name = "PERCENT")]
    pub share: Option<String>,
    /// To all users: it is the only live one then
    #[arg(long)]
    pub all: bool,
    /// To nobody: the revision before is the only live one then
    #[arg(long)]
    pub back: bool,
}

/// Changes the share.
pub fn run(args: &Release, out: Out) -> Result<(), Failure> {
    let To { share, all, back } = &args.to;
    let mut body = if *back {
        json!({ "back": true })
    } else {
        let share = if *all { Some("100%") } else { share.as_deref() };
        json!({ "share": share })
    };
    if let Some(reason) = &args.reason {
        body["reason"] = json!(reason);
    }
    let done = args.change.make("share", &body)?;
    if out.json {
        return out.value(&done);
    }
    let (tenant, campaign) = (&args.change.tenant, &args.change.campaign);
    let revision = &done["revision"];
    out.line(match (share, revision.is_null()) {
        (_, true) => format!("{tenant}/{campaign}: nothing to do, it has that share already"),
        (Some(share), _) => format!(
            "{tenant}/{campaign}: revision {revision} is live for {share} of the users (audit entry {})",
            done["audit"]
        ),
        (None, _) => format!(
            "{tenant}/{campaign}: revision {revision} is live for all users (audit entry {})",
            done["audit"]
        ),
    })
}
