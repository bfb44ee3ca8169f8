//! What a failover costs. Replication is asynchronous: only what was waited for is on the replica that is promoted.

use machine::model::Durability;

use super::super::super::address::Address;
use super::super::{Finding, Role, Server, Severity};
use super::accepts;

pub fn judge(server: &Server, address: &Address) -> Vec<Finding> {
    if server.role == Role::Replica {
        return Vec::new();
    }
    let known = server.replicas.len() as u32;
    let online = server
        .replicas
        .iter()
        .filter(|replica| replica.online)
        .count() as u32;
    let mut all = Vec::new();
    all.extend(too_few(online, address));
    all.extend(unwaited(known, address));
    all.extend(written_unanswered(server, address));
    all
}

fn too_few(online: u32, address: &Address) -> Option<Finding> {
    let wanted = address.replicas;
    (online < wanted).then(|| {
        Finding::new(
            "too-few-replicas",
            Severity::UnderDurable,
            format!("{online} replicas follow it, and the address waits for {wanted} (`replicas={wanted}`)"),
        )
        .denies(Durability::Strict)
        .loses("Nothing is lost: `strict` campaigns answer 503 until they are back.")
        .way_out("bring the replicas back; only if one is gone for good and can't be promoted any more, lower `replicas=`")
    })
}

/// A replica that is still being sent its first copy counts: it can be promoted with what it has.
fn unwaited(known: u32, address: &Address) -> Option<Finding> {
    let waited = address.replicas;
    if known <= waited {
        return None;
    }
    let says = format!(
        "it has {known} replicas, and the address waits for {waited} (`replicas={waited}`)"
    );
    if accepts(address, "replicas-unwaited") {
        return Some(Finding::new(
            "replicas-unwaited",
            Severity::Note,
            format!("{says}: `accept=replicas-unwaited` vouches that the rest is never promoted"),
        ));
    }
    Some(
        Finding::new("replicas-unwaited", Severity::UnderDurable, says)
            .denies(Durability::Strict)
            .loses("If a replica that nobody waited for is promoted, acknowledged grants are gone and their units are given again. Measured with a stock of 4,000: 2,676 and 2,401 given twice without waiting, 2,577 when one of two replicas was waited for, 0 when all were.")
            .way_out(format!("`replicas={known}` in the address; or `replica-priority 0` on those that must never be promoted, and `accept=replicas-unwaited` in the address")),
    )
}

/// Without the server's own bound a commit is written, then found to be on too few replicas: its outcome is unknown.
fn written_unanswered(server: &Server, address: &Address) -> Option<Finding> {
    let asked = server.settings?.min_replicas_to_write;
    let wanted = address.replicas;
    if asked > server.replicas.len() as u32 {
        return Some(
            Finding::new(
                "writes-refused",
                Severity::UnderDurable,
                format!("it refuses every write: it wants {asked} replicas (min-replicas-to-write) and knows {}", server.replicas.len()),
            )
            .denies(Durability::Standard)
            .way_out("bring the replicas back"),
        );
    }
    (asked < wanted).then(|| {
        Finding::new(
            "min-replicas",
            Severity::Note,
            format!("it takes writes with fewer replicas than the {wanted} that are waited for (min-replicas-to-write {asked})"),
        )
        .loses("Nothing that was acknowledged. While a replica is away, commits are written and answered `outcome-unknown`, rather than refused.")
        .way_out(format!("min-replicas-to-write {wanted}"))
    })
}
