//! What a server gives of what campaigns declare. It follows from the findings, so that the two never disagree.

use machine::model::Durability;

use super::super::address::{Address, Shape};
use super::{Finding, Server, Severity, judge};

/// What a server gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gives {
    /// The most a campaign may declare to be answered; none: nothing that can be declared is given.
    pub best: Option<Durability>,
    /// Whether that was read from the server. Where `CONFIG` is blocked it is the operator's word, and in a cluster only
    /// one node's.
    pub verified: bool,
    /// Why it is not `strict`, one sentence for each reason.
    pub because: Vec<String>,
}

impl Gives {
    /// Why a campaign that declares `wanted` can't be answered, in words for staff; none: it can.
    pub fn falls_short(&self, wanted: Durability) -> Option<String> {
        let enough = match (wanted, self.best) {
            (Durability::Standard, Some(_)) | (Durability::Strict, Some(Durability::Strict)) => {
                true
            }
            (Durability::Standard | Durability::Strict, _) => false,
        };
        (!enough).then(|| self.because.join("; "))
    }
}

impl Server {
    /// What must be known about this server when it is used as `address` says, worst first.
    pub fn findings(&self, address: &Address) -> Vec<Finding> {
        let mut all = judge::all(self, address);
        // Stable: within a severity, as judged.
        all.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        all
    }

    /// What it gives to campaigns when used as `address` says.
    ///
    /// `strict` needs `appendfsync always`, no replica that could be promoted beyond those that are waited for, and all of
    /// those there; `standard` needs `everysec`.
    pub fn gives(&self, address: &Address) -> Gives {
        let findings = self.findings(address);
        let denied = |durability| {
            findings
                .iter()
                .any(|finding| finding.denies == Some(durability))
        };
        let best = if denied(Durability::Standard) {
            None
        } else if denied(Durability::Strict) {
            Some(Durability::Standard)
        } else {
            Some(Durability::Strict)
        };
        let because = findings.iter().filter(|finding| finding.denies.is_some());
        Gives {
            best,
            verified: self.settings.is_some() && address.shape != Shape::Cluster,
            because: because
                .map(|finding| format!("{} ({})", finding.says, finding.code))
                .collect(),
        }
    }

    /// Why nothing may be served from it at all, and the way out; none: it may. Asked at the start: what passes by itself
    /// (a replica that is about to be promoted, files being read) is no refusal.
    pub fn refusal(&self, address: &Address) -> Option<String> {
        let refused = self
            .findings(address)
            .into_iter()
            .filter(|finding| finding.severity == Severity::Refuse);
        let told: Vec<_> = refused
            .map(|finding| {
                format!(
                    "{} ({}). {} Way out: {}",
                    finding.says, finding.code, finding.loses, finding.way_out
                )
            })
            .collect();
        (!told.is_empty()).then(|| told.join(" "))
    }
}
