//! What a promise comes to: the way from a reward along `when_gone` and `when_spent` to what can be given, in a step under way and,
//! from what a ledger row says of it, afterwards. Nothing is booked here.

use std::sync::Arc;

use super::{Gave, Gone, Turn};
use crate::expr::Fault;
use crate::ledger::DrawRow;
use crate::model::{Campaign, Reward, RewardKind};
use crate::world::{Bound, CounterKey, CounterMove};

/// Where a `when_gone` chain ends.
#[derive(Debug)]
pub(super) struct Chain {
    pub end: Gave,
    pub had: Vec<Arc<str>>,
    pub excluded: Vec<Arc<str>>,
    pub met: Vec<CounterKey>,
    /// Whether it came by a reward that is counted by the day.
    pub counts: bool,
}

impl Chain {
    pub(super) fn nothing(why: Gone) -> Self {
        Self {
            end: Gave::Nothing(why),
            had: Vec::new(),
            excluded: Vec::new(),
            met: Vec::new(),
            counts: false,
        }
    }
}

impl Turn<'_> {
    /// Walks the `when_gone` chain from `reward` to what can be given, and names every counter along all of it.
    pub(super) fn chain(&mut self, reward: u16) -> Result<Chain, Fault> {
        let mut chain = Chain::nothing(Gone::SoldOut);
        let mut why = Gone::Blank;
        let mut at = Some(reward);
        let mut found = false;
        // Once the budget has said no, nothing that costs is given by this chain, be it cheaper: what a draw gives then
        // follows from its row alone, which names the counters that were met and not who met them.
        let mut broke = false;
        // The check proved that chains end; the bound makes that true for any definition.
        for _ in 0..=self.campaign.rewards.len().saturating_mul(2) {
            let Some(index) = at else { break };
            let campaign = self.campaign;
            let candidate = campaign
                .rewards
                .get(usize::from(index))
                .ok_or(Fault::Mismatch("a reward is missing"))?;
            if candidate.kind == RewardKind::Nothing {
                break;
            }
            if found {
                // Further down the chain than what is given: only to learn in one answer what is gone too.
                self.counters(index, Self::or_else);
                at = candidate.when_gone;
                continue;
            }
            let spent =
                candidate.cost > 0 && (broke || self.lacks_budget(candidate.cost, &mut chain.met));
            if spent {
                broke = true;
                why = Gone::BudgetSpent;
                at = campaign
                    .budget
                    .as_ref()
                    .and_then(|budget| budget.when_spent);
                continue;
            }
            chain.counts |= candidate.within.is_some();
            if self.is_not_for(candidate)? {
                if !chain.excluded.contains(&candidate.id) {
                    chain.excluded.push(candidate.id.clone());
                }
                why = Gone::Had;
                at = candidate.when_gone;
                continue;
            }
            if self.look().has_had(index) {
                if !chain.had.contains(&candidate.id) {
                    chain.had.push(candidate.id.clone());
                }
                why = Gone::Had;
                at = candidate.when_gone;
                continue;
            }
            if self.lacks_stopped(&candidate.id) {
                let key = CounterKey::Stopped(candidate.id.clone());
                if !chain.met.contains(&key) {
                    chain.met.push(key);
                }
                why = Gone::SoldOut;
                at = candidate.when_gone;
                continue;
            }
            if candidate.stock.is_some()
                && self.lacks(&CounterKey::Stock(candidate.id.clone()), 1, &mut chain.met)
            {
                why = Gone::SoldOut;
                at = candidate.when_gone;
                continue;
            }
            chain.end = Gave::Reward(index);
            found = true;
            if candidate.cost > 0
                && let Some(stand_in) = campaign
                    .budget
                    .as_ref()
                    .and_then(|budget| budget.when_spent)
            {
                self.counters(stand_in, Self::or_else);
            }
            at = candidate.when_gone;
        }
        if !found {
            chain.end = Gave::Nothing(why);
        }
        Ok(chain)
    }

    /// Whether a reward is not for this participant. Where time moves the machine nobody can be looked up, and it is for nobody.
    pub(super) fn is_not_for(&self, reward: &Reward) -> Result<bool, Fault> {
        match &reward.not_for {
            None => Ok(false),
            Some(_) if self.unattended => Ok(true),
            Some(guard) => guard.eval(&self.look()),
        }
    }

    /// Whether staff have stopped a reward, or withdrawn so much of it that this step has taken all that they left.
    fn lacks_stopped(&self, reward: &Arc<str>) -> bool {
        let mut known = self.exhausted.iter();
        let of_it = known
            .find(|left| matches!(&left.key, CounterKey::Stopped(stopped) if stopped == reward));
        of_it.is_some_and(|known| {
            let taken = self.taken(&CounterKey::Stock(reward.clone()));
            known.left.saturating_sub(taken) < 1
        })
    }

    /// Names a counter that may be needed if another is gone, once however many draws come by it.
    fn or_else(&mut self, counter: CounterMove) {
        let mut known = self.alternatives.iter_mut();
        match known.find(|known| known.key == counter.key) {
            Some(known) => known.add = known.add.max(counter.add),
            None => self.alternatives.push(counter),
        }
    }

    /// How much of a counter this step takes already.
    fn taken(&self, key: &CounterKey) -> i64 {
        let moves = self.moves.iter().filter(|counter| counter.key == *key);
        moves.map(|counter| counter.add).sum()
    }

    fn lacks_budget(&self, cost: i64, met: &mut Vec<CounterKey>) -> bool {
        let Some(budget) = &self.campaign.budget else {
            return false;
        };
        let day = budget.per_day.map(|_| CounterKey::BudgetDay(self.today()));
        self.lacks(&CounterKey::Budget, cost, met)
            || day.is_some_and(|key| self.lacks(&key, cost, met))
    }

    /// Whether the store said that less than `amount` (and what this step takes already) is left.
    pub(super) fn lacks(&self, key: &CounterKey, amount: i64, met: &mut Vec<CounterKey>) -> bool {
        let Some(known) = self.exhausted.iter().find(|left| left.key == *key) else {
            return false;
        };
        let lacks = known.left.saturating_sub(self.taken(key)) < amount;
        if lacks && !met.contains(key) {
            met.push(key.clone());
        }
        lacks
    }

    /// Calls `each` with every counter that giving `reward` moves.
    pub(super) fn counters(&mut self, reward: u16, mut each: impl FnMut(&mut Self, CounterMove)) {
        let campaign = self.campaign;
        let Some(found) = campaign.rewards.get(usize::from(reward)) else {
            return;
        };
        if found.stock.is_some() {
            let bound = match found.held(self.clock) {
                0 => Bound::Own,
                units => Bound::Held(i64::from(units)),
            };
            each(
                self,
                CounterMove {
                    key: CounterKey::Stock(found.id.clone()),
                    add: 1,
                    bound,
                },
            );
        }
        if found.cost > 0
            && let Some(budget) = &campaign.budget
        {
            each(
                self,
                CounterMove {
                    key: CounterKey::Budget,
                    add: found.cost,
                    bound: Bound::Own,
                },
            );
            if let Some(per_day) = budget.per_day {
                let key = CounterKey::BudgetDay(self.today());
                each(
                    self,
                    CounterMove {
                        key,
                        add: found.cost,
                        bound: Bound::Given(per_day),
                    },
                );
            }
        }
    }

    /// Why a reward can't be had, nothing standing in for it; none: it can, for all that the store said.
    pub(crate) fn gone(&self, reward: u16) -> Option<Gone> {
        let found = self.campaign.rewards.get(usize::from(reward))?;
        let mut met = Vec::new();
        if self.is_stopped(&found.id) {
            Some(Gone::SoldOut)
        } else if found.cost > 0 && self.lacks_budget(found.cost, &mut met) {
            Some(Gone::BudgetSpent)
        } else if found.stock.is_some()
            && self.lacks(&CounterKey::Stock(found.id.clone()), 1, &mut met)
        {
            Some(Gone::SoldOut)
        } else {
            None
        }
    }
}

