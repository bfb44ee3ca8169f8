//! What is checked of each row.

use std::collections::BTreeMap;
use std::sync::Arc;

use blocks::wheel::Pity;
use machine::model::Campaign;
use machine::turn::replay_chain;
use machine::world::CounterKey;

use super::finding::{Finding, Kind, Report};
use super::row::{Draw, Grant, Row};
use super::{Player, Revision, cost};

/// A row that is looked at, and where what is found goes.
pub(super) struct Found<'a> {
    pub row: &'a Row,
    pub report: &'a mut Report,
}

impl Found<'_> {
    pub fn note(&mut self, kind: Kind, message: String) {
        let (row, user) = (Some(self.row.number), Some(self.row.user.clone()));
        self.report.add(Finding {
            row,
            user,
            kind,
            message,
        });
    }

    pub fn grant(&mut self, grant: &Grant, campaign: &Campaign, player: &mut Player) {
        let known = campaign
            .rewards
            .iter()
            .find(|reward| *reward.id == *grant.reward);
        match known {
            None => self.note(
                Kind::Grant,
                format!("the revision has no reward `{}`", grant.reward),
            ),
            Some(reward) if reward.amount != grant.amount => {
                self.note(
                    Kind::Grant,
                    format!(
                        "gives {} of `{}`, the revision says {}",
                        grant.amount, grant.reward, reward.amount
                    ),
                );
            }
            Some(_) => {}
        }
        let Some(index) = grant.period.strip_prefix("draw-") else {
            *player.given.entry(grant.reward.clone()).or_default() += 1;
            player.days.apart(&grant.reward);
            return;
        };
        match index.parse() {
            Ok(index) if !player.open.contains_key(&index) => {
                player.open.insert(index, (self.row.number, grant.clone()));
            }
            Ok(index) => self.note(Kind::Grant, format!("draw {index} gives twice")),
            Err(_) => self.note(Kind::Grant, format!("`{}` is no draw", grant.period)),
        }
    }

    pub fn index(&mut self, draw: &Draw, player: &mut Player) {
        let expected = player.next;
        if draw.index > expected {
            self.note(
                Kind::Index,
                format!("draw {} comes where draw {expected} is missing", draw.index),
            );
        } else if draw.index < expected {
            self.note(
                Kind::Index,
                format!(
                    "draw {} comes again or too late: draw {expected} was to come next",
                    draw.index
                ),
            );
        }
        player.next = expected.max(draw.index.saturating_add(1));
    }

    /// The grant that belongs to the draw; the reward it gave.
    pub fn its_grant(
        &mut self,
        draw: &Draw,
        revision: &Revision,
        player: &mut Player,
    ) -> Option<String> {
        let grant = player.open.remove(&draw.index).map(|(_, grant)| grant);
        match (&draw.given, &grant) {
            (Some(given), None) => self.note(
                Kind::Grant,
                format!(
                    "draw {} gave `{given}`, but no grant of it stands before",
                    draw.index
                ),
            ),
            (given, Some(grant)) if given.as_deref() != Some(&*grant.reward) => {
                let given = given.as_deref().unwrap_or("nothing");
                self.note(
                    Kind::Grant,
                    format!(
                        "draw {} gave {given}, but its grant is of `{}`",
                        draw.index, grant.reward
                    ),
                );
            }
            (_, Some(grant)) => {
                let rule = revision.rule(draw);
                if rule.is_some_and(|rule| *rule != *grant.rule) {
                    self.note(
                        Kind::Grant,
                        format!(
                            "the grant of draw {} stands under rule `{}`, not its own",
                            draw.index, grant.rule
                        ),
                    );
                }
            }
            (None, None) => {}
        }
        grant.map(|grant| grant.reward)
    }

    /// Whether the wheel had been drawn from as often as the row says. Odds of first draws, and a limit of the edition, follow
    /// from it.
    pub fn made(&mut self, draw: &Draw, revisions: &BTreeMap<u32, Revision>, player: &mut Player) {
        let has_wheel = |revision: &Revision| revision.wheels.contains_key(&*draw.purpose);
        if !revisions.get(&self.row.revision).is_some_and(has_wheel) {
            return;
        }
        let known = player.made.get(&draw.purpose).copied();
        let (counted, last) = known.unwrap_or((0, self.row.revision));
        // A revision in between that lacks the wheel drops its count.
        let dropped = last < self.row.revision
            && revisions
                .range(last..self.row.revision)
                .any(|(_, between)| !has_wheel(between));
        let made = draw.made();
        if made != counted && !(dropped && made == 0) {
            self.note(
                Kind::Index,
                format!(
                    "draw {} has {made} of this wheel before it by the row, {counted} by those before",
                    draw.index
                ),
            );
        }
        let after = made.saturating_add(1);
        player
            .made
            .insert(draw.purpose.clone(), (after, self.row.revision));
    }

    pub fn misses(
        &mut self,
        draw: &Draw,
        revisions: &BTreeMap<u32, Revision>,
        player: &mut Player,
    ) {
        let revision = revisions.get(&self.row.revision);
        if revision.is_some_and(|revision| revision.lots.contains_key(&*draw.purpose)) {
            if draw.misses != 0 {
                self.note(
                    Kind::Misses,
                    format!(
                        "draw {} was made after {} misses by the row, and what days draw counts none",
                        draw.index, draw.misses
                    ),
                );
            }
            return;
        }
        let (counted, last) = player
            .misses
            .get(&draw.purpose)
            .copied()
            .unwrap_or((0, self.row.revision));
        // A revision in between that lacks the wheel drops its count.
        let dropped = last < self.row.revision
            && revisions
                .range(last..self.row.revision)
                .any(|(_, between)| !between.wheels.contains_key(&*draw.purpose));
        if draw.misses != counted && !(dropped && draw.misses == 0) {
            self.note(
                Kind::Misses,
                format!(
                    "draw {} was made after {} misses by the row, after {counted} by those before",
                    draw.index, draw.misses
                ),
            );
        }
        let counted = if dropped && draw.misses == 0 {
            0
        } else {
            counted
        };
        let wheel = revisions
            .get(&self.row.revision)
            .and_then(|revision| Some((revision, revision.wheels.get(&*draw.purpose)?)));
        let starts_over = wheel.is_none_or(|(revision, (_, params))| {
            let given = draw
                .given
                .as_deref()
                .and_then(|id| revision.campaign.reward(id));
            Pity::starts_over(params.pity.as_ref(), draw.pity, given)
        });
        let after = if starts_over {
            0
        } else {
            counted.saturating_add(1)
        };
        player
            .misses
            .insert(draw.purpose.clone(), (after, self.row.revision));
    }

    /// Where the chain ends, and whether the participant has had what is said.
    pub fn chain(&mut self, draw: &Draw, came_up: &str, campaign: &Campaign, player: &Player) {
        let mut gone = Vec::new();
        for name in &draw.exhausted {
            match CounterKey::parse(name) {
                Some(key) => gone.push(key),
                None => self.note(Kind::Exhausted, format!("`{name}` is no counter")),
            }
        }
        let passed = draw.had.iter().chain(&draw.excluded);
        let passed: Vec<Arc<str>> = passed.map(|id| id.as_str().into()).collect();
        let end = campaign
            .reward(came_up)
            .and_then(|reward| replay_chain(campaign, reward, &gone, &passed));
        let end = end.and_then(|reward| campaign.rewards.get(usize::from(reward)));
        if end.map(|reward| &*reward.id) != draw.given.as_deref() {
            let (says, is) = (
                draw.given.as_deref().unwrap_or("nothing"),
                end.map_or("nothing", |reward| &reward.id),
            );
            self.note(
                Kind::Given,
                format!(
                    "draw {} gave {says} by the row; what came up, and what was gone, give {is}",
                    draw.index
                ),
            );
        }
        let times = |id: &str| player.given.get(id).copied().unwrap_or(0);
        for id in &draw.excluded {
            let reward = campaign.rewards.iter().find(|reward| *reward.id == **id);
            if reward.is_none_or(|reward| reward.not_for.is_none()) {
                self.note(
                    Kind::Excluded,
                    format!("`{id}` is said not to be for this participant, and is for everybody"),
                );
            }
        }
        for id in &draw.had {
            let reward = campaign.rewards.iter().find(|reward| *reward.id == **id);
            // What is limited by the day or week too is looked at with the days.
            if reward.is_some_and(|reward| reward.within.is_some()) {
                continue;
            }
            match reward.and_then(|reward| reward.per_user) {
                None => self.note(
                    Kind::Had,
                    format!("`{id}` is said to be had, but has no `per_user`"),
                ),
                Some(most) if times(id) < i64::from(most) => {
                    self.note(
                        Kind::Had,
                        format!(
                            "`{id}` is said to be had, but was given {} of {most} times",
                            times(id)
                        ),
                    );
                }
                Some(_) => {}
            }
        }
        if let Some((id, most)) = end.and_then(|reward| Some((&*reward.id, reward.per_user?)))
            && times(id) >= i64::from(most)
        {
            self.note(
                Kind::Had,
                format!("`{id}` is given once more, beyond its `per_user` of {most}"),
            );
        }
    }

    /// Whether what is said to be exhausted can be: a counter's ceiling is at least the config's figure, so as many
    /// units must have been given before, or as many as were released by then.
    pub fn plausible(
        &mut self,
        draw: &Draw,
        campaign: &Campaign,
        revisions: &BTreeMap<u32, Revision>,
        units: &BTreeMap<String, i64>,
        own: Option<&str>,
        spent: i64,
    ) {
        let campaigns = || revisions.values().map(|revision| &revision.campaign);
        // A row without its time is held to all of the stock.
        let at = self.row.millis();
        for key in draw
            .exhausted
            .iter()
            .filter_map(|name| CounterKey::parse(name))
        {
            match key {
                CounterKey::Stock(id) => {
                    let free = |campaign: &Campaign| {
                        let reward = campaign.rewards.iter().find(|reward| reward.id == id)?;
                        let held = match (&reward.release, at) {
                            (Some(_), Some(at)) => reward.held(at),
                            _ => 0,
                        };
                        Some(reward.stock?.saturating_sub(held))
                    };
                    let stock = campaigns().filter_map(free).min();
                    let given =
                        units.get(&*id).copied().unwrap_or(0) - i64::from(own == Some(&*id));
                    match stock {
                        None => self.note(
                            Kind::Exhausted,
                            format!("`{id}` is said to be sold out, but is not limited"),
                        ),
                        Some(stock) if given < i64::from(stock) => {
                            self.note(
                                Kind::Exhausted,
                                format!("`{id}` is said to be sold out after {given} of {stock}"),
                            );
                        }
                        Some(_) => {}
                    }
                }
                CounterKey::Budget => {
                    let total = campaigns()
                        .filter_map(|campaign| Some(campaign.budget.as_ref()?.total))
                        .min();
                    let dearest = campaign
                        .rewards
                        .iter()
                        .map(|reward| reward.cost)
                        .max()
                        .unwrap_or(0);
                    let before = spent - own.map_or(0, |id| cost(campaign, id));
                    if total.is_none_or(|total| before.saturating_add(dearest) <= total) {
                        self.note(
                            Kind::Exhausted,
                            format!("the budget is said to be spent after {before} minor units"),
                        );
                    }
                }
                // That staff had stopped it then stands in their audit, and nowhere else.
                CounterKey::Stopped(_) | CounterKey::Entries(_) => {}
                // No draw asks for a quota.
                CounterKey::Quota(..) => self.note(
                    Kind::Exhausted,
                    format!("`{key}` is said to be used up, and no draw asks for it"),
                ),
                CounterKey::Code(_) => self.note(
                    Kind::Exhausted,
                    "a code is said to be used up, and no draw asks for it".to_owned(),
                ),
                CounterKey::Tally(..) => self.note(
                    Kind::Exhausted,
                    "a team's tally is said to be exhausted, and has no bound".to_owned(),
                ),
                CounterKey::BudgetDay(_) => {
                    if campaign
                        .budget
                        .as_ref()
                        .is_none_or(|budget| budget.per_day.is_none())
                    {
                        self.note(
                            Kind::Exhausted,
                            "a day's budget is said to be spent, but there is none".to_owned(),
                        );
                    }
                }
            }
        }
    }
}
