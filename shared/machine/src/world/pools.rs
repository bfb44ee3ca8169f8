//! A tenant's pools of codes: what is known of each. The codes themselves are many, and lie where a store has room for them; here
//! is how many there are, and whose they are.
//!
//! A pool is an array that only grows. A reward that takes its codes from a pool has stock, and the unit with serial `n` is the code
//! at the owner's place `from + n`. Since no serial is given twice and what is one owner's is no other's, no code is handed out twice,
//! whatever becomes of counters.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::admin::{Action, Admin, AdminOutcome, Refused};
use super::lists::Lines;
use crate::calendar::Millis;
use crate::ids::Period;

/// A pool, its codes apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// What was put into it, in order.
    pub segments: Vec<Segment>,
    /// Whose its codes are, in order; none: nobody's yet.
    pub owners: Vec<Owner>,
}

/// The codes that one file added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Names the codes: 32 hexadecimal digits. What it names never changes.
    pub version: Arc<str>,
    /// How many they are; at least 1.
    pub codes: u64,
    /// SHA-256 of the file as it was sent.
    pub sha256: [u8; 32],
    /// When it was put.
    pub at: Millis,
    /// By whom.
    pub by: Arc<str>,
}

/// A reward of an edition whose codes come from a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Which campaign.
    pub campaign: Arc<str>,
    /// Which edition.
    pub edition: u32,
    /// Which reward.
    pub reward: Arc<str>,
    /// The place in the pool of its unit 0: what comes before was handed out by those before it.
    pub from: u64,
}

impl Owner {
    /// Whether it is this reward of this edition.
    pub fn is(&self, campaign: &str, edition: u32, reward: &str) -> bool {
        &*self.campaign == campaign && self.edition == edition && &*self.reward == reward
    }
}

/// A unit of stock that a participant was given, where the unit is a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Of which grant: [`Unit::grant`].
    pub grant: u64,
    /// The unit's serial.
    pub serial: u64,
}

impl Unit {
    /// What a grant's unit is found by: the same under every revision. Where two rules give one reward as the `n`-th of one period, both
    /// have the same, and their units stand in the order of the grants.
    pub fn grant(reward: &str, period: Period, n: u32) -> u64 {
        let digest = Sha256::digest(format!("{reward}/{period}/{n}"));
        digest
            .iter()
            .take(8)
            .fold(0, |so_far, byte| so_far << 8 | u64::from(*byte))
    }

    /// Takes the first unit of a grant out of a participant's, if there is one: its serial.
    pub fn take(units: &mut Vec<Self>, reward: &str, period: Period, n: u32) -> Option<u64> {
        let grant = Self::grant(reward, period, n);
        let place = units.iter().position(|unit| unit.grant == grant)?;
        Some(units.remove(place).serial)
    }
}

impl Pool {
    /// How many codes were ever put into it.
    pub fn codes(&self) -> u64 {
        self.segments
            .iter()
            .fold(0, |sum, segment| sum.saturating_add(segment.codes))
    }

    /// Whose its codes are now.
    pub fn owner(&self) -> Option<&Owner> {
        self.owners.last()
    }

    /// How many units the reward has that owns it now: the pool's codes but for those handed out before; 0 for any other reward.
    pub fn units(&self, campaign: &str, edition: u32, reward: &str) -> u64 {
        let owner = self.owner();
        owner
            .filter(|owner| owner.is(campaign, edition, reward))
            .map_or(0, |owner| self.codes().saturating_sub(owner.from))
    }

    /// The place in the pool of a reward's unit; none: the unit is no code of this pool.
    pub fn place(&self, campaign: &str, edition: u32, reward: &str, serial: u64) -> Option<u64> {
        let at = self
            .owners
            .iter()
            .position(|owner| owner.is(campaign, edition, reward))?;
        let place = self.owners.get(at)?.from.checked_add(serial)?;
        let end = self
            .owners
            .get(at + 1)
            .map_or_else(|| self.codes(), |next| next.from);
        (place < end).then_some(place)
    }

