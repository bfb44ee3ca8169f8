//! A ledger row as readers get it: the row itself and the commit it came with.

use std::sync::Arc;

use machine::Millis;
use machine::ids::{CampaignKey, Pseudonym, grant_id};
use machine::ledger::Row;
use machine::model::Sender;
use machine::world::{Attribution, Commit};

/// A row of a campaign's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its number in the campaign's ledger, from 0 without gaps.
    pub number: u64,
    /// Which campaign, edition, lane.
    pub campaign: CampaignKey,
    /// The revision that decided.
    pub revision: u32,
    /// Who.
    pub user: Pseudonym,
    /// Which event; none where only time passed.
    pub event: Option<Arc<str>>,
    /// Who sent it.
    pub sender: Sender,
    /// When it was decided.
    pub at: Millis,
    /// Where it came from.
    pub attribution: Attribution,
    /// What happened.
    pub row: Row,
}

impl LedgerRow {
    /// The rows of a commit.
    pub fn of(commit: &Commit) -> impl Iterator<Item = Self> + '_ {
        (commit.first_row..)
            .zip(&commit.rows)
            .map(|(number, row)| Self {
                number,
                campaign: commit.campaign.clone(),
                revision: commit.revision,
                user: commit.user,
                event: commit.event.clone(),
                sender: commit.sender,
                at: commit.core.now,
                attribution: commit.attribution.clone(),
                row: row.clone(),
            })
    }

    /// The stable id of the grant that this row books, if it books one.
    pub fn grant_id(&self) -> Option<String> {
        match &self.row {
            Row::Grant(grant) => Some(grant_id(
                &self.campaign,
                &self.user,
                &grant.rule,
                grant.period,
                grant.n,
            )),
            Row::Draw(_)
            | Row::Message(_)
            | Row::Hand(_)
            | Row::Amended(_)
            | Row::Entry(_)
            | Row::Raffle(_) => None,
        }
    }
}
