//! A raffle in a forecast: who entered, and once the entries have closed a prize for each who is drawn. What it costs is what it
//! costs if every winner claims; who comes back to claim after play is not played.

use blocks::raffle::{Params, of};
use machine::Draws as _;
use machine::Millis;
use machine::ids::Pseudonym;
use machine::input::{Facts, User};
use machine::ledger::Row;
use machine::model::Definition;
use machine::raffle::{Entries, Told};
use machine::world::Commit;

use super::desk::{Desk, Refusal, Visitor};
use super::dice::Lot;
use super::tally::Tally;

/// The entries of one run.
#[derive(Debug)]
pub(super) struct Raffle {
    params: Params,
    prizes: Vec<(std::sync::Arc<str>, u32)>,
    entries: Entries,
}

impl Raffle {
    pub(super) fn of(definition: &Definition) -> Option<Self> {
        let (params, _) = of(definition)?;
        Some(Self {
            prizes: params.named(definition),
            params,
            entries: Entries::default(),
        })
    }

    /// Takes the entries of a commit.
    pub(super) fn committed(&mut self, commit: &Commit) {
        for row in &commit.rows {
            if let Row::Entry(_) = row {
                // Numbered by itself, one after another: there is no gap.
                let next = self.entries.count();
                let taken = self.entries.add(next, next, commit.user);
                debug_assert_eq!(taken, Ok(()));
            }
        }
    }

    /// Draws, if the entries closed by `until`, the end of the days that are played.
    pub(super) fn drawn(
        self,
        seed: u64,
        until: Millis,
        day: usize,
        desk: &mut Desk<'_>,
        tally: &mut Tally,
    ) -> Result<(), Refusal> {
        if until < self.params.entries_close {
            return Ok(());
        }
        let lot = Lot {
            seed,
            who: u64::MAX,
        };
        let order = self
            .entries
            .order(self.params.winners(), &mut lot.at(0, "raffle"));
        let nobody = User::nobody(&desk.campaign.claims);
        let facts = Facts::default();
        for (slot, who) in (1..).zip(order) {
            let Some(reward) = machine::raffle::reward_of(&self.prizes, slot) else {
                continue;
            };
            let visitor = Visitor {
                number: number_of(&who),
                user: &nobody,
                facts: &facts,
                now: self.params.draw_at.max(until),
            };
            let told = Told::Won {
                slot,
                reward,
                until: None,
            };
            if desk.tell(&visitor, &told)? {
                tally.committed(desk.last(), &desk.campaign, day);
            }
            // Nothing follows for them: the days are over.
            desk.rise(visitor.number);
        }
        Ok(())
    }
}

/// The number that a pseudonym was made of.
fn number_of(who: &Pseudonym) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&who.0[8..]);
    u64::from_be_bytes(bytes)
}
