//! `gala list`: the tenant's lists: put, shown, taken away.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use function::identity::Role;
use serde_json::{Value as Json, json};

use crate::api::{self, Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Puts a list of members into the store, shows the lists there are, or takes one away
///
/// A list in the store stands above a file `lists/NAME.csv` of the same name, and is replaced while campaigns run: everybody is looked
/// up in the old list or in the new one, never in some of each.
#[derive(Debug, Args)]
pub struct List {
    /// What to do
    #[command(subcommand)]
    pub deed: Deed,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Deed {
    /// Puts a file in the place of a list: one member id a line
    Put(Put),
    /// Shows the lists, and where each comes from
    Show(Show),
    /// Takes a list out of the store: a file of its name counts again
    Drop(Drop),
}

/// A list and where it is.
#[derive(Debug, Args)]
pub struct Named {
    /// The tenant's id
    pub tenant: String,
    /// The list's name
    pub list: String,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Puts one.
#[derive(Debug, Args)]
pub struct Put {
    #[command(flatten)]
    named: Named,
    /// The file: one member id a line, under an optional heading `member`
    pub file: PathBuf,
    /// The lines are pseudonyms, as exports have them (32 hexadecimal digits), and not member ids
    #[arg(long)]
    pub pseudonyms: bool,
    /// The file may be empty: then nobody is on the list
    #[arg(long)]
    pub empty: bool,
}

/// Shows them.
#[derive(Debug, Args)]
pub struct Show {
    /// The tenant's id
    pub tenant: String,
    /// The list's name; without it all
    pub list: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Takes one away.
#[derive(Debug, Args)]
pub struct Drop {
    #[command(flatten)]
    named: Named,
    /// Why; for the audit
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Does it.
pub fn run(args: &List, out: Out) -> Result<(), Failure> {
    match &args.deed {
        Deed::Put(args) => put(args, out),
        Deed::Show(args) => show(args, out),
        Deed::Drop(args) => take_away(args, out),
    }
}

fn put(args: &Put, out: Out) -> Result<(), Failure> {
    let Named {
        tenant,
        list,
        key,
        server,
    } = &args.named;
    let api = server.connect(tenant, Role::Editor)?;
    let query = [
        ("of", args.pseudonyms.then(|| "pseudonyms".to_owned())),
        ("empty", args.empty.then(|| "true".to_owned())),
    ];
    let ask = Ask {
        path: &[tenant, "lists", list],
        query: &query,
    };
    let done = api.put_file(ask, key.as_deref(), &args.file)?;
    if out.json {
        return out.value(&done);
    }
    for reject in done["rejects"].as_array().into_iter().flatten() {
        let why = reject["why"].as_str().unwrap_or_default();
        out.note(format!("{}:{}: {why}", args.file.display(), reject["line"]));
    }
    out.line(format!(
        "{tenant}/{list}: {} members of {} lines ({} twice or more, {} rejected; audit entry {})",
        done["added"], done["rows"], done["duplicates"], done["rejected"], done["audit"]
    ))
}

fn show(args: &Show, out: Out) -> Result<(), Failure> {
    let api = args.server.connect(&args.tenant, Role::Viewer)?;
    let ask = Ask {
        path: &[&args.tenant, "lists"],
        query: &[],
    };
    let found = api::json(api.get(ask)?)?;
    let mut lists = found["lists"].as_array().cloned().unwrap_or_default();
    if let Some(name) = &args.list {
        lists.retain(|list| list["list"].as_str() == Some(name));
        if lists.is_empty() {
            let message = format!("{} has no list `{name}`", args.tenant);
            return Err(Failure::check("no-such-list", message));
        }
    }
    if out.json {
        return out.value(&lists);
    }
    for list in &lists {
        out.line(told(list))?;
    }
    if lists.is_empty() {
        out.note("there are no lists");
    }
    Ok(())
}

fn told(list: &Json) -> String {
    let text = |name: &str| list[name].as_str().unwrap_or_default();
    let (name, members) = (text("list"), &list["members"]);
    if text("from") == "file" {
        return format!("{name}: {members} members, from the file lists/{name}.csv");
    }
    let hides = if list["hides_file"] == json!(true) {
        ", above the file of its name"
    } else {
        ""
    };
    format!(
        "{name}: {members} members, in the store since {} by {}{hides} (sha256 {})",
        text("at"),
        text("by"),
        text("sha256")
    )
}

fn take_away(args: &Drop, out: Out) -> Result<(), Failure> {
    let Named {
        tenant,
        list,
        key,
        server,
    } = &args.named;
    let api = server.connect(tenant, Role::Editor)?;
    let ask = Ask {
        path: &[tenant, "lists", list, "drop"],
        query: &[],
    };
    let body = args
        .reason
        .as_ref()
        .map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    let done = api.post(ask, key.as_deref(), &body)?;
    if out.json {
        return out.value(&done);
    }
    out.line(format!(
        "{tenant}/{list}: not in the store any more (audit entry {})",
        done["audit"]
    ))
}
