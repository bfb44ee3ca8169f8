//! `gala check`: all that is wrong with configs, at once.

use std::path::PathBuf;

use campaign::{Diagnostics, Language};
use clap::Args;

use crate::failure::Failure;
use crate::folder;
use crate::out::Out;
use crate::show;
use crate::speak::Speak;

/// Checks configs and says all that is wrong with them (exit code 1 if there is an error)
#[derive(Debug, Args)]
pub struct Check {
    /// A configs folder, a tenant's folder, or a campaign's file
    #[arg(value_name = "PATH", default_value = "configs")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub speak: Speak,
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
    let language = args.speak.language(out);
    let said = all.in_language(language);
    if out.json {
        out.value(&said.to_json())?;
    } else {
        show::diagnostics(out, &said, language)?;
    }
    let counted = show::counted(&all, language);
    out.note(match (language, campaigns) {
        (Language::English, 1) => format!("1 campaign checked: {counted}"),
        (Language::English, _) => format!("{campaigns} campaigns checked: {counted}"),
        (Language::Chinese, _) => format!("已检查 {campaigns} 个活动：{counted}"),
    });
    if all.has_errors() {
        Err(Failure::red())
    } else {
        Ok(())
    }
}
