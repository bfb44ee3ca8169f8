//! One crypto provider, aws-lc-rs: with two in a build, rustls panics at the first TLS use.
//!
//! cargo-deny says the same (deny.toml); this check needs no tool but cargo, so it also runs at a desk.

use miette::Result;

use crate::check::{Repo, Verdict};
use crate::tree::{self, Entry};

const WORKSPACE: &[&str] = &["--workspace", "--all-features", "--target", "all"];

const BANS: &[(&str, &str)] = &[
    (
        "ring",
        "a second crypto provider: turn on the crate's aws-lc-rs feature instead",
    ),
    (
        "rsa",
        "RUSTSEC-2023-0071, a timing side channel without a fix: turn on the crate's aws-lc-rs feature instead",
    ),
    (
        "openssl-sys",
        "a second TLS library: turn on the crate's rustls feature instead",
    ),
    (
        "native-tls",
        "a second TLS library: turn on the crate's rustls feature instead",
    ),
];

/// Checks the whole workspace, tests and all platforms included.
pub fn check(_repo: &Repo) -> Result<Verdict> {
    let entries = tree::entries(WORKSPACE)?;
    let problems = banned(&entries)
        .into_iter()
        .map(|(entry, reason)| {
            format!(
                "{} is {reason}. It comes in by\n{}",
                entry.name,
                tree::way_to(WORKSPACE, entry)
            )
        })
        .collect();
    let names: Vec<&str> = BANS.iter().map(|(name, _)| *name).collect();
    Ok(Verdict {
        looked_at: format!(
            "none of {} among {} crates",
            names.join(", "),
            entries.len()
        ),
        problems,
        ..Verdict::default()
    })
}

fn banned(entries: &[Entry]) -> Vec<(&Entry, &'static str)> {
    entries
        .iter()
        .filter_map(|entry| {
            let (_, reason) = BANS.iter().find(|(name, _)| *name == entry.name)?;
            Some((entry, *reason))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_provider_is_found() {
        let entries = tree::read(
            "gateway v0.1.0 (/repo)|\naws-lc-rs v1.0.0|default\nring v0.17.0|\nring-buffer v1.0.0|\n",
        );
        let found: Vec<&str> = banned(&entries)
            .iter()
            .map(|(entry, _)| entry.name.as_str())
            .collect();
        assert_eq!(found, ["ring"]);
    }
}
