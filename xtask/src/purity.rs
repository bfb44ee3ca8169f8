//! The pure crates never learn of Redis, HTTP, chance or the time of day.
//!
//! Looked at crate by crate: in a build of the whole workspace features are joined, so it proves nothing.
//! What they call in `std` is forbidden by their clippy.toml.

use std::collections::BTreeSet;

use miette::Result;

use crate::check::{Repo, Verdict};
use crate::tree::{self, Entry};

/// What a pure crate must not be built with.
struct Ban {
    name: &'static str,
    /// Only with one of these features; empty: at all.
    features: &'static [&'static str],
    reason: &'static str,
}

const fn whole(name: &'static str, reason: &'static str) -> Ban {
    Ban {
        name,
        features: &[],
        reason,
    }
}

const RUNTIME: &str =
    "an async runtime means I/O: decide in the pure crate, act in `function` or `store`";
const NETWORK: &str = "the network belongs to `function`, `store` and `gateway`";
const CHANCE: &str = "chance is an argument: take the seed from the caller; `function` draws it";
const CLOCK: &str = "time is an argument: take it from the caller; `function` reads the clock";
const FILES: &str = "files are read by the caller, who passes the text";

const BANS: &[Ban] = &[
    whole("tokio", RUNTIME),
    whole("mio", RUNTIME),
    whole("async-std", RUNTIME),
    whole("smol", RUNTIME),
    whole("socket2", NETWORK),
    whole("redis", NETWORK),
    whole("hyper", NETWORK),
    whole("reqwest", NETWORK),
    whole("axum", NETWORK),
    whole("rustls", NETWORK),
    whole("getrandom", CHANCE),
    whole("fastrand", CHANCE),
    whole("iana-time-zone", CLOCK),
    whole("tempfile", FILES),
    Ban {
        name: "chrono",
        features: &["clock", "now", "wasmbind"],
        reason: CLOCK,
    },
    Ban {
        name: "rand",
        features: &["sys_rng", "os_rng", "thread_rng", "std_rng"],
        reason: CHANCE,
    },
    Ban {
        name: "rand_core",
        features: &["os_rng", "getrandom"],
        reason: CHANCE,
    },
    Ban {
        name: "uuid",
        features: &["v1", "v4", "v6", "v7", "rng"],
        reason: CHANCE,
    },
    Ban {
        name: "serde-saphyr",
        features: &["include_fs"],
        reason: FILES,
    },
];

const PARSERS: &str =
    "a packaged function reads compiled campaigns: keep it behind campaign's feature `yaml`";

/// What `campaign` must not be built with when its feature `yaml` is off.
const PARSER_BANS: &[Ban] = &[
    whole("cel", PARSERS),
    whole("antlr4rust", PARSERS),
    whole("serde-saphyr", PARSERS),
    whole("granit-parser", PARSERS),
    whole("annotate-snippets", PARSERS),
    whole("schemars", PARSERS),
    Ban {
        name: "miette",
        features: &["fancy"],
        reason: "drawing for terminals is the command line's: only the YAML parser may bring it in",
    },
];

/// A way to build a pure crate.
struct Build {
    name: &'static str,
    args: &'static [&'static str],
    more: &'static [Ban],
}

/// With all features, because each feature only adds; campaign also without any.
const BUILDS: &[Build] = &[
    Build {
        name: "machine",
        args: &["-p", "machine", "--all-features"],
        more: &[],
    },
    Build {
        name: "blocks",
        args: &["-p", "blocks", "--all-features"],
        more: &[],
    },
    Build {
        name: "campaign",
        args: &["-p", "campaign", "--all-features"],
        more: &[],
    },
    Build {
        name: "campaign without yaml",
        args: &["-p", "campaign", "--no-default-features"],
        more: PARSER_BANS,
    },
];

/// The parsers, and what only they bring, among what something is built with; each with what to do about it.
pub fn parsers(entries: &[Entry]) -> Vec<(&Entry, &'static str)> {
    let found = broken(entries, PARSER_BANS.iter()).into_iter();
    found.map(|(entry, ban)| (entry, ban.reason)).collect()
}

/// Checks each pure crate's own tree.
pub fn check(_repo: &Repo) -> Result<Verdict> {
    let mut said = Vec::new();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for build in BUILDS {
        let args = [build.args, &["-e", "normal,build"]].concat();
        let entries = tree::entries(&args)?;
        for (entry, ban) in broken(&entries, BANS.iter().chain(build.more)) {
            // What machine is built with, blocks and campaign are too: said once, where it comes in.
            let what = with_features(entry, ban);
            if seen.insert((what.clone(), entry.version.clone())) {
                problems.push(format!(
                    "{} is built with {what}: {}. It comes in by\n{}",
                    build.name,
                    ban.reason,
                    tree::way_to(&args, entry)
                ));
            }
        }
        said.push(format!("{} ({} crates)", build.name, entries.len()));
    }
    Ok(Verdict {
        looked_at: said.join(", "),
        problems,
        ..Verdict::default()
    })
}

fn broken<'a>(
    entries: &'a [Entry],
    bans: impl Iterator<Item = &'a Ban>,
) -> Vec<(&'a Entry, &'a Ban)> {
    bans.flat_map(|ban| {
        entries
            .iter()
            .filter(move |entry| {
                entry.name == ban.name
                    && (ban.features.is_empty() || found(entry, ban).next().is_some())
            })
            .map(move |entry| (entry, ban))
    })
    .collect()
}

fn found<'a>(entry: &'a Entry, ban: &'a Ban) -> impl Iterator<Item = &'a str> {
    entry
        .features
        .iter()
        .map(String::as_str)
        .filter(|feature| ban.features.contains(feature))
}

fn with_features(entry: &Entry, ban: &Ban) -> String {
    let features: Vec<String> = found(entry, ban)
        .map(|feature| format!("{}/{feature}", entry.name))
        .collect();
    if features.is_empty() {
        entry.name.clone()
    } else {
        features.join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(listing: &str) -> Vec<String> {
        broken(&tree::read(listing), BANS.iter())
            .into_iter()
            .map(|(entry, ban)| with_features(entry, ban))
            .collect()
    }

    #[test]
    fn a_pure_tree_passes() {
        let listing = "machine v0.1.0 (/repo)|\nchrono v0.4.45|alloc,serde,std\nrand v0.10.4|chacha\nchacha20 v0.10.2|rng\n";
        assert_eq!(said(listing), [""; 0]);
    }

    #[test]
    fn a_runtime_a_clock_and_the_systems_randomness_are_found() {
        let listing = "machine v0.1.0 (/repo)|\ntokio v1.54.1|net\nchrono v0.4.45|alloc,clock,now\nrand v0.10.4|chacha,sys_rng (*)\n\
                       getrandom v0.4.3|\n";
        assert_eq!(
            said(listing),
            [
                "tokio",
                "getrandom",
                "chrono/clock and chrono/now",
                "rand/sys_rng"
            ]
        );
    }

    #[test]
    fn without_yaml_the_parsers_are_found() {
        let entries =
            tree::read("campaign v0.1.0 (/repo)|\ncel v0.15.0|\nmiette v7.6.0|default,derive\n");
        let found = broken(&entries, PARSER_BANS.iter());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0.name, "cel");
    }
}
