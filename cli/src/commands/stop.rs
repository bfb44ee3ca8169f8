//! `gala stop` and `gala start`: the kill switches of a tenant, of a campaign, of a reward.

use clap::Args;
use function::identity::Role;
use serde_json::{Value as Json, json};

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Stops a reward, a campaign, or all campaigns of a tenant: from the answer on nothing of it is given
#[derive(Debug, Args)]
pub struct Stop {
    /// Why, for staff
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
    /// What users are told, where all of a campaign or of the tenant is stopped
    #[arg(long, value_name = "WORDS", conflicts_with = "reward")]
    pub notice: Option<String>,
    /// What
    #[command(flatten)]
    pub what: What,
}

/// Starts again what `gala stop` has stopped
#[derive(Debug, Args)]
pub struct Start {
    /// What
    #[command(flatten)]
    pub what: What,
}

/// What is switched.
#[derive(Debug, Args)]
pub struct What {
    /// The tenant's id
    pub tenant: String,
    /// The campaign's id; without it all of the tenant's campaigns
    pub campaign: Option<String>,
    /// The reward's id; without it all of the campaign
    pub reward: Option<String>,
    /// The edition; without it the newest
    #[arg(long, value_name = "N", requires = "campaign")]
    pub edition: Option<u32>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Stops it.
pub fn stop(args: &Stop, out: Out) -> Result<(), Failure> {
    let body = if args.what.reward.is_some() {
        json!({ "reason": args.reason })
    } else {
        json!({ "reason": args.reason, "notice": args.notice })
    };
    let done = args.what.switch(["stop", "pause"], &body)?;
    told(&args.what, &done, ["stopped", "was stopped already"], out)
}

/// Starts it.
pub fn start(args: &Start, out: Out) -> Result<(), Failure> {
    let done = args.what.switch(["start", "resume"], &json!({}))?;
    told(&args.what, &done, ["goes on", "was not stopped"], out)
}

impl What {
    fn switch(&self, [one, all]: [&str; 2], body: &Json) -> Result<Json, Failure> {
        let api = self.server.connect(&self.tenant, Role::Publisher)?;
        let path = match (&self.campaign, &self.reward) {
            (Some(campaign), Some(reward)) => {
                vec![&*self.tenant, "campaigns", campaign, "rewards", reward, one]
            }
            (Some(campaign), None) => vec![&*self.tenant, "campaigns", campaign, all],
            (None, _) => vec![&*self.tenant, all],
        };
        let edition = self.edition.map(|edition| edition.to_string());
        let ask = Ask {
            path: &path,
            query: &[("edition", edition)],
        };
        api.post(ask, self.key.as_deref(), body)
    }
}

fn told(what: &What, done: &Json, [new, old]: [&str; 2], out: Out) -> Result<(), Failure> {
    if out.json {
        return out.value(done);
    }
    let parts = [
        Some(&what.tenant),
        what.campaign.as_ref(),
        what.reward.as_ref(),
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    let name = parts.join("/");
    out.line(if done["audit"].is_null() {
        format!("{name}: {old}")
    } else {
        format!("{name}: {new} (audit entry {})", done["audit"])
    })
}
