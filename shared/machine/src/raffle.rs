//! A draw from a list of entries, at a set time: what the list's bytes are, whom the seed draws from it, and what each of them
//! is told. Pure; when it is done and by whom is the shell's matter (`function::raffle`).
//!
//! Entries stand in the ledger, one row each. The store numbers them (`Entries` is a counter like a stock: its next serial is
//! the next entry's number), and closes the list by taking what is left of that counter: from then on no commit can add one,
//! however late it comes, so the list is complete, and what it is drawn from is what everybody can read.
//! `docs/FAIRNESS.md` says all of it to someone without this code.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::calendar::Millis;
use crate::ids::{CampaignKey, Pseudonym};
use crate::luck::Luck;
use crate::world::CounterKey;

/// The kind of the blocks that draw from a list of entries.
pub const KIND: &str = "raffle";

/// The most entries of one draw: all of them are held in memory when it is made, 16 bytes each.
pub const MOST_ENTRIES: u32 = 5_000_000;

/// The most winners and alternates of one draw together: their order is one row of the ledger.
pub const MOST_PLACES: u32 = 10_000;

/// What the counter of entries is called among the figures that a publish asks for. No reward is called like this.
const FIGURE: &str = "entries/";

/// The figure that a publish asks for with a draw. It is always the same, so no later publish opens a list that was closed.
pub fn figure(draw: &str) -> (Arc<str>, u32) {
    (format!("{FIGURE}{draw}").into(), MOST_ENTRIES)
}

/// The counter that a figure of a publish is for.
pub fn counted(figure: &Arc<str>) -> CounterKey {
    match figure.strip_prefix(FIGURE) {
        Some(draw) => CounterKey::Entries(draw.into()),
        None => CounterKey::Stock(figure.clone()),
    }
}

