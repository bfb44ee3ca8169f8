//! Holds one campaign's books against its ledger, row by row, and against its counters in the end. Pure but for the rows that it is handed.
//!
//! Memory: 24 bytes and what a hash table leaves free for each grant of the ledger, 8 for each unit.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};

use super::books::{Book, Pages, key_digest};
use super::promise::{Example, Faults, GrantId, State, digest};
use super::row::{Budget, Grant, LaneStats, Row};
use super::truth::{Id, Truth};

/// How often each prize of a wheel came up, by the wheel's name and the tier.
pub type Drawn = BTreeMap<(String, Option<u16>), BTreeMap<String, u64>>;

/// A campaign under way to being judged.
pub struct Reckoning<'a> {
    book: &'a Book,
    pages: &'a Pages,
    began: DateTime<FixedOffset>,
    day_starts: TimeDelta,
    /// The revision whose odds are told to the public.
    revision: u32,
    ids: HashSet<GrantId>,
    deeds: HashSet<u64>,
    units: HashMap<String, Units>,
    /// Money is counted in millionths, so that any currency's decimal strings add up exactly.
    spent: i128,
    spent_on: BTreeMap<NaiveDate, i128>,
    /// The first day on which the run did something.
    first_day: Option<NaiveDate>,
    costly: u64,
    ours: u64,
    open_done: HashSet<u64>,
    settled_done: HashSet<u64>,
    drawn: Drawn,
    serials: Faults,
    double: Faults,
    unsaid: Faults,
    budget: Faults,
}

#[derive(Default)]
struct Units {
    given: u64,
    serials: HashSet<u64>,
}

/// What the target says once its ledger was read.
pub struct Ended<'a> {
    /// The live lane's counters.
    pub lane: &'a LaneStats,
    /// Whether what is about the whole ledger is to be judged, too.
    pub whole: bool,
}

impl<'a> Reckoning<'a> {
    /// Begins. `began` is when the run did; `day_starts_secs` when the campaign's days do; `revision` whose draws are counted.
    pub fn new(
        book: &'a Book,
        pages: &'a Pages,
        began: DateTime<FixedOffset>,
        day_starts_secs: i64,
        revision: u32,
    ) -> Self {
        Self {
            book,
            pages,
            began,
            day_starts: TimeDelta::try_seconds(day_starts_secs).unwrap_or_default(),
            revision,
            ids: HashSet::new(),
            deeds: HashSet::new(),
            units: HashMap::new(),
            spent: 0,
            spent_on: BTreeMap::new(),
            first_day: None,
            costly: 0,
            ours: 0,
            open_done: HashSet::new(),
            settled_done: HashSet::new(),
            drawn: Drawn::new(),
            serials: Faults::default(),
            double: Faults::default(),
            unsaid: Faults::default(),
            budget: Faults::default(),
        }
    }

    /// Takes the next row.
    pub fn row(&mut self, row: &Row<'_>) {
        let at = DateTime::parse_from_rfc3339(&row.at).ok();
        let day = at.map(|at| (at.naive_local() - self.day_starts).date());
        if let Some(grant) = &row.grant {
            self.grant(row, grant, day);
        }
        // A row is said to the second, so one of the run's first second may seem to be before it.
        let second = TimeDelta::try_seconds(1).unwrap_or_default();
        let in_run = at.is_some_and(|at| at + second > self.began);
        if in_run && self.first_day.is_none() {
            self.first_day = day;
        }
        match &row.draw {
            Some(draw) if in_run && row.revision == self.revision && !draw.pity => {
                let wheel = (draw.purpose.to_string(), draw.tier);
                let prizes = self.drawn.entry(wheel).or_default();
                *prizes.entry(draw.rolled.to_string()).or_default() += 1;
            }
            Some(_) | None => {}
        }
        // What a user's call did and nothing else: by hand, by time or by another campaign, nobody of this run was answered.
        if row.from == "user" && row.event.is_some() && (row.grant.is_some() || row.draw.is_some())
        {
            self.call(row);
        }
    }

