//! What comes up: slices of a whole, by tier.

use std::sync::Arc;

use machine::ledger::Rolled;
use machine::luck::Luck;
use serde::{Deserialize, Serialize};

use super::Params;

/// A reward and its odds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Which reward.
    pub reward: u16,
    /// Its parts of the whole.
    pub parts: u64,
    /// Under which rule.
    pub rule: u16,
}

/// Odds of their own for a participant's first draws.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The wheel's draws before which fewer than these were made have them, down to where the tier before ends: of `10` the first
    /// ten.
    pub first_draws: u64,
    /// As of the wheel itself.
    pub whole: u64,
    /// As of the wheel itself.
    pub slices: Vec<Slice>,
    /// As of the wheel itself.
    pub rest: Option<u16>,
    /// As of the wheel itself.
    pub rest_rule: Option<u16>,
}

impl Tier {
    /// Its odds.
    pub fn odds(&self) -> Odds<'_> {
        Odds {
            whole: self.whole,
            slices: &self.slices,
            rest: self.rest,
            rest_rule: self.rest_rule,
        }
    }
}

/// The odds of one draw.
#[derive(Debug, Clone, Copy)]
pub struct Odds<'a> {
    /// The whole.
    pub whole: u64,
    /// The rewards with parts of their own.
    pub slices: &'a [Slice],
    /// The reward that takes what they leave, if one does.
    pub rest: Option<u16>,
    /// Its rule, if it gives something.
    pub rest_rule: Option<u16>,
}

impl Odds<'_> {
    /// Whether all slices find room in the whole.
    pub fn are_sound(&self) -> bool {
        let mut parts = self.slices.iter().map(|slice| slice.parts);
        let sum = parts.try_fold(0u64, u64::checked_add);
        self.whole > 0 && sum.is_some_and(|sum| sum <= self.whole)
    }

    /// The parts that no slice takes.
    pub fn left(&self) -> u64 {
        let taken: u64 = self.slices.iter().map(|slice| slice.parts).sum();
        self.whole.saturating_sub(taken)
    }

    /// Every reward with its parts, the one that takes the rest last.
    pub fn parts(&self) -> impl Iterator<Item = (u16, u64)> {
        let slices = self.slices.iter().map(|slice| (slice.reward, slice.parts));
        slices.chain(self.rest.map(|rest| (rest, self.left())))
    }

    /// The parts of a reward; none if it has none.
    pub fn of(&self, reward: u16) -> Option<u64> {
        let mut all = self.parts().filter(|(place, _)| *place == reward);
        let (_, first) = all.next()?;
        Some(all.fold(first, |sum, (_, parts)| sum.saturating_add(parts)))
    }

    /// A number below the whole; and the reward it stands for with its rule, if it stands for one.
    pub fn pick(&self, luck: &mut Luck) -> (u64, Option<(u16, u16)>) {
        let pick = luck.below(self.whole);
        let mut up_to = 0;
        for slice in self.slices {
            up_to += slice.parts;
            if pick < up_to {
                return (pick, Some((slice.reward, slice.rule)));
            }
        }
        let rest = self.rest;
        let hit = rest.map(|rest| (rest, self.rest_rule.unwrap_or(u16::MAX)));
        (pick, hit)
    }

    /// The rule under which a reward that came up is given; none: there is none, as it gives nothing.
    pub fn rule(&self, reward: u16) -> Option<u16> {
        let slice = self.slices.iter().find(|slice| slice.reward == reward);
        slice.map(|slice| slice.rule).or(self.rest_rule)
    }
}

impl Params {
    /// The odds after all tiers.
    pub fn odds(&self) -> Odds<'_> {
        Odds {
            whole: self.whole,
            slices: &self.slices,
            rest: self.rest,
            rest_rule: self.rest_rule,
        }
    }

    /// The place of the tier that the draw before which so many were made has the odds of; none: it comes after all tiers.
    pub fn tier(&self, made: u64) -> Option<usize> {
        self.tiers.iter().position(|tier| made < tier.first_draws)
    }

    /// All its odds: those of each tier, in order, then those after them.
    pub fn all_odds(&self) -> impl Iterator<Item = Odds<'_>> {
        self.tiers.iter().map(Tier::odds).chain([self.odds()])
    }

    /// What comes up; the reward it stands for and its rule, if it stands for one; and the tier, from 1.
    pub(super) fn roll(
        &self,
        luck: &mut Luck,
        made: u64,
        misses: i64,
    ) -> (Rolled, Option<(u16, u16)>, Option<u16>) {
        let place = self.tier(made);
        let tier = place.map(|place| (place + 1) as u16);
        if let Some(pity) = &self.pity
            && misses >= i64::from(pity.losses)
        {
            let rolled = Rolled {
                pick: 0,
                of: 0,
                reward: self.name_of(Some(pity.reward)),
                pity: true,
            };
            return (rolled, Some((pity.reward, pity.rule)), tier);
        }
        let own = place.and_then(|place| self.tiers.get(place));
        let odds = own.map_or_else(|| self.odds(), Tier::odds);
        let (pick, hit) = odds.pick(luck);
        let rolled = Rolled {
            pick,
            of: odds.whole,
            reward: self.name_of(hit.map(|(reward, _)| reward)),
            pity: false,
        };
        (rolled, hit, tier)
    }

    /// The id of a reward; empty where the roll stands for none.
    fn name_of(&self, reward: Option<u16>) -> Arc<str> {
        let found = self.names.iter().find(|(place, _)| Some(*place) == reward);
        found.map_or_else(|| Arc::from(""), |(_, name)| name.clone())
    }
}
