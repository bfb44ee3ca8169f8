//! The conformance table: the same app on every host, row by row. A row is what must hold there; a host that cannot carry what a row
//! is about says so. The table that comes out is part of the documentation (`docs/HOSTS.md`) and must agree with it.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod call;
mod cases;
mod echo;
mod fronts;
mod runtime;
mod triggers;

use std::fmt::Write as _;

use fronts::{Front, all};

/// How a row comes out on a host.
pub(crate) enum Verdict {
    Holds,
    /// The host has nothing of the kind.
    NotHere,
}

/// A row: what must hold.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Hosted) -> Result<Verdict, String>,
}

/// A host with the app at its root, and once more with the app below `/api`.
pub(crate) struct Hosted {
    pub(crate) front: Box<dyn Front>,
    pub(crate) below: Box<dyn Front>,
}

/// Fails the row with what was seen.
#[macro_export]
macro_rules! same {
    ($left:expr, $right:expr) => {
        let (left, right) = (&$left, &$right);
        if left != right {
            return Err(format!("line {}: {left:?} is not {right:?}", line!()));
        }
    };
}

#[test]
fn every_host_answers_alike() {
    let hosts: Vec<Hosted> = all("")
        .into_iter()
        .zip(all("/api"))
        .map(|(front, below)| Hosted { front, below })
        .collect();
    let mut table = String::from("| what must hold |");
    for host in &hosts {
        let _ = write!(table, " {} |", host.front.name());
    }
    table += "\n|---|";
    table += &"---|".repeat(hosts.len());
    table += "\n";
    let mut wrong = Vec::new();
    for case in cases::ALL.iter().copied().flatten() {
        let _ = write!(table, "| {} |", case.name);
        for host in &hosts {
            table += match (case.run)(host) {
                Ok(Verdict::Holds) => " yes |",
                Ok(Verdict::NotHere) => " – |",
                Err(why) => {
                    wrong.push(format!("{} on {}: {why}", case.name, host.front.name()));
                    " NO |"
                }
            };
        }
        table += "\n";
    }
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n"));
    let page = include_str!("../../../../docs/HOSTS.md");
    assert!(
        page.contains(&table),
        "docs/HOSTS.md has another table; this is the one:\n{table}"
    );
}
