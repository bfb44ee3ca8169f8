//! From what a server said to what an operator should know. Pure: one function for each subject, each line a reason.
//!
//! Figures were measured with eight clients that write one small commit after another; `docs/OPERATIONS.md` has them all.

mod disk;
mod memory;
mod replicas;

use machine::model::Durability;

use super::super::address::{Address, Shape};
use super::{Finding, Role, Server, Severity, Version};

/// Everything, subject by subject.
pub fn all(server: &Server, address: &Address) -> Vec<Finding> {
    if server.version < Version::OLDEST {
        // What such a server says of the rest is not worth judging.
        return vec![too_old(server)];
    }
    let mut all = Vec::new();
    all.extend(holes(server));
    all.extend(role(server, address));
    all.extend(unreadable(server, address));
    all.extend(disk::judge(server, address));
    all.extend(replicas::judge(server, address));
    all.extend(memory::judge(server, address));
    all
}

/// Whether the operator has accepted a danger by its name.
fn accepts(address: &Address, danger: &str) -> bool {
    address.accepted.iter().any(|accepted| accepted == danger)
}

/// Whether the operator's word stands in for settings that can't be read.
fn is_asserted(server: &Server, address: &Address) -> bool {
    server.settings.is_none() && accepts(address, "unverified")
}

fn too_old(server: &Server) -> Finding {
    Finding::new(
        "old-version",
        Severity::Refuse,
        format!("it is version {}, and Gala needs {} or later", server.version, Version::OLDEST),
    )
    .denies(Durability::Standard)
    .loses("Older versions don't know the scripts that refuse undeclared keys: a commit could fail half-way.")
    .way_out("upgrade the server")
}

fn holes(server: &Server) -> Option<Finding> {
    if server.product != "redis" {
        return Some(
            Finding::new(
                "other-product",
                Severity::Note,
                format!(
                    "it is {} (compatible with Redis {}), which Gala is not tested with",
                    server.product, server.version
                ),
            )
            .way_out("see that it has the mends for CVE-2025-49844"),
        );
    }
    let open = !server.version.is_mended();
    open.then(|| {
        Finding::new(
            "old-version",
            Severity::Warn,
            format!(
                "version {} has known holes in its Lua (CVE-2025-49844 and others), unless your distribution has mended it",
                server.version
            ),
        )
        .loses("Whoever may log in and run scripts can take over the server.")
        .way_out("upgrade to 7.2.11, 7.4.6, 8.0.4, 8.2.2 or later; until then let nobody but Gala log in (see the ACL in deploy/redis.conf)")
    })
}

fn role(server: &Server, address: &Address) -> Option<Finding> {
    if address.shape == Shape::Cluster {
        return Some(Finding::new(
            "one-node-seen",
            Severity::Note,
            "one node of the cluster was looked at; the others must be set up as it is",
        ));
    }
    if server.in_cluster {
        return Some(
            Finding::new(
                "cluster-unnamed",
                Severity::UnderDurable,
                "it is a node of a cluster, and the address does not say so",
            )
            .denies(Durability::Standard)
            .way_out("use a redis-cluster:// address"),
        );
    }
    (server.role == Role::Replica).then(|| {
        Finding::new(
            "not-primary",
            Severity::UnderDurable,
            "it is a replica: it takes no commits",
        )
        .denies(Durability::Standard)
        .way_out("name the primary, or let the sentinels name it")
    })
}

fn unreadable(server: &Server, address: &Address) -> Option<Finding> {
    if server.settings.is_some() {
        return None;
    }
    let says = "its settings can't be read (CONFIG GET is not allowed), so nobody has checked what it keeps";
    let finding = if accepts(address, "unverified") {
        Finding::new(
            "config-unreadable",
            Severity::Warn,
            format!("{says}: `accept=unverified` vouches for it"),
        )
    } else {
        Finding::new("config-unreadable", Severity::UnderDurable, says).denies(Durability::Standard)
    };
    Some(
        finding
            .loses("Whatever its real settings lose.")
            .way_out("let Gala's user run it (`+config|get`); on a managed service, if you know that it flushes before it answers, add `accept=unverified` to the address"),
    )
}

#[cfg(test)]
mod tests;
