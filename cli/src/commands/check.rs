//! `gala check`: all that is wrong with configs, at once.

use std::path::PathBuf;

use campaign::Diagnostics;
use clap::Args;

use crate::failure::Failure;
use crate::folder;
use crate::out::Out;
use crate::show;

/// Checks configs and says all that is wrong with them (exit code 1 if there is an error)
#[derive(Debug, Args)]
pub struct Check {
    /// A configs folder, a tenant's folder, or a campaign's file
    #[arg(value_name = "PATH", default_value = "configs")]
    pub paths: Vec<PathBuf>,
}

/// Checks.
pub fn run(args: &Check, out: Out) -> Result<(), Failure> {
    let mut all = Diagnostics::new();
    let mut campaigns = 0;
    for path in &args.paths {
        let folder = folder::load(path)?;
        let said = folder.diagnostics();
        if folder.tenants().is_empty() && said.is_empty() {
            return Err(Failure::usage(format!(
                "there is no tenant's folder in {}",
                path.display()
            )));
        }
        campaigns += folder.campaigns().count();
        all.extend(said);
    }
    all.sort();
    if out.json {
        out.value(&all.to_json())?;
    } else {
        show::diagnostics(out, &all)?;
    }
    let word = if campaigns == 1 {
        "campaign"
    } else {
        "campaigns"
    };
    out.note(format!(
        "{campaigns} {word} checked: {}",
        show::counted(&all)
    ));
    if all.has_errors() {
        Err(Failure::red())
    } else {
        Ok(())
    }
}
