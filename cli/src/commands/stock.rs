//! `gala stock`: what is left of the rewards, and more units of one.

use clap::Args;
use function::identity::Role;
use serde_json::{Value as Json, json};

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Shows what is left of each limited reward, or adds units to one
#[derive(Debug, Args)]
pub struct Stock {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// The reward's id; without it all
    #[arg(requires = "add")]
    pub reward: Option<String>,
    /// How many units to add
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), requires = "reward")]
    pub add: Option<u32>,
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

/// Shows, or adds.
pub fn run(args: &Stock, out: Out) -> Result<(), Failure> {
    match (&args.reward, args.add) {
        (Some(reward), Some(add)) => top_up(args, reward, add, out),
        _ => show(args, out),
    }
}

fn show(args: &Stock, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Viewer)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "stats"];
    let query = [("edition", args.edition.map(|edition| edition.to_string()))];
    let stats = api::json(api.get(Ask {
        path: &path,
        query: &query,
    })?)?;
    let lanes = stats["lanes"].as_array().into_iter().flatten();
    let lane = lanes
        .filter(|lane| lane["lane"] == args.lane.as_str())
        .map(|lane| &lane["stock"])
        .next();
    let stock = lane.and_then(Json::as_array).cloned().unwrap_or_default();
    if out.json {
        return out.value(&stock);
    }
    for reward in &stock {
        let waiting = match (&reward["held"], reward["next_release"].as_str()) {
            (held, Some(next)) => format!(", {held} to be released from {next} on"),
            (held, None) if held.as_i64().is_some_and(|held| held > 0) => {
                format!(", {held} never released")
            }
            _ => String::new(),
        };
        out.line(format!(
            "{}: {} issued of {}, {} left{waiting}",
            reward["reward"].as_str().unwrap_or_default(),
            reward["issued"],
            reward["ceiling"],
            reward["left"]
        ))?;
    }
    if stock.is_empty() {
        out.note("no reward has limited stock");
    }
    if let Some([older, newer]) = stats["live"].as_array().map(Vec::as_slice) {
        let said = |one: &Json| {
            let percent = one["percent"].as_str().unwrap_or_default().to_owned();
            format!("{} ({percent} of the users)", one["revision"])
        };
        out.note(format!(
            "two revisions are live and share what is left: {} and {}",
            said(older),
            said(newer)
        ));
    }
    Ok(())
}

fn top_up(args: &Stock, reward: &str, add: u32, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "stock"];
    let query = [("edition", args.edition.map(|edition| edition.to_string()))];
    let body = json!({ "reward": reward, "add": add, "lane": args.lane.as_str() });
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
        "{reward} of {}/{}: {} units in all now",
        args.tenant, args.campaign, done["ceiling"]
    ))
}
