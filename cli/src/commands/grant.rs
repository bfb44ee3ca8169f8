//! `gala grant`: a reward by hand, for a ticket.

use clap::Args;
use function::identity::Role;
use serde_json::{Value as Json, json};

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Gives a user a reward by hand, for a ticket that is good once; uses stock and budget
#[derive(Debug, Args)]
pub struct Grant {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// The member id, or `pseudonym:` with the 32 digits of the ledger
    pub user: String,
    /// The reward's id
    pub reward: String,
    /// The ticket
    #[arg(long, value_name = "TICKET")]
    pub ticket: String,
    /// Why
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
    /// How many times
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub n: u32,
    /// In which lane
    #[arg(long, value_enum, default_value_t = Lane::Live)]
    pub lane: Lane,
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

/// Gives it.
pub fn run(args: &Grant, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Support)?;
    let body = json!({
        "campaign": args.campaign, "edition": args.edition, "lane": args.lane.as_str(), "reward": args.reward,
        "ticket": args.ticket, "reason": args.reason, "n": args.n,
    });
    let ask = Ask {
        path: &[&args.tenant, "users", &args.user, "grants"],
        query: &[],
    };
    let done = api.post(ask, args.key.as_deref(), &body)?;
    if out.json {
        return out.value(&done);
    }
    let grants = done["grants"].as_array().map_or(&[][..], Vec::as_slice);
    for grant in grants {
        let text = |name: &str| grant[name].as_str().unwrap_or_default();
        out.line(format!(
            "{}  {}  {}",
            text("id"),
            text("reward"),
            text("status")
        ))?;
    }
    match &done["audit"] {
        Json::Null => out.note("this ticket was used before: nothing new was given"),
        audit => out.note(format!("audit entry {audit}")),
    }
    Ok(())
}
