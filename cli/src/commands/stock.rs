//! `gala stock`: what is left of the rewards, and more units of one, or fewer.

use clap::Args;
use function::identity::Role;
use serde_json::{Value as Json, json};

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Shows what is left of each limited reward, or adds units to one, or withdraws what is left
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("by").args(["add", "withdraw"]))]
pub struct Stock {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// The reward's id; without it all
    #[arg(requires = "by")]
    pub reward: Option<String>,
    /// How many units to add
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), requires = "reward")]
    pub add: Option<u32>,
    /// How many units to withdraw at most, or `all`: never what was given
    #[arg(long, value_name = "N|all", value_parser = withdrawal, requires = "reward")]
    pub withdraw: Option<Withdrawal>,
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

/// How many units are withdrawn at most.
#[derive(Debug, Clone, Copy)]
pub enum Withdrawal {
    /// So many.
    Units(u32),
    /// All that are left.
    All,
}

fn withdrawal(text: &str) -> Result<Withdrawal, String> {
    match text.parse() {
        _ if text == "all" => Ok(Withdrawal::All),
        Ok(units) if units > 0 => Ok(Withdrawal::Units(units)),
        _ => Err("a number from 1 on, or `all`".to_owned()),
    }
}

/// Shows, adds, or withdraws.
pub fn run(args: &Stock, out: Out) -> Result<(), Failure> {
    let change = match (args.add, args.withdraw) {
        (Some(add), _) => json!({ "add": add }),
        (None, Some(Withdrawal::Units(units))) => json!({ "withdraw": units }),
        (None, Some(Withdrawal::All)) => json!({ "withdraw": "all" }),
        (None, None) => return show(args, out),
    };
    match &args.reward {
        Some(reward) => move_ceiling(args, reward, change, out),
        None => show(args, out),
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

fn move_ceiling(args: &Stock, reward: &str, mut body: Json, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Publisher)?;
    let path = [args.tenant.as_str(), "campaigns", &args.campaign, "stock"];
    let query = [("edition", args.edition.map(|edition| edition.to_string()))];
    body["reward"] = json!(reward);
    body["lane"] = json!(args.lane.as_str());
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
    let withdrawn = match &done["withdrawn"] {
        Json::Null => String::new(),
        units => format!("{units} withdrawn, "),
    };
    if done["audit"].is_null() {
        return out.line(format!(
            "{reward} of {}/{}: nothing is left to withdraw",
            args.tenant, args.campaign
        ));
    }
    out.line(format!(
        "{reward} of {}/{}: {withdrawn}{} units in all now",
        args.tenant, args.campaign, done["ceiling"]
    ))
}