    /// The segment that a place is in, and the place within it.
    pub fn segment(&self, place: u64) -> Option<(&Segment, u64)> {
        let mut within = place;
        for segment in &self.segments {
            if within < segment.codes {
                return Some((segment, within));
            }
            within -= segment.codes;
        }
        None
    }

    /// The pool after a change that puts codes into it or gives it an owner; `before`: as it is, if it is there.
    pub fn after(before: Option<&Self>, change: &Admin) -> Result<Self, AdminOutcome> {
        let mut pool = before.cloned().unwrap_or_default();
        match &change.action {
            Action::PutCodes {
                version,
                codes,
                sha256,
                ..
            } => {
                if pool
                    .codes()
                    .checked_add(*codes)
                    .is_none_or(|codes| codes > MOST)
                {
                    return Err(AdminOutcome::Refused(Refused::TooMuch));
                }
                if *codes > 0 {
                    pool.segments.push(Segment {
                        version: version.clone(),
                        codes: *codes,
                        sha256: *sha256,
                        at: change.at,
                        by: change.by.clone(),
                    });
                }
                Ok(pool)
            }
            Action::BindPool { pool: name, owner } => {
                if let Some(last) = pool.owner() {
                    if last.is(&owner.campaign, owner.edition, &owner.reward) {
                        return Err(AdminOutcome::Already);
                    }
                    let refused = Refused::PoolTaken(name.clone(), last.clone());
                    return Err(AdminOutcome::Refused(refused));
                }
                pool.owners.push(owner.clone());
                Ok(pool)
            }
            _ => Err(AdminOutcome::Already),
        }
    }
}

/// The most codes of a pool: a stock's figure has 32 bits.
const MOST: u64 = u32::MAX as u64;

/// What became of the lines of a file of codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeLines {
    /// What the file alone tells: its lines, those that repeat an earlier one, those that are no code.
    pub lines: Lines,
    /// How many stand in a pool of the tenant already.
    pub known: u64,
}

/// What came of putting codes into a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodesPut {
    /// How many were added.
    pub added: u64,
    /// How many stand in a pool of the tenant already.
    pub known: u64,
    /// How many the pool has now.
    pub codes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(campaign: &str, from: u64) -> Owner {
        Owner {
            campaign: campaign.into(),
            edition: 1,
            reward: "course".into(),
            from,
        }
    }

    fn pool(segments: &[u64], owners: &[(&str, u64)]) -> Pool {
        Pool {
            segments: segments
                .iter()
                .map(|codes| Segment {
                    version: "v".into(),
                    codes: *codes,
                    sha256: [0; 32],
                    at: 0,
                    by: "x".into(),
                })
                .collect(),
            owners: owners
                .iter()
                .map(|(campaign, from)| owner(campaign, *from))
                .collect(),
        }
    }

    #[test]
    fn a_code_is_one_owners_alone() {
        let pool = pool(&[3, 4], &[("a", 0), ("b", 2)]);
        let place = |campaign, serial| pool.place(campaign, 1, "course", serial);
        assert_eq!(
            [0, 1, 2, 6].map(|serial| place("a", serial)),
            [Some(0), Some(1), None, None]
        );
        assert_eq!(
            [0, 4, 5].map(|serial| place("b", serial)),
            [Some(2), Some(6), None]
        );
        assert_eq!(place("c", 0), None);
        assert_eq!(pool.place("a", 2, "course", 0), None);
        assert_eq!(
            (pool.units("a", 1, "course"), pool.units("b", 1, "course")),
            (0, 5)
        );
        let within = |place| pool.segment(place).map(|(segment, at)| (segment.codes, at));
        assert_eq!(
            [2, 3, 6, 7].map(within),
            [Some((3, 2)), Some((4, 0)), Some((4, 3)), None]
        );
    }
}
