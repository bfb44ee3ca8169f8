//! `gala deploy`: what is packed, and what is left to do.

use std::path::PathBuf;

use clap::Args;

use crate::commands::package::tell;
use crate::failure::Failure;
use crate::out::Out;
use crate::packing::plan::{self, Plan};

/// Shows how packed functions are deployed: sizes, variables to set, triggers, the commands of the platform's own tool
///
/// Gala holds no account of any platform: deploying is their tools' business (scf, sam, docker and kubectl), and this says what
/// to run. Without --dry-run it only says that, and fails (exit code 2). A package that was changed since it was packed is
/// refused (exit code 1).
#[derive(Debug, Args)]
pub struct Deploy {
    /// The folder that `gala package` wrote into, or one function's in it
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Print the plan
    #[arg(long)]
    pub dry_run: bool,
}

/// Shows the plan.
pub fn run(args: &Deploy, out: Out) -> Result<(), Failure> {
    let plans = plan::read(&args.folder)?;
    if plans.is_empty() {
        return Err(Failure::usage(format!(
            "there is no package in {}: `gala package` makes one",
            args.folder.display()
        )));
    }
    for (folder, plan) in &plans {
        if let Some(file) = plan.changed(folder) {
            return Err(Failure::check(
                "changed",
                format!(
                    "{} is not what was packed: package `{}` again",
                    file.display(),
                    plan.function
                ),
            ));
        }
    }
    if args.dry_run {
        return tell(&plans, out);
    }
    let commands = plans
        .iter()
        .flat_map(|(folder, plan)| commands(folder, plan));
    Err(Failure::usage(format!(
        "deploys by the platform's own tool:\n{}\n`gala deploy --dry-run` shows sizes and the variables to set",
        commands.collect::<Vec<_>>().join("\n")
    )))
}

fn commands<'a>(folder: &'a std::path::Path, plan: &'a Plan) -> impl Iterator<Item = String> + 'a {
    let go = std::iter::once(format!("  cd {}", folder.display()));
    go.chain(plan.commands.iter().map(|command| format!("  {command}")))
}
