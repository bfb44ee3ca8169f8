//! `gala backup`: a copy of the store, also while it is served.

use std::path::{Path, PathBuf};

use clap::Args;
use function::identity::Role;
use function::serve::chain;
use serde_json::{Value as Json, json};
use store::Store as _;
use store::embedded::OpenError;

use crate::api::{Ask, Server};
use crate::failure::Failure;
use crate::out::Out;

/// Copies everything durable into an empty folder; asks the running server where one holds the store
#[derive(Debug, Args)]
pub struct Backup {
    /// The folder of the store
    #[arg(long, env = "GALA_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// Where to: a new or empty folder
    #[arg(long, value_name = "DEST")]
    pub to: PathBuf,
    /// A tenant with whose publisher's token a running server is asked; without it the first in the alphabet
    #[arg(long)]
    pub tenant: Option<String>,
    /// Where the server is
    #[command(flatten)]
    pub server: Server,
}

/// Copies.
pub fn run(args: &Backup, out: Out) -> Result<(), Failure> {
    // The server works in a folder of its own: only a full path means the same to it.
    let dest = std::path::absolute(&args.to)
        .map_err(|error| Failure::usage(format!("{} is no path: {error}", args.to.display())))?;
    let copied = if let Some(copied) = here(&args.data, &dest)? {
        copied
    } else {
        out.note(format!(
            "{} is held by a running server: asking {}",
            args.data.display(),
            args.server.url
        ));
        by_server(args, &dest)?
    };
    if out.json {
        return out.value(&copied);
    }
    out.line(format!(
        "copied {} bytes into {}, up to change {}",
        copied["bytes"],
        dest.display(),
        copied["last_change"]
    ))
}

/// Copies a store that nobody serves; none if somebody does.
fn here(data: &Path, dest: &Path) -> Result<Option<Json>, Failure> {
    // Opening would make a store where there is none.
    let empty = std::fs::read_dir(data).map(|mut entries| entries.next().is_none());
    match empty {
        Err(error) => {
            return Err(Failure::unreachable(
                "no-store",
                format!("there is no store in {}: {error}", data.display()),
            ));
        }
        Ok(true) => {
            return Err(Failure::unreachable(
                "no-store",
                format!(
                    "there is no store in {}: the folder is empty",
                    data.display()
                ),
            ));
        }
        Ok(false) => {}
    }
    let opened = match store::embedded::open(data) {
        Ok(opened) => opened,
        Err(OpenError::Log(store::log::OpenError::Locked { .. })) => return Ok(None),
        Err(error) => return Err(Failure::unreachable("no-store", chain(&error))),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable("runtime", error.to_string()))?;
    let copied = runtime.block_on(opened.backup(dest.to_owned()));
    let copied = copied.map_err(|error| Failure::check("not-copied", error.to_string()))?;
    Ok(Some(
        json!({ "dest": copied.dest, "last_change": copied.last_change, "bytes": copied.bytes }),
    ))
}

fn by_server(args: &Backup, dest: &Path) -> Result<Json, Failure> {
    let tenant = match (&args.tenant, &args.server.token) {
        (Some(tenant), _) => tenant.clone(),
        // The token says by itself whose it is.
        (None, Some(_)) => String::new(),
        (None, None) => first_tenant(&args.server.configs)?,
    };
    let api = args.server.connect(&tenant, Role::Publisher)?;
    api.post(
        Ask {
            path: &["backup"],
            query: &[],
        },
        None,
        &json!({ "dest": dest }),
    )
}

fn first_tenant(configs: &Path) -> Result<String, Failure> {
    let entries = std::fs::read_dir(configs).map_err(|error| {
        Failure::usage(format!(
            "the configs folder {} can't be read: {error}",
            configs.display()
        ))
    })?;
    let tenants = entries
        .flatten()
        .filter(|entry| entry.path().join("tenant.yaml").is_file());
    let first = tenants
        .filter_map(|entry| entry.file_name().into_string().ok())
        .min();
    first.ok_or_else(|| {
        Failure::usage(format!(
            "there is no tenant in {}: give a token with --token",
            configs.display()
        ))
    })
}
