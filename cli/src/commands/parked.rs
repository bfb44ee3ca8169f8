//! `gala parked`: events that could not be delivered, and what is to become of them.

use clap::Args;
use function::identity::Role;
use serde_json::{Value as Json, json};

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::out::Out;
use crate::sign;

/// Shows events that could not be delivered, tells one again, or gives one up
///
/// A trigger's message that can never be taken is kept here, so that it holds nobody up. Once what was wrong is mended, tell it
/// again: it has one effect, however often it is told. Without a tenant, those of all tenants of the configs folder.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("deed").args(["retry", "drop"]))]
pub struct Parked {
    /// The tenant's id; without it all tenants
    pub tenant: Option<String>,
    /// The event's id in the list: shows it with what it says
    pub id: Option<String>,
    /// Tell it again; once it has had its effect it is kept no longer
    #[arg(long, requires = "id")]
    pub retry: bool,
    /// Give it up
    #[arg(long, requires_all = ["id", "reason"])]
    pub drop: bool,
    /// Why it is given up, for the audit
    #[arg(long, value_name = "TEXT", requires = "drop")]
    pub reason: Option<String>,
    /// The idempotency key
    #[arg(long, value_name = "KEY", requires = "deed")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Does it.
pub fn run(args: &Parked, out: Out) -> Result<(), Failure> {
    match (&args.tenant, &args.id) {
        (Some(tenant), Some(id)) if args.retry => {
            let done = act(args, tenant, id, "retry", &json!({}))?;
            told(out, &done, &format!("{tenant}: {id} was told again"))
        }
        (Some(tenant), Some(id)) if args.drop => {
            let done = act(args, tenant, id, "drop", &json!({ "reason": args.reason }))?;
            told(out, &done, &format!("{tenant}: {id} is given up"))
        }
        (Some(tenant), Some(id)) => one(args, tenant, id, out),
        (Some(tenant), None) => {
            let list = read(args, &[tenant, "parked"])?;
            if out.json {
                return out.value(&list);
            }
            lines(tenant, &list, out)
        }
        (None, _) => all(args, out),
    }
}

fn read(args: &Parked, path: &[&str]) -> Result<Json, Failure> {
    let tenant = path.first().copied().unwrap_or_default();
    let api = args.server.connect(tenant, Role::Support)?;
    api::json(api.get(Ask { path, query: &[] })?)
}

fn act(args: &Parked, tenant: &str, id: &str, what: &str, body: &Json) -> Result<Json, Failure> {
    let api = args.server.connect(tenant, Role::Publisher)?;
    let path = [tenant, "parked", id, what];
    let ask = Ask {
        path: &path,
        query: &[],
    };
    api.post(ask, args.key.as_deref(), body)
}

fn told(out: Out, done: &Json, words: &str) -> Result<(), Failure> {
    if out.json {
        return out.value(done);
    }
    out.line(format!("{words} (audit entry {})", done["audit"]))
}

/// A token is of one tenant: all of them are asked for with tokens that this machine makes.
fn all(args: &Parked, out: Out) -> Result<(), Failure> {
    if args.server.token.is_some() {
        return Err(Failure::usage(
            "a token is of one tenant: name the tenant too",
        ));
    }
    let mut lists = serde_json::Map::new();
    for tenant in sign::tenants(&args.server.configs)? {
        let list = read(args, &[&tenant, "parked"])?;
        if !out.json {
            lines(&tenant, &list, out)?;
        }
        lists.insert(tenant, list);
    }
    if out.json {
        return out.value(&lists);
    }
    Ok(())
}

fn one(args: &Parked, tenant: &str, id: &str, out: Out) -> Result<(), Failure> {
    let parked = read(args, &[tenant, "parked", id])?;
    if out.json {
        return out.value(&parked);
    }
    line(&parked, out)?;
    if parked["cut"] == true {
        out.note(format!(
            "only the beginning of its {} bytes is kept: it can't be told again from here",
            parked["bytes"]
        ));
    }
    out.line(parked["data"].as_str().unwrap_or_default())
}

fn lines(tenant: &str, list: &Json, out: Out) -> Result<(), Failure> {
    let none = Vec::new();
    let parked = list["parked"].as_array().unwrap_or(&none);
    let dropped = match list["dropped"].as_u64() {
        None | Some(0) => String::new(),
        Some(dropped) => format!(", {dropped} older ones were let go"),
    };
    out.line(format!("{tenant}: {} parked{dropped}", parked.len()))?;
    parked.iter().try_for_each(|parked| line(parked, out))
}

fn line(parked: &Json, out: Out) -> Result<(), Failure> {
    let text = |name: &str| parked[name].as_str().unwrap_or("-");
    let times = parked["times"].as_u64().unwrap_or(1);
    let times = if times > 1 {
        format!(" ({times} times)")
    } else {
        String::new()
    };
    out.line(format!(
        "{}  {}{times}  {} {} {} for {}: {}: {}",
        text("id"),
        text("last_at"),
        text("from"),
        text("source"),
        text("event_id"),
        text("campaign"),
        text("code"),
        text("detail"),
    ))
}
