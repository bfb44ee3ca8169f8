//! `gala stock`: more units of a reward.

use clap::Args;
use function::identity::Role;
use serde_json::json;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Adds units to a reward's stock
#[derive(Debug, Args)]
pub struct Stock {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// The reward's id
    pub reward: String,
    /// How many units
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub add: u32,
    /// Whose stock
    #[arg(long, value_enum, default_value_t = Lane::Live)]
    pub lane: Lane,
    /// The edition; without it the newest
    #[arg(long, value_name = "N")]
    pub edition: Option<u32>,
    /// The idempotency key: the same one never adds twice
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Adds them.
pub fn run(args: &Stock, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "stock"];
    let query = [("edition", args.edition.map(|edition| edition.to_string()))];
    let body = json!({ "reward": args.reward, "add": args.add, "lane": args.lane.as_str() });
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
    out.line(format!(
        "{} of {}/{}: {} units in all now",
        args.reward, args.tenant, args.campaign, done["ceiling"]
    ))
}