    fn grant(&mut self, row: &Row<'_>, grant: &Grant<'_>, day: Option<NaiveDate>) {
        let campaign = &self.pages.campaign;
        let example = |says: &str| {
            let ids = [
                ("grant", grant.id.to_string()),
                ("row", row.number.to_string()),
                ("reward", grant.reward.to_string()),
                ("pseudonym", row.user.to_string()),
            ];
            Example::new(campaign, says, ids)
        };
        if !self.ids.insert(GrantId::of(&grant.id)) {
            self.double
                .count(|| example("the ledger has this grant's id twice"));
        } else if !self
            .deeds
            .insert(digest((&*row.user, &*grant.rule, &*grant.period, grant.n)))
        {
            let says = format!(
                "the ledger has rule `{}` of `{}` twice for this user",
                grant.rule, grant.period
            );
            self.double.count(|| example(&says));
        }
        // Whether it has a number or not: a store that forgets its stock numbers nothing.
        let units = self.units.entry(grant.reward.to_string()).or_default();
        units.given += 1;
        if let Some(serial) = grant.serial
            && !units.serials.insert(serial)
        {
            self.serials
                .count(|| example(&format!("unit {serial} was given before")));
        }
        let Some(cost) = money(&grant.cost) else {
            self.budget
                .count(|| example(&format!("its cost `{}` is no amount of money", grant.cost)));
            return;
        };
        if cost != 0 {
            self.costly += 1;
            self.spent += cost;
            if let Some(day) = day {
                *self.spent_on.entry(day).or_default() += cost;
            }
        }
    }

    fn call(&mut self, row: &Row<'_>) {
        let key = key_digest(&row.request_id);
        let Some(kept) = self.pages.keys.get(&key) else {
            return;
        };
        let says = match kept.state {
            State::Shared => return,
            State::Open => {
                self.ours += 1;
                self.open_done.insert(key);
                return;
            }
            State::Settled => {
                self.ours += 1;
                self.settled_done.insert(key);
                return;
            }
            State::No => "its call was refused, and none of its tries was lost",
            State::Said => {
                self.ours += 1;
                let told = |grant: &Grant<'_>| {
                    let promise = self.pages.promises.get(&GrantId::of(&grant.id));
                    promise.is_some_and(|promise| promise.by == (key as u32).max(1))
                };
                if row.grant.as_ref().is_none_or(told) {
                    return;
                }
                "the answer to its call did not name it"
            }
        };
        if kept.state == State::No {
            self.ours += 1;
        }
        let (campaign, user) = (&self.pages.campaign, self.book.member(kept.user));
        self.unsaid.count(|| {
            let grant = row.grant.as_ref().map_or("none: a draw", |grant| &grant.id);
            let ids = [
                ("grant", grant.to_owned()),
                ("row", row.number.to_string()),
                ("key", row.request_id.to_string()),
                ("user", user),
            ];
            Example::new(campaign, says, ids)
        });
    }

    /// Ends with what the counters say, and tells the truth; returns how draws came up.
    pub fn end(mut self, ended: &Ended<'_>, truth: &mut Truth) -> Drawn {
        self.promises(truth);
        truth.found(Id::GivenUnsaid, self.ours, std::mem::take(&mut self.unsaid));
        let done = |count: &mut Option<u64>, more: usize| {
            *count = count.map(|count| count + more as u64);
        };
        done(&mut truth.unknown.done, self.open_done.len());
        done(&mut truth.unknown.refused_and_done, self.settled_done.len());
        if ended.whole {
            let stocked = ended.lane.stock.iter();
            let units = stocked.filter_map(|stock| self.units.get(&stock.reward));
            let units = units.map(|units| units.given).sum();
            truth.found(Id::Oversold, units, self.oversold(ended.lane));
            let numbered = self.units.values().map(|units| units.serials.len() as u64);
            let numbered = numbered.sum::<u64>() + self.serials.count;
            truth.found(Id::Serials, numbered, std::mem::take(&mut self.serials));
            let grants = self.ids.len() as u64 + self.double.count;
            truth.found(Id::DoubleGrants, grants, std::mem::take(&mut self.double));
            let costly = if ended.lane.budget.is_some() || ended.lane.budget_today.is_some() {
                self.costly
            } else {
                0
            };
            truth.found(Id::Budget, costly, self.overrun(ended.lane));
        }
        self.drawn
    }

    fn promises(&self, truth: &mut Truth) {
        let mut missing = Faults::default();
        for (id, promise) in &self.pages.promises {
            if !self.ids.contains(id) {
                missing.count(|| self.missing(*id, promise.user, "the ledger does not have it"));
            }
        }
        truth.found(
            Id::PromisedMissing,
            self.pages.promises.len() as u64,
            missing,
        );
    }

    fn missing(&self, id: GrantId, user: u32, says: &str) -> Example {
        let ids = [("grant", id.to_string()), ("user", self.book.member(user))];
        Example::new(&self.pages.campaign, says, ids)
    }

    fn oversold(&self, lane: &LaneStats) -> Faults {
        let mut faults = Faults::default();
        for stock in &lane.stock {
            let given = self.units.get(&stock.reward).map_or(0, |units| units.given);
            let (there, counted) = (stock.ceiling.max(0) as u64, stock.issued.max(0) as u64);
            // The counter and the ledger must both be within the stock, and the counter must have counted all that the ledger has.
            for (beyond, says) in [
                (
                    given.saturating_sub(there),
                    format!("{given} units are given of {there}"),
                ),
                (
                    counted.saturating_sub(there.max(given)),
                    format!("the counter says that {counted} of {there} are gone"),
                ),
                (
                    given.min(there).saturating_sub(counted),
                    format!("the ledger has {given} units, its counter counted {counted}"),
                ),
            ] {
                if beyond > 0 {
                    let ids = [("reward", stock.reward.clone())];
                    faults.count(|| Example::new(&self.pages.campaign, says, ids));
                    faults.count += beyond - 1;
                }
            }
        }
        faults
    }

    fn overrun(&mut self, lane: &LaneStats) -> Faults {
        let mut faults = std::mem::take(&mut self.budget);
        let campaign = &self.pages.campaign;
        let mut hold = |spent: i128, budget: &Budget, what: &str| {
            let (Some(most), Some(counted)) = (money(&budget.ceiling), money(&budget.spent)) else {
                return;
            };
            let says = if spent > most {
                format!("{} is spent {what} of {}", decimal(spent), budget.ceiling)
            } else if counted > most {
                format!(
                    "the counter says that {} is spent of {}",
                    budget.spent, budget.ceiling
                )
            } else {
                return;
            };
            faults.count(|| Example::new(campaign, says, []));
        };
        if let Some(budget) = &lane.budget {
            hold(self.spent, budget, "in all");
        }
        if let Some(budget) = &lane.budget_today {
            // Days before the run may have had another bound.
            let in_run = |day: &NaiveDate| self.first_day.is_some_and(|first| *day >= first);
            for (day, spent) in self.spent_on.iter().filter(|(day, _)| in_run(day)) {
                hold(*spent, budget, &format!("on {day}"));
            }
        }
        faults
    }
}

