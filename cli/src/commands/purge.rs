//! `gala purge`: removes an edition for good, or what was played in its test lane.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Removes all of an edition for good: participants, stock, ledger, revisions, both lanes. The audit stays
///
/// When its books were kept long enough (`archive` of the tenant, two years unless said, from its last claim); before that only
/// with --force and --reason. A purged edition never begins again. Export its ledger first. With the embedded store its bytes
/// stay in the log's files and in backups. With `--lane test` only what was played in the test lane goes, at any time, and it is
/// played in again from the beginning.
#[derive(Debug, Args)]
pub struct Purge {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// The edition; of the test lane the newest unless said
    #[arg(long, value_name = "N", required_unless_present = "lane")]
    pub edition: Option<u32>,
    /// `test`: only the test lane
    #[arg(long, value_enum)]
    pub lane: Option<Lane>,
    /// Also while its books must still be kept
    #[arg(long, requires = "reason", conflicts_with = "lane")]
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
    if args.lane == Some(Lane::Live) {
        return Err(Failure::usage(
            "the live lane is not purged alone: leave --lane out for the whole edition",
        ));
    }
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "purge"];
    let query = [
        ("edition", args.edition.map(|edition| edition.to_string())),
        ("lane", args.lane.map(|lane| lane.as_str().to_owned())),
    ];
    let body = match args.lane {
        Some(_) => json!({ "reason": args.reason }),
        None => json!({ "force": args.force, "reason": args.reason }),
    };
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
    let name = format!("{}/{}", args.tenant, args.campaign);
    let of = match args.edition {
        Some(edition) => format!("{name} edition {edition}"),
        None => name,
    };
    if args.lane.is_some() {
        return out.line(format!(
            "{of}: the test lane is empty (audit entry {})",
            done["audit"]
        ));
    }
    out.line(if done["audit"].is_null() {
        format!("{of}: was purged before")
    } else {
        format!("{of}: purged (audit entry {})", done["audit"])
    })
}
