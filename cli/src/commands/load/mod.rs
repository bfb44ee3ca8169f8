//! `gala load`: plays a scenario against a running target, judges what was promised, and says go or no-go.

mod after;
mod keys;
mod play;
mod player;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::out::Out;

/// Plays a load test before launch: invented users, open-loop, against a running target, and a judge who keeps books
///
/// Exit code 0: go. 4: nothing but limits was missed. 1: a promise was broken, calls failed, or nobody could judge.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Load {
    #[command(subcommand)]
    after: Option<After>,
    #[command(flatten)]
    play: Option<play::Play>,
}

#[derive(Debug, Subcommand)]
enum After {
    Merge(after::Merge),
    Compare(after::Compare),
}

/// Plays, merges or compares.
pub fn run(load: &Load, out: Out) -> Result<(), Failure> {
    match (&load.after, &load.play) {
        (Some(After::Merge(merge)), _) => after::merge(merge, out),
        (Some(After::Compare(compare)), _) => after::compare(compare, out),
        (None, Some(play)) => play::run(play, out),
        (None, None) => Err(Failure::usage(
            "say which scenario: `gala load loadtest/scenarios/smoke.yaml --target http://127.0.0.1:8080`",
        )),
    }
}