/// Holds the promises to some users against what `/grants` tells them: all there is without a ledger.
pub fn sample<E>(
    book: &Book,
    pages: &Pages,
    most: usize,
    mut grants: impl FnMut(u32) -> Result<Vec<String>, E>,
    truth: &mut Truth,
) -> Result<(), E> {
    let mut of: BTreeMap<u32, Vec<GrantId>> = BTreeMap::new();
    for (id, promise) in &pages.promises {
        of.entry(promise.user).or_default().push(*id);
    }
    // Evenly over all who were promised something: those of the run's beginning and of its end.
    let step = of.len().div_ceil(most.max(1)).max(1);
    let (mut looked_at, mut missing) = (0, Faults::default());
    for (user, promised) in of.into_iter().step_by(step) {
        let has: HashSet<GrantId> = grants(user)?.iter().map(|id| GrantId::of(id)).collect();
        for id in promised {
            looked_at += 1;
            if !has.contains(&id) {
                let ids = [("grant", id.to_string()), ("user", book.member(user))];
                missing.count(|| Example::new(&pages.campaign, "`/grants` does not have it", ids));
            }
        }
    }
    truth.found(Id::PromisedMissing, looked_at, missing);
    Ok(())
}

/// A decimal string in millionths; `None` if it is none, or has more places.
fn money(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || places.len() > 6 || !plain(whole) || !plain(places) {
        return None;
    }
    format!("{whole}{places:0<6}")
        .parse::<i128>()
        .ok()
        .map(|amount| amount * sign)
}

/// Millionths as a decimal string, with two places at least.
fn decimal(amount: i128) -> String {
    let (whole, places) = (amount / 1_000_000, (amount % 1_000_000).abs());
    let places = format!("{places:06}");
    let places = places.trim_end_matches('0');
    format!("{whole}.{places:0<2}")
}

#[cfg(test)]
mod tests;
