//! `gala reconcile`: whether ledger, counters and records say the same.

use clap::Args;
use function::identity::Role;

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Works stock, budgets and participants' grants out again from the ledger (exit code 1 if anything differs)
#[derive(Debug, Args)]
pub struct Reconcile {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// Whose books
    #[arg(long, value_enum, default_value_t = Lane::Live)]
    pub lane: Lane,
    /// The edition; without it the newest
    #[arg(long, value_name = "N")]
    pub edition: Option<u32>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Reconciles.
pub fn run(args: &Reconcile, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Finance)?;
    let path = [
        args.tenant.as_str(),
        "campaigns",
        &args.campaign,
        "reconcile",
    ];
    let query = [
        ("lane", Some(args.lane.as_str().to_owned())),
        ("edition", args.edition.map(|edition| edition.to_string())),
    ];
    // As long as reading a whole ledger takes.
    let report = api::json(api.stream(Ask {
        path: &path,
        query: &query,
    })?)?;
    let found = report["found"].as_u64();
    if out.json {
        out.value(&report)?;
    } else {
        let named = report["differences"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        for difference in named {
            let words = |name: &str| difference[name].as_str().unwrap_or_default().to_owned();
            out.line(format!("{}: {}", words("kind"), words("message")))?;
        }
        let more = found.unwrap_or_default().saturating_sub(named.len() as u64);
        if more > 0 {
            out.note(format!("and {more} more"));
        }
        out.note(format!(
            "{}/{} edition {} ({}): {} rows, {} grants, {} draws, {} participants, {} differences",
            args.tenant,
            args.campaign,
            report["edition"],
            args.lane.as_str(),
            report["rows"],
            report["grants"],
            report["draws"],
            report["participants"],
            report["found"],
        ));
    }
    if found == Some(0) {
        Ok(())
    } else {
        Err(Failure::red())
    }
}
