//! `gala object`: somebody wants a draft changed before it is published.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use super::draft::{known, version};
use super::publish::subject;
use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Asks for changes of a campaign's draft, or takes that back
///
/// Where a tenant's changes are reviewed, nothing of the draft is published until you approve of it or take it back; edits do
/// not answer it.
#[derive(Debug, Args)]
pub struct Object {
    /// Of which campaign
    #[arg(value_name = "TENANT/CAMPAIGN")]
    pub what: String,
    /// What should be changed
    #[arg(
        long,
        value_name = "TEXT",
        required_unless_present = "lift",
        conflicts_with = "lift"
    )]
    pub reason: Option<String>,
    /// Take it back
    #[arg(long)]
    pub lift: bool,
    /// Only if the draft is still of this version
    #[arg(long, value_name = "VERSION")]
    pub draft: Option<u64>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Objects.
pub fn run(args: &Object, out: Out) -> Result<(), Failure> {
    let subject = subject(&args.what)?;
    let (tenant, campaign) = (subject.tenant.as_str(), subject.campaign.as_str());
    let api = args.server.connect(tenant, Role::Editor)?;
    let version = match args.draft {
        Some(version) => version,
        None => version(&known(&api, &subject)?, &args.what)?,
    };
    let path = [tenant, "campaigns", campaign, "object"];
    let (path, query) = (&path[..], &[][..]);
    let body = json!({ "draft": version, "comment": args.reason, "lift": args.lift });
    let done = api.post(Ask { path, query }, args.key.as_deref(), &body)?;
    if out.json {
        return out.value(&done);
    }
    let what = if args.lift {
        "your objection is taken back"
    } else {
        "changes are asked for"
    };
    out.line(format!(
        "{tenant}/{campaign}: {what}, draft {version} (audit entry {})",
        done["audit"]
    ))
}
