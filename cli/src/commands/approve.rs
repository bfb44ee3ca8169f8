//! `gala approve`: somebody else finds a draft good.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use super::diff;
use super::draft::{known, version};
use super::publish::subject;
use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Approves of a campaign's draft (exit code 1 if you wrote in it, or it has changed meanwhile)
///
/// Says first what the draft changes. Any later edit ends the approval. With `review: { approvals: 1 }` in a tenant's
/// `tenant.yaml` nothing is published without.
#[derive(Debug, Args)]
pub struct Approve {
    /// Of which campaign
    #[arg(value_name = "TENANT/CAMPAIGN")]
    pub what: String,
    /// Only if the draft is still of this version
    #[arg(long, value_name = "VERSION")]
    pub draft: Option<u64>,
    /// Anything to say
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Approves.
pub fn run(args: &Approve, out: Out) -> Result<(), Failure> {
    let subject = subject(&args.what)?;
    let (tenant, campaign) = (subject.tenant.as_str(), subject.campaign.as_str());
    let api = args.server.connect(tenant, Role::Editor)?;
    let version = if let Some(version) = args.draft {
        version
    } else {
        let found = known(&api, &subject)?;
        if !out.json {
            let changes = found["draft"]["changes"].as_array();
            diff::tell(changes.map_or(&[][..], Vec::as_slice), out)?;
        }
        version(&found, &args.what)?
    };
    let path = [tenant, "campaigns", campaign, "approve"];
    let (path, query) = (&path[..], &[][..]);
    let body = json!({ "draft": version, "comment": args.comment });
    let done = api.post(Ask { path, query }, args.key.as_deref(), &body)?;
    if out.json {
        return out.value(&done);
    }
    out.line(format!(
        "{tenant}/{campaign}: draft {version} is approved (audit entry {})",
        done["audit"]
    ))
}