/// Where a draw's `when_gone` chain ends, given what its ledger row says was gone (`passed`: had by this participant, or not for
/// them): for `verify`.
pub fn replay_chain(
    campaign: &Campaign,
    reward: u16,
    exhausted: &[CounterKey],
    passed: &[Arc<str>],
) -> Option<u16> {
    walk(campaign, reward, exhausted, passed).filter(|end| {
        let end = campaign.rewards.get(usize::from(*end));
        end.is_some_and(|end| end.kind != RewardKind::Nothing)
    })
}

/// What a client shows where a draw ended: what it gave, or the reward that gives nothing which its chain led to; the first such
/// of the campaign where the chain led nowhere.
pub fn shown_for(campaign: &Campaign, row: &DrawRow) -> Option<u16> {
    let passed: Vec<Arc<str>> = row.had.iter().chain(&row.terms.excluded).cloned().collect();
    let rolled = campaign.reward(&row.rolled.reward);
    let end = rolled.and_then(|reward| walk(campaign, reward, &row.exhausted, &passed));
    let given = || campaign.reward(row.given.as_deref()?);
    let blank = || {
        let mut all = campaign.rewards.iter();
        let at = all.position(|reward| reward.kind == RewardKind::Nothing);
        at.map(|at| at as u16)
    };
    given()
        .or(end.filter(|_| row.given.is_none()))
        .or_else(blank)
}

/// Where a chain ends: what can be given, or the reward that gives nothing.
fn walk(
    campaign: &Campaign,
    reward: u16,
    exhausted: &[CounterKey],
    passed: &[Arc<str>],
) -> Option<u16> {
    let mut at = Some(reward);
    for _ in 0..=campaign.rewards.len().saturating_mul(2) {
        let index = at?;
        let candidate = campaign.rewards.get(usize::from(index))?;
        let spent = exhausted
            .iter()
            .any(|key| matches!(key, CounterKey::Budget | CounterKey::BudgetDay(_)));
        if candidate.kind == RewardKind::Nothing {
            return Some(index);
        } else if candidate.cost > 0 && campaign.budget.is_some() && spent {
            at = campaign
                .budget
                .as_ref()
                .and_then(|budget| budget.when_spent);
        } else if passed.contains(&candidate.id)
            || exhausted.contains(&CounterKey::Stock(candidate.id.clone()))
            || exhausted.contains(&CounterKey::Stopped(candidate.id.clone()))
        {
            at = candidate.when_gone;
        } else {
            return Some(index);
        }
    }
    None
}
