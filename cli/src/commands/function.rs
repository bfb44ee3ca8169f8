//! `gala function`: one activity as a function, by this very program. A packaged function is the activity's own small binary, which
//! does the same.

use std::process::ExitCode;

use clap::Args;

use crate::activities;
use crate::failure::Failure;

/// Runs one activity as a function, as its own program does: on the host that it finds itself on
///
/// Everything is in the environment: GALA_HOST, GALA_CONFIGS, GALA_STORE, GALA_DATA, GALA_GATEWAY_KEY, PORT. See docs/HOSTS.md.
#[derive(Debug, Args)]
pub struct Function {
    /// The activity's id
    pub activity: String,
}

/// Runs it until it is told to stop.
pub fn run(args: &Function) -> Result<(), Failure> {
    let known = || activities::ALL.iter().map(|activity| activity.id());
    let activity = activities::ALL
        .iter()
        .find(|activity| activity.id() == args.activity)
        .ok_or_else(|| {
            let known: Vec<&str> = known().collect();
            let why = format!(
                "there is no activity `{}`; there are {}",
                args.activity,
                known.join(", ")
            );
            Failure::usage(why)
        })?;
    // What is wrong is in its log by then.
    match function::serve(*activity) {
        code if code == ExitCode::SUCCESS => Ok(()),
        _ => Err(Failure::unreachable("function", "")),
    }
}
