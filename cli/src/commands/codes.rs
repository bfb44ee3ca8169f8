//! `gala codes`: the tenant's pools of codes: filled, looked at, made; and the codes that users may hand in: accepted.

use std::path::PathBuf;

use std::collections::HashSet;

use clap::{Args, Subcommand};
use function::identity::Role;
use machine::typed;
use rand::TryRng as _;
use serde_json::Value as Json;

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Puts codes into a pool that a reward takes them from, or shows the pools and what is left
///
/// Each code is handed out once, to one user. A code that stands in any pool of the tenant already is left out, so that a file can be
/// put again. No answer and no log ever says a code: users are shown theirs, and nobody else's.
#[derive(Debug, Args)]
pub struct Codes {
    /// What to do
    #[command(subcommand)]
    pub deed: Deed,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Deed {
    /// Adds the codes of a file to a pool: one code a line
    Put(Put),
    /// Shows the pools: how many codes, how many are left, and whose they are
    List(List),
    /// Makes new codes, one a line, that nobody can guess and that are easy to type
    Make(Make),
    /// Puts the codes of a file in the place of a list that campaigns take codes from (`redeem`): one code a line
    Accept(Accept),
}

/// Accepts some.
#[derive(Debug, Args)]
pub struct Accept {
    /// The tenant's id
    pub tenant: String,
    /// The list's name, as campaigns name it: what stood on it before is accepted no more
    pub list: String,
    /// The file: one code a line, under an optional heading `code`
    pub file: PathBuf,
    /// All of them were made by `gala codes make`: a line that is none is rejected, and told
    #[arg(long)]
    pub ours: bool,
    /// The file may be empty: then no code is accepted
    #[arg(long)]
    pub empty: bool,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Puts some.
#[derive(Debug, Args)]
pub struct Put {
    /// The tenant's id
    pub tenant: String,
    /// The pool's name; one that is not there begins with this file
    pub pool: String,
    /// The file: one code a line, under an optional heading `code`
    pub file: PathBuf,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Shows them.
#[derive(Debug, Args)]
pub struct List {
    /// The tenant's id
    pub tenant: String,
    /// The pool's name; without it all
    pub pool: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Makes some.
#[derive(Debug, Args)]
pub struct Make {
    /// How many
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub many: u32,
}

/// Does it.
pub fn run(args: &Codes, out: Out) -> Result<(), Failure> {
    match &args.deed {
        Deed::Put(args) => put(args, out),
        Deed::List(args) => list(args, out),
        Deed::Make(args) => make(args, out),
        Deed::Accept(args) => accept(args, out),
    }
}

fn put(args: &Put, out: Out) -> Result<(), Failure> {
    let Put { tenant, pool, .. } = args;
    let api = args.server.connect(tenant, Role::Editor)?;
    let ask = Ask {
        path: &[tenant, "codes", pool],
        query: &[],
    };
    let done = api.post_file(ask, args.key.as_deref(), &args.file)?;
    if out.json {
        return out.value(&done);
    }
    for reject in done["rejects"].as_array().into_iter().flatten() {
        let why = reject["why"].as_str().unwrap_or_default();
        out.note(format!("{}:{}: {why}", args.file.display(), reject["line"]));
    }
    out.line(format!(
        "{tenant}/{pool}: {} codes added of {} lines ({} twice or more, {} in a pool already, {} rejected), {} in the pool (audit entry {})",
        done["added"], done["rows"], done["duplicates"], done["known"], done["rejected"], done["codes"], done["audit"]
    ))
}

/// A list's file, of codes: what the store has of them is their digests.
fn accept(args: &Accept, out: Out) -> Result<(), Failure> {
    let Accept { tenant, list, .. } = args;
    let api = args.server.connect(tenant, Role::Editor)?;
    let of = if args.ours { "gala-codes" } else { "codes" };
    let query = [
        ("of", Some(of.to_owned())),
        ("empty", args.empty.then(|| "true".to_owned())),
    ];
    let ask = Ask {
        path: &[tenant, "lists", list],
        query: &query,
    };
    let done = api.put_file(ask, args.key.as_deref(), &args.file)?;
    if out.json {
        return out.value(&done);
    }
    for reject in done["rejects"].as_array().into_iter().flatten() {
        let why = reject["why"].as_str().unwrap_or_default();
        out.note(format!("{}:{}: {why}", args.file.display(), reject["line"]));
    }
    out.line(format!(
        "{tenant}/{list}: {} codes are accepted, of {} lines ({} twice or more, {} rejected) (audit entry {})",
        done["added"], done["rows"], done["duplicates"], done["rejected"], done["audit"]
    ))
}

/// 75 random bits each, and a check: docs/CODES.md.
fn make(args: &Make, out: Out) -> Result<(), Failure> {
    let mut made = HashSet::new();
    let mut codes = Vec::new();
    while codes.len() < args.many as usize {
        let mut random = [0; 10];
        rand::rngs::SysRng
            .try_fill_bytes(&mut random)
            .map_err(|error| {
                Failure::check(
                    "no-randomness",
                    format!("the system gives no random numbers: {error}"),
                )
            })?;
        let code = typed::make(random);
        if !made.insert(code.clone()) {
            continue;
        }
        if !out.json {
            out.line(&code)?;
        }
        codes.push(code);
    }
    if out.json {
        return out.value(&codes);
    }
    Ok(())
}

fn list(args: &List, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Viewer)?;
    let ask = Ask {
        path: &[&args.tenant, "codes"],
        query: &[],
    };
    let found = api::json(api.get(ask)?)?;
    let mut pools = found["pools"].as_array().cloned().unwrap_or_default();
    if let Some(name) = &args.pool {
        pools.retain(|pool| pool["pool"].as_str() == Some(name));
        if pools.is_empty() {
            let message = format!("{} has no pool `{name}`", args.tenant);
            return Err(Failure::check("no-such-pool", message));
        }
    }
    if out.json {
        return out.value(&pools);
    }
    for pool in &pools {
        out.line(told(pool))?;
    }
    if pools.is_empty() {
        out.note("there are no pools of codes");
    }
    Ok(())
}

fn told(pool: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let owner = &pool["owner"];
    let whose = if owner.is_object() {
        format!(
            "reward {} of {}, edition {}",
            text(&owner["reward"]),
            text(&owner["campaign"]),
            owner["edition"]
        )
    } else {
        "nobody's yet".to_owned()
    };
    format!(
        "{}: {} codes, {} handed out, {} left; {whose}",
        text(&pool["pool"]),
        pool["codes"],
        pool["handed_out"],
        pool["left"]
    )
}
