//! `gala purge`: removes an edition for good.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Removes all of an edition for good: participants, stock, ledger, revisions, both lanes. The audit stays
///
/// Two years after its last claim; before that only with --force and --reason. A purged edition never begins again.
/// Export its ledger first. With the embedded store its bytes stay in the log's files and in backups.
#[derive(Debug, Args)]
pub struct Purge {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// The edition
    #[arg(long, value_name = "N")]
    pub edition: u32,
    /// Also while its books must still be kept
    #[arg(long, requires = "reason")]
    pub force: bool,
    /// Why, for the audit
    #[arg(long, value_name = "WORDS")]
    pub reason: Option<String>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Removes it.
pub fn run(args: &Purge, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "purge"];
    let query = [("edition", Some(args.edition.to_string()))];
    let done = api.post(
        Ask {
            path: &path,
            query: &query,
        },
        args.key.as_deref(),
        &json!({ "force": args.force, "reason": args.reason }),
    )?;
    if out.json {
        return out.value(&done);
    }
    let of = format!("{}/{} edition {}", args.tenant, args.campaign, args.edition);
    out.line(if done["audit"].is_null() {
        format!("{of}: was purged before")
    } else {
        format!("{of}: purged (audit entry {})", done["audit"])
    })
}
