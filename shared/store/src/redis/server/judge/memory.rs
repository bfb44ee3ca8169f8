//! What happens when memory is full.

use machine::model::Durability;

use super::super::super::address::Address;
use super::super::{Finding, Server, Severity};
use super::{accepts, is_asserted};

/// From this share of the limit on an operator should act, in percent: a campaign's rush fills the rest in hours.
const HIGH_PERCENT: u64 = 70;

pub fn judge(server: &Server, address: &Address) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(eviction(server, address));
    all.extend(high(server));
    all.extend(unlimited(server));
    all
}

fn eviction(server: &Server, address: &Address) -> Option<Finding> {
    let Some(policy) = &server.memory.policy else {
        return (!is_asserted(server, address)).then(|| {
            Finding::new(
                "eviction-unknown",
                Severity::UnderDurable,
                "it does not say what it does when its memory is full",
            )
            .denies(Durability::Standard)
            .way_out("see that it is noeviction, then add `accept=unverified` to the address")
        });
    };
    if policy == "noeviction" {
        return None;
    }
    let when = if server.memory.limit == 0 {
        "; no limit is set today, and the day one is set it begins"
    } else {
        ""
    };
    let says = format!(
        "it deletes what it holds when its memory is full (maxmemory-policy {policy}){when}"
    );
    let accepted = accepts(address, "eviction");
    let finding = if accepted {
        Finding::new(
            "eviction",
            Severity::UnderDurable,
            format!("{says}: `accept=eviction` takes that on"),
        )
        .denies(Durability::Strict)
    } else {
        Finding::new("eviction", Severity::Refuse, says).denies(Durability::Standard)
    };
    Some(
        finding
            .loses("Participants, their grants and their remembered answers disappear without a word: chances are spent again, prizes given again. Measured: 12,542 of 20,000 records gone under allkeys-lru, 11,693 under volatile-lru, none under noeviction, which refuses new ones instead.")
            .way_out(if accepted {
                "CONFIG SET maxmemory-policy noeviction, and the same line in redis.conf"
            } else {
                "CONFIG SET maxmemory-policy noeviction, and the same line in redis.conf; or, for campaigns without stock, `accept=eviction` in the address"
            }),
    )
}

fn high(server: &Server) -> Option<Finding> {
    let memory = &server.memory;
    let (most, whose) = if memory.limit == 0 {
        (memory.machine, "the machine")
    } else {
        (memory.limit, "maxmemory")
    };
    // A used percentage needs no more than the quotient: u64 bytes times 100 may not fit.
    let percent = (u128::from(memory.used) * 100)
        .checked_div(u128::from(most))
        .unwrap_or(0);
    (percent >= u128::from(HIGH_PERCENT)).then(|| {
        Finding::new(
            "memory-high",
            Severity::Warn,
            format!("it uses {percent} % of {whose}"),
        )
        .loses("Nothing; at 100 % every commit is refused and users see 503. A rewrite of its file needs room for a copy too.")
        .way_out("more memory, or `gala purge` campaigns whose retention is over")
    })
}

fn unlimited(server: &Server) -> Option<Finding> {
    (server.memory.limit == 0).then(|| {
        Finding::new(
            "no-memory-limit",
            Severity::Note,
            "it has no memory limit (maxmemory 0)",
        )
        .loses("When the machine's memory is full the kernel kills it, instead of it refusing commits.")
        .way_out("maxmemory at 60 % of the machine's memory")
    })
}
