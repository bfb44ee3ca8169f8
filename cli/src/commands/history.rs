//! `gala history`: one user across a tenant's campaigns.

use clap::Args;
use function::identity::Role;
use serde_json::Value as Json;

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Shows what one user did and was given, across campaigns
#[derive(Debug, Args)]
pub struct History {
    /// The tenant's id
    pub tenant: String,
    /// The member id
    pub user: String,
    /// How many of the newest rows
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Shows it.
pub fn run(args: &History, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Support)?;
    let path = [args.tenant.as_str(), "users", &args.user];
    let query = [("limit", Some(args.limit.to_string()))];
    let history = api::json(api.get(Ask {
        path: &path,
        query: &query,
    })?)?;
    if out.json {
        return out.value(&history);
    }
    let text = |value: &Json, name: &str| match &value[name] {
        Json::String(text) => text.clone(),
        Json::Null => "-".to_owned(),
        other => other.to_string(),
    };
    out.line(format!("user {}", text(&history, "user")))?;
    if history["blocked"]["holds"] == true {
        let block = &history["blocked"];
        let (by, until) = (text(block, "by"), text(block, "until"));
        out.line(format!(
            "blocked by {by} until {until}: {}",
            text(block, "reason")
        ))?;
    }
    let none = Vec::new();
    for record in history["campaigns"].as_array().unwrap_or(&none) {
        out.line(format!(
            "{}/{} {}: state {}, {} grants, {}",
            text(record, "campaign"),
            text(record, "edition"),
            text(record, "lane"),
            text(record, "state"),
            text(record, "grants_in_all"),
            record["context"],
        ))?;
    }
    for row in history["rows"].as_array().unwrap_or(&none) {
        let what = match row["type"].as_str() {
            Some("grant") => {
                let grant = &row["grant"];
                format!(
                    "given {} by {} ({})",
                    text(grant, "reward"),
                    text(grant, "rule"),
                    text(grant, "period")
                )
            }
            Some("draw") => {
                let draw = &row["draw"];
                let (pick, of) = (text(draw, "pick"), text(draw, "of"));
                format!(
                    "draw {} of {}: {pick}/{of}, gave {}",
                    text(draw, "index"),
                    text(draw, "purpose"),
                    text(draw, "given")
                )
            }
            Some("hand") => {
                let hand = &row["hand"];
                let (by, ticket) = (text(hand, "by"), text(hand, "ticket"));
                format!(
                    "{} by hand by {by}, ticket {ticket}: {}",
                    text(hand, "reward"),
                    text(hand, "why")
                )
            }
            Some("amended") => {
                let made = &row["amended"];
                let (reward, now, by) = (text(made, "reward"), text(made, "now"), text(made, "by"));
                format!(
                    "{reward} ({}) is {now} by {by}: {}",
                    text(made, "grant"),
                    text(made, "why")
                )
            }
            _ => format!("message {}", text(&row["message"], "name")),
        };
        let (at, campaign, event) = (text(row, "at"), text(row, "campaign"), text(row, "event"));
        out.line(format!(
            "{at}  {campaign}  {event}  {what}  [{}]",
            text(row, "request_id")
        ))?;
    }
    Ok(())
}
