//! The fuzz targets stand apart from the workspace, with a `Cargo.lock` of their own, and no build of the workspace looks at
//! it: a dependency that a crate of ours takes on would leave it behind, unseen until somebody fuzzes.

use cargo_metadata::{CargoOpt, Error, MetadataCommand};
use miette::{IntoDiagnostic, Result};

use crate::check::{Repo, Verdict};

/// Checks that the lock has all that the fuzz targets need now.
pub fn check(repo: &Repo) -> Result<Verdict> {
    let read = MetadataCommand::new()
        .current_dir(repo.root.join("fuzz"))
        .features(CargoOpt::AllFeatures)
        .other_options(vec!["--locked".to_owned()])
        .exec();
    match read {
        Ok(metadata) => Ok(Verdict {
            looked_at: format!("{} packages", metadata.packages.len()),
            ..Verdict::default()
        }),
        Err(Error::CargoMetadata { stderr }) if stderr.contains("--locked") => Ok(Verdict {
            problems: vec![
                "fuzz/Cargo.lock is behind: run `cargo metadata --format-version 1 >/dev/null` in fuzz/ and commit it"
                    .to_owned(),
            ],
            ..Verdict::default()
        }),
        Err(error) => Err(error).into_diagnostic(),
    }
}
