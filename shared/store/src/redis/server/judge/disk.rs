//! What a crash of the process or of the machine costs.

use machine::model::Durability;

use super::super::super::address::Address;
use super::super::{Finding, Fsync, Server, Settings, Severity};
use super::is_asserted;

pub fn judge(server: &Server, address: &Address) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(no_aof(server, address));
    if let Some(settings) = server.settings.filter(|_| server.persistence.aof) {
        all.extend(flushing(settings));
        all.extend(rewriting(settings));
        all.extend(torn(settings));
    }
    all.extend(empty_restart(server));
    all.extend(health(server));
    all
}

fn no_aof(server: &Server, address: &Address) -> Option<Finding> {
    if server.persistence.aof {
        return None;
    }
    let says = "it has no append-only file (appendonly no)";
    Some(if is_asserted(server, address) {
        // Some services keep a log of their own and say this all the same.
        Finding::new(
            "no-aof",
            Severity::Warn,
            format!("{says}, and `accept=unverified` vouches that it keeps what it acknowledges"),
        )
    } else {
        Finding::new("no-aof", Severity::UnderDurable, says)
            .denies(Durability::Standard)
            .loses("Every crash loses all grants since the last snapshot: minutes, or all there are. Measured: all of 20,709 to 27,513 acknowledged commits.")
            .way_out("run `CONFIG SET appendonly yes` on the running server FIRST, wait until INFO says aof_rewrite_in_progress:0, then write `appendonly yes` into redis.conf: a restart with that line but without the file starts EMPTY")
    })
}

fn flushing(settings: Settings) -> Option<Finding> {
    match settings.fsync {
        Fsync::Always => None,
        Fsync::EverySecond => Some(
            Finding::new("fsync-everysec", Severity::UnderDurable, "it flushes to the disk once a second (appendfsync everysec)")
                .denies(Durability::Strict)
                .loses("A killed process loses nothing while the disk keeps up, and up to 0.8 s when it is slow (258 to 6,660 acknowledged commits measured); a power cut loses up to 2 s (925 to 7,217 measured). Enough for points and streaks, not for limited stock.")
                .way_out("appendfsync always"),
        ),
        Fsync::No => Some(
            Finding::new("fsync-no", Severity::UnderDurable, "it never asks the disk to flush (appendfsync no)")
                .denies(Durability::Standard)
                .loses("A power cut loses what the kernel had not written back, about 30 s of grants; measured: all of them.")
                .way_out("appendfsync always"),
        ),
    }
}

fn rewriting(settings: Settings) -> Option<Finding> {
    (settings.unsynced_on_rewrite && settings.fsync != Fsync::No).then(|| {
        Finding::new(
            "rewrite-unsynced",
            Severity::UnderDurable,
            "it does not flush while it rewrites its file or saves a snapshot (no-appendfsync-on-rewrite yes)",
        )
        .denies(Durability::Standard)
        .loses("A power cut in that time, minutes on a large server, loses what `appendfsync no` loses: about 30 s of grants.")
        .way_out("no-appendfsync-on-rewrite no")
    })
}

fn torn(settings: Settings) -> Option<Finding> {
    // Seen with 7.0.15: of a transaction that a power cut tore it drops the end only, and at the start after that takes what
    // is left for a part of the transaction that came next.
    settings.load_truncated.then(|| {
        Finding::new(
            "torn-tail-kept",
            Severity::Warn,
            "after a power cut it starts on a torn file by itself (aof-load-truncated yes)",
        )
        .loses("What is left of a commit that was torn comes true with a later restart: a ledger row without its record.")
        .way_out("aof-load-truncated no; where it then refuses to start, `redis-check-aof --fix` on the file's manifest first")
    })
}

/// The one mistake that empties replicas as well.
fn empty_restart(server: &Server) -> Option<Finding> {
    let settings = server.settings?;
    let forgets = !server.persistence.aof && !settings.snapshots;
    forgets.then(|| {
        let copies = server.replicas.len();
        Finding::new(
            "empty-restart-danger",
            Severity::UnderDurable,
            "a restart brings it back empty (no append-only file, no snapshots)",
        )
        .denies(Durability::Standard)
        .loses(if copies == 0 {
            "Everything.".to_owned()
        } else {
            format!("Everything, and its {copies} replicas copy the emptiness.")
        })
        .way_out(
            "appendonly yes, as said under no-aof; until then let nothing restart it by itself",
        )
    })
}

fn health(server: &Server) -> Vec<Finding> {
    let is = server.persistence;
    let mut all = Vec::new();
    if is.loading {
        all.push(Finding::new(
            "loading",
            Severity::Warn,
            "it is still reading its files, and refuses commits until it has",
        ));
    }
    if !is.aof_write_ok {
        all.push(
            Finding::new(
                "aof-write-failed",
                Severity::UnderDurable,
                "its last write to the append-only file failed (aof_last_write_status:err)",
            )
            .denies(Durability::Standard)
            .loses(
                "What it holds in memory only, with its next crash. It refuses commits meanwhile.",
            )
            .way_out("make room on its disk; it goes on by itself"),
        );
    }
    if is.aof && !is.aof_rewrite_ok {
        all.push(
            Finding::new(
                "aof-rewrite-failed",
                Severity::Warn,
                "it could not rewrite its append-only file (aof_last_bgrewrite_status:err), which grows until it can",
            )
            .way_out("see that memory and disk have room for a second copy, then `BGREWRITEAOF`"),
        );
    }
    if !is.snapshot_ok {
        all.push(
            Finding::new(
                "snapshot-failed",
                Severity::Warn,
                "its last snapshot failed (rdb_last_bgsave_status:err); unless stop-writes-on-bgsave-error is no, it refuses commits",
            )
            .way_out("make room on its disk, then `BGSAVE`"),
        );
    }
    all
}
