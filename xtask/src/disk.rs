//! How much room the disk has: what runs out of it half-way fails in places that say nothing of disks.

use std::ffi::OsString;

use crate::step::Step;

const GIB: f64 = (1_u64 << 30) as f64;

/// What a run from nothing writes, in GiB and rounded up (docs/TESTING.md): with what incremental builds keep, and without.
const AT_A_DESK: f64 = 12.0;
const IN_CI: f64 = 6.0;

/// Below this many GiB nothing that fails can be trusted to have failed of itself.
const FULL: f64 = 0.25;

/// Says before a run that it may not have the room it takes.
pub fn before() {
    let Some(free) = free() else { return };
    let incremental = std::env::var_os("CARGO_INCREMENTAL").is_none_or(|set| set != "0");
    let takes = if incremental { AT_A_DESK } else { IN_CI };
    if free < takes {
        eprintln!(
            "warning: {free:.1} GiB of disk are free, and a run from nothing takes {takes:.0}: make room, or name another \
             disk in CARGO_TARGET_DIR"
        );
    }
}

/// Says after a failure that the disk is why, if it is full.
pub fn after() {
    let Some(free) = free() else { return };
    if free < FULL {
        eprintln!(
            "the disk is full ({:.0} MiB are free): make room before you look for another cause",
            free * 1024.0
        );
    }
}

/// GiB free for us where builds write; none where `df` does not say.
fn free() -> Option<f64> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("."));
    let said = Step::new("df").args(["-Pk"]).args([target]).output().ok()?;
    available(&said)
}

/// What `df -Pk` says of one file system, as POSIX lays it out: name, blocks, used, available, ...
fn available(said: &str) -> Option<f64> {
    let row = said.lines().nth(1)?;
    let kib: u64 = row.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib as f64 * 1024.0 / GIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_df_says() {
        let said = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
                    /dev/vda         263174212 15915480  78643200      17% /\n";
        assert_eq!(available(said), Some(75.0));
        for said in ["", "Filesystem\n", "a\nb c d e\n"] {
            assert_eq!(available(said), None, "{said:?}");
        }
    }
}
