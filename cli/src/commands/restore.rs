//! `gala restore`: a backup becomes a store.

use std::path::PathBuf;

use clap::Args;
use function::serve::chain;
use serde_json::json;

use crate::failure::Failure;
use crate::out::Out;

/// Makes a store of a backup, in a new or empty folder
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup's folder
    pub from: PathBuf,
    /// The folder of the store to be: new, or empty
    #[arg(long, env = "GALA_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
}

/// Makes it.
pub fn run(args: &Restore, out: Out) -> Result<(), Failure> {
    if !args.from.is_dir() {
        return Err(Failure::usage(format!(
            "{} is no folder",
            args.from.display()
        )));
    }
    let copied = store::log::restore(&args.from, &args.data)
        .map_err(|error| Failure::check("not-restored", chain(&error)))?;
    if out.json {
        return out.value(&json!({ "data": args.data, "bytes": copied.bytes }));
    }
    out.line(format!(
        "restored {} bytes into {}; `gala serve --data {}` goes on from there",
        copied.bytes,
        args.data.display(),
        args.data.display()
    ))
}
