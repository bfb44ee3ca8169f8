//! `gala man`: the manual, a page for each command.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man as Page;

use crate::Cli;
use crate::failure::Failure;
use crate::out::Out;

/// Writes manual pages, one for each command: `gala man --out DIR`, then `man -l DIR/gala.1`
#[derive(Debug, Args)]
pub struct Man {
    /// The folder to write them to; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Writes.
pub fn run(args: &Man, out: Out) -> Result<(), Failure> {
    let mut command = Cli::command();
    // So that each command knows what comes from above: `--json`.
    command.build();
    fs::create_dir_all(&args.out).map_err(|error| failed(&args.out, &error))?;
    let mut written = Vec::new();
    pages(&command, "gala", &args.out, &mut written)?;
    if out.json {
        return out.value(&written);
    }
    for path in &written {
        out.line(path)?;
    }
    Ok(())
}

fn pages(
    command: &Command,
    name: &str,
    folder: &Path,
    written: &mut Vec<String>,
) -> Result<(), Failure> {
    let path = folder.join(format!("{name}.1"));
    let mut text = Vec::new();
    let page = Page::new(command.clone()).render(&mut text);
    page.and_then(|()| fs::write(&path, &text))
        .map_err(|error| failed(&path, &error))?;
    written.push(path.display().to_string());
    for below in command.get_subcommands() {
        if below.get_name() != "help" {
            pages(
                below,
                &format!("{name}-{}", below.get_name()),
                folder,
                written,
            )?;
        }
    }
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unreachable(
        "output",
        format!("{} can't be written: {error}", path.display()),
    )
}
