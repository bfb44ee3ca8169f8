//! What the doctor says of a Redis: what it is, what it gives to the campaigns here, and each setting that can lose
//! something.

use machine::model::Durability;
use store::redis::address::Address;
use store::redis::link::{LinkError, Links};
use store::redis::server::{Gives, Role, Server, Severity, look as look_at};

use super::{Finding, More, found};
use crate::failure::Failure;
use crate::folder::Folder;

/// What a look at a Redis found.
pub struct Looked {
    pub findings: Vec<Finding>,
    /// How far this machine's clock is ahead of the server's, in milliseconds; none: it could not be reached.
    pub clock_ahead_ms: Option<i64>,
}

/// Looks at the Redis at `url`, and at what `campaigns` declare.
///
/// # Errors
/// An address that can't be understood.
pub fn look(url: &str, campaigns: Option<&Folder>) -> Result<Looked, Failure> {
    let address: Address = url
        .parse()
        .map_err(|error| Failure::usage(format!("--store or GALA_STORE: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable("runtime", error.to_string()))?;
    Ok(match runtime.block_on(ask(&address)) {
        Ok(server) => Looked {
            findings: told(&server, &address, campaigns),
            clock_ahead_ms: Some(server.clock_ahead_ms),
        },
        Err(error) => Looked {
            findings: vec![found("store", Err(format!("{address}: {error}")))],
            clock_ahead_ms: None,
        },
    })
}

async fn ask(address: &Address) -> Result<Server, LinkError> {
    look_at(&Links::open(address).await?, address).await
}

fn told(server: &Server, address: &Address, campaigns: Option<&Folder>) -> Vec<Finding> {
    let gives = server.gives(address);
    let wanting = campaigns.map_or_else(Vec::new, |folder| left_out(&gives, folder));
    let mut findings = vec![
        found("store", Ok(introduced(server, address))),
        found("durability", durability(&gives, &wanting)),
    ];
    let judged = server.findings(address).into_iter().map(|finding| {
        // What takes nothing from the campaigns that are here is a warning.
        let hurts = finding.denies == Some(Durability::Standard)
            || (finding.denies == Some(Durability::Strict) && !wanting.is_empty());
        Finding {
            check: finding.code,
            ok: !hurts && finding.severity != Severity::Refuse,
            message: finding.says,
            more: Some(More {
                severity: finding.severity,
                loses: finding.loses,
                way_out: finding.way_out,
            }),
        }
    });
    findings.extend(judged);
    findings
}

fn introduced(server: &Server, address: &Address) -> String {
    let role = match server.role {
        Role::Primary => "primary",
        Role::Replica => "replica",
    };
    let online = server
        .replicas
        .iter()
        .filter(|replica| replica.online)
        .count();
    let memory = &server.memory;
    let limit = if memory.limit == 0 {
        "no limit".to_owned()
    } else {
        mebibytes(memory.limit)
    };
    format!(
        "{address} is {} {}, {role}, run id {:.8}, {online} of {} replicas online, {} waited for, {} used of {limit}",
        server.product,
        server.version,
        server.run_id,
        server.replicas.len(),
        address.replicas,
        mebibytes(memory.used),
    )
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Which campaigns declare more than is given.
fn left_out(gives: &Gives, folder: &Folder) -> Vec<String> {
    let declared = folder.campaigns().filter_map(|(tenant, campaign)| {
        let definition = campaign.definition.as_ref()?;
        gives.falls_short(definition.durability)?;
        Some(format!("{tenant}/{}", campaign.id))
    });
    declared.collect()
}

fn durability(gives: &Gives, wanting: &[String]) -> Result<String, String> {
    let given = match gives.best {
        Some(Durability::Strict) => "strict",
        Some(Durability::Standard) => "standard at most",
        None => "nothing that a campaign can declare",
    };
    let word = if gives.verified { "" } else { " (unverified)" };
    let said = format!("it gives {given}{word}");
    if gives.best.is_none() || !wanting.is_empty() {
        let whom = if wanting.is_empty() {
            String::new()
        } else {
            format!("; not answered: {}", wanting.join(", "))
        };
        return Err(format!("{said}{whom}"));
    }
    Ok(said)
}
