//! `gala completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::{Shell as Known, generate};

use crate::Cli;
use crate::failure::Failure;
use crate::out::Out;

/// Prints the completions for a shell: `gala completions bash > ~/.local/share/bash-completion/completions/gala`
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The shells that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    /// fish.
    Fish,
}

/// Prints.
pub fn run(args: &Completions, out: Out) -> Result<(), Failure> {
    let shell = match args.shell {
        Shell::Bash => Known::Bash,
        Shell::Zsh => Known::Zsh,
        Shell::Fish => Known::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "gala", &mut script);
    out.text(String::from_utf8_lossy(&script))
}
