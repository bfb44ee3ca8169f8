//! `gala settlement`: what a campaign comes to, reward by reward.

use clap::Args;
use function::identity::Role;
use serde_json::Value as Json;

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::lane::Lane;
use crate::out::Out;

/// Shows what was given of each reward, what became of it and what it cost (exit code 1 if the books do not add up)
#[derive(Debug, Args)]
pub struct Settlement {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id
    pub campaign: String,
    /// Only what was so before: 2027-01-01T00:00:00+08:00; without it now
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// As CSV
    #[arg(long)]
    pub csv: bool,
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

/// Shows it.
pub fn run(args: &Settlement, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Finance)?;
    let csv = args.csv && !out.json;
    let ask = Ask {
        path: &[&args.tenant, "campaigns", &args.campaign, "settlement"],
        query: &[
            ("lane", Some(args.lane.as_str().to_owned())),
            ("edition", args.edition.map(|edition| edition.to_string())),
            ("until", args.until.clone()),
            ("format", csv.then(|| "csv".to_owned())),
        ],
    };
    // As long as reading a whole ledger takes.
    let answer = api.stream(ask)?;
    if csv {
        let text = answer.text().map_err(|error| {
            Failure::unreachable(
                "cut-off",
                format!("the answer was cut off: {}", api::cause(&error)),
            )
        })?;
        return out.line(text.trim_end());
    }
    let settled = api::json(answer)?;
    if out.json {
        return out.value(&settled);
    }
    let none = Vec::new();
    let rewards = settled["rewards"].as_array().unwrap_or(&none);
    for line in rewards.iter().chain([&settled["total"]]) {
        let text = |name: &str| match &line[name] {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let name = line["reward"].as_str().unwrap_or("in all");
        out.line(format!(
            "{name}: {} issued ({} by hand): {} confirmed, {} reversed, {} forfeited, {} expired, {} held, {} outstanding; \
             cost {} - {} = {}",
            text("issued"),
            text("by_hand"),
            text("confirmed"),
            text("reversed"),
            text("forfeited"),
            text("expired"),
            text("held"),
            text("outstanding"),
            text("cost"),
            text("cost_reversed"),
            text("cost_net"),
        ))?;
    }
    out.note(format!(
        "{}/{} edition {} ({}) until {}: {} rows; it adds up",
        args.tenant,
        args.campaign,
        settled["edition"],
        args.lane.as_str(),
        settled["until"].as_str().unwrap_or_default(),
        settled["rows"],
    ));
    Ok(())
}
