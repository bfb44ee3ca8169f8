//! How a measuring program ends: what it found on standard output, and whether it holds in the exit code.

use std::fmt::Display;
use std::process::ExitCode;

use serde::Serialize;

use crate::Error;

/// Tells what the program `name` found, as JSON or as its table; 0 where it `holds`, 4 where it does not, 1 where nothing was found.
pub fn told<F: Serialize + Display>(
    name: &str,
    found: Result<F, Error>,
    json: bool,
    holds: impl FnOnce(&F) -> bool,
) -> ExitCode {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    };
    if json {
        match serde_json::to_string_pretty(&found) {
            Ok(json) => println!("{json}"),
            Err(error) => eprintln!("{name}: {error}"),
        }
    } else {
        println!("{found}");
    }
    if holds(&found) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(4)
    }
}