/// In whose name a draw is booked: nobody's. It is no member's pseudonym, and another in each lane.
pub fn nobody(key: &CampaignKey, draw: &str) -> Pseudonym {
    let mut hash = Sha256::new();
    for part in ["raffle", &key.to_string(), draw] {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    Pseudonym(short)
}

/// The entries of a draw, in the order of their numbers.
#[derive(Debug, Default)]
pub struct Entries {
    users: Vec<Pseudonym>,
    hash: Sha256,
}

/// An entry with another number than the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {found} stands where entry {next} should")]
pub struct Gap {
    /// The number that was to come.
    pub next: u64,
    /// The one that came.
    pub found: u64,
}

impl Entries {
    /// Takes the next entry: its number, the number of its row in the ledger, whose it is.
    pub fn add(&mut self, number: u64, row: u64, user: Pseudonym) -> Result<(), Gap> {
        let next = self.users.len() as u64;
        if number != next {
            let found = number;
            return Err(Gap { next, found });
        }
        self.hash
            .update(format!("{number} {row} {user}\n").as_bytes());
        self.users.push(user);
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.users.len() as u64
    }

    /// SHA-256 of the list: for each entry a line, `number row pseudonym`, with single spaces and a line feed.
    pub fn sha256(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Whom the luck draws, in order, each user once, until there are so many or no entry is left: a Fisher-Yates shuffle from
    /// the front of the list, which stops early.
    pub fn order(mut self, places: u32, luck: &mut Luck) -> Vec<Pseudonym> {
        let (mut order, mut drawn) = (Vec::new(), BTreeSet::new());
        for at in 0..self.users.len() {
            if order.len() as u64 >= u64::from(places) {
                break;
            }
            let left = (self.users.len() - at) as u64;
            // Below the list's length, which fits.
            self.users.swap(at, at + luck.below(left) as usize);
            if let Some(user) = self.users.get(at)
                && drawn.insert(*user)
            {
                order.push(*user);
            }
        }
        order
    }
}

/// What somebody who was drawn is told; it is told once, however often it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// One unit of this reward is theirs: to be claimed before `until`, or given at once.
    Won {
        /// Which of the draw's prizes, counted unit by unit from 1.
        slot: u32,
        /// The reward.
        reward: &'a str,
        /// Until when it is to be claimed (excluded); none: nobody need claim it.
        until: Option<Millis>,
    },
    /// They come next if somebody does not claim: so many are before them.
    Alternate {
        /// Their place among the alternates, from 1.
        place: u32,
    },
    /// They did not claim in time. Nothing happens where they did, or where the time is not over.
    Lapsed,
}

/// Which reward each slot of a draw stands for: the prizes in their order, each as often as it has winners.
pub fn reward_of(prizes: &[(Arc<str>, u32)], slot: u32) -> Option<&Arc<str>> {
    let mut before = 0_u32;
    for (reward, winners) in prizes {
        before = before.saturating_add(*winners);
        if slot >= 1 && slot <= before {
            return Some(reward);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luck::{Seed, Source};

    fn user(number: u32) -> Pseudonym {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Pseudonym(bytes)
    }

    fn entries(of: &[u32]) -> Entries {
        let mut entries = Entries::default();
        for (number, who) in of.iter().enumerate() {
            entries
                .add(number as u64, 10 + number as u64, user(*who))
                .unwrap();
        }
        entries
    }

    fn luck(seed: u8, entries: &Entries) -> Luck {
        Source::new(&Seed([seed; 32]), "acme/new-year", 1).raffle("raffle", &entries.sha256())
    }

    #[test]
    fn an_entry_that_is_missing_or_twice_is_found() {
        let mut entries = entries(&[1, 2]);
        let gap = |found| Err(Gap { next: 2, found });
        assert_eq!(entries.add(3, 20, user(3)), gap(3));
        assert_eq!(entries.add(1, 20, user(3)), gap(1));
        assert_eq!(entries.add(2, 20, user(3)), Ok(()));
    }

    #[test]
    fn no_user_wins_twice() {
        for seed in 0..50 {
            let of: Vec<u32> = (0..60).map(|at| at % 7).collect();
            let entries = entries(&of);
            let mut luck = luck(seed, &entries);
            let order = entries.order(20, &mut luck);
            let different: BTreeSet<_> = order.iter().collect();
            // Seven people for twenty places: each of them once.
            assert_eq!((order.len(), different.len()), (7, 7));
        }
    }

    /// Chi-square with 9 degrees of freedom; 27.9 is passed by chance once in a thousand sets of seeds, and these are fixed.
    #[test]
    fn every_entry_has_the_same_chance() {
        let mut wins = [0_u32; 10];
        for seed in 0..=255_u8 {
            for round in 0..20 {
                // Other lists, other hashes: other luck. Who is drawn is counted by the entry's place.
                let of: Vec<u32> = (0..10).map(|at| at + 10 * round).collect();
                let entries = entries(&of);
                let mut luck = luck(seed, &entries);
                for who in entries.order(3, &mut luck) {
                    let bytes = [who.0[0], who.0[1], who.0[2], who.0[3]];
                    wins[(u32::from_be_bytes(bytes) % 10) as usize] += 1;
                }
            }
        }
        let expected = f64::from(256 * 20 * 3) / 10.0;
        // Three of ten without putting back: less varies than if each were drawn by itself.
        let chi: f64 = wins
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        assert!(chi < 27.9, "{chi} {wins:?}");
    }

    /// Golden: computed by the Python page of docs/FAIRNESS.md too. A change here breaks every published proof.
    #[test]
    fn a_draw_from_a_list_never_changes() {
        let entries = entries(&[1, 2, 2, 3, 4, 5, 5, 5]);
        let sha256 = crate::ids::hex(&entries.sha256());
        let mut luck = luck(9, &entries);
        let order: Vec<u8> = entries
            .order(4, &mut luck)
            .iter()
            .map(|who| who.0[3])
            .collect();
        assert_eq!(
            (sha256.as_str(), order),
            (GOLDEN_SHA256, GOLDEN_ORDER.to_vec())
        );
    }

    const GOLDEN_SHA256: &str = "318d53cccf8dbbcc3979ee959c7e5f85f0f3a2818a8ef47bb192baa1dd435823";
    const GOLDEN_ORDER: [u8; 4] = [4, 1, 2, 5];

    #[test]
    fn slots_stand_for_the_prizes_in_their_order() {
        let prizes: Vec<(Arc<str>, u32)> = vec![("laptop".into(), 2), ("coupon".into(), 3)];
        let found: Vec<_> = (0..=6)
            .map(|slot| reward_of(&prizes, slot).map(|reward| &**reward))
            .collect();
        let (laptop, coupon) = (Some("laptop"), Some("coupon"));
        assert_eq!(found, [None, laptop, laptop, coupon, coupon, coupon, None]);
    }
}
