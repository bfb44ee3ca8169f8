//! What the rehearsal's ledger says, and whether it is true: counted here from its rows alone, beside the store's own reconciliation. The
//! load test's judge looks at a target from outside; this looks at books that nobody else will ever see.

use std::collections::{BTreeMap, BTreeSet};

use machine::ids::{CampaignKey, Lane};
use machine::ledger::Row;
use machine::model::Definition;
use machine::{Day, Millis};
use store::Store;
use store::reconcile::reconcile;

use super::caller::Told;
use crate::failure::Failure;

/// How many rows are read at once.
const PAGE: usize = 1000;

/// How many differences are told in words.
const NAMED: usize = 20;

/// What was given.
#[derive(Debug, Default)]
pub struct Books {
    /// Units, by reward.
    pub given: BTreeMap<String, u64>,
    /// What was booked, by day of the campaign, in minor units.
    pub cost_by_day: BTreeMap<Day, i64>,
    /// When the last unit of a reward went, if it is gone.
    pub gone: BTreeMap<String, Millis>,
    /// Rows of the ledger.
    pub rows: u64,
    /// Draws.
    pub draws: u64,
}

/// Whether the books are true. Each must be 0.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Units given beyond the stock.
    pub oversold: u64,
    /// Grants that were there twice: the same user, rule, period and number, or the same unit.
    pub doubles: u64,
    /// Minor units booked beyond the budget, in all or on a day.
    pub over_budget: i64,
    /// Grants that an answer named and the ledger does not have.
    pub missing: u64,
    /// Differences that the store's reconciliation found.
    pub differences: u64,
    /// Calls that failed, or were answered otherwise when they were sent again.
    pub failed: u64,
    /// What is wrong, in words; as many as are useful.
    pub words: Vec<String>,
}

impl Truth {
    /// Whether all is as it must be.
    pub fn holds(&self) -> bool {
        let Self {
            oversold,
            doubles,
            over_budget,
            missing,
            differences,
            failed,
            words: _,
        } = self;
        *over_budget == 0
            && [oversold, doubles, missing, differences, failed]
                .iter()
                .all(|count| **count == 0)
    }
}

impl Books {
    /// What was booked in all, in minor units.
    pub fn cost(&self) -> i64 {
        self.cost_by_day.values().sum()
    }
}

/// Reads the ledger of a campaign's live lane, and judges it.
pub async fn read(
    store: &dyn Store,
    definition: &Definition,
    told: &Told,
) -> Result<(Books, Truth), Failure> {
    let key = CampaignKey {
        tenant: definition.tenant.clone(),
        campaign: definition.campaign.clone(),
        edition: definition.edition,
        lane: Lane::Live,
    };
    let away = |error: store::Error| Failure::unreachable("store", error.to_string());
    let (mut books, mut truth) = (Books::default(), Truth::default());
    let mut seen = Seen::default();
    loop {
        let rows = store.ledger(&key, books.rows, PAGE).await.map_err(away)?;
        let Some(last) = rows.last() else { break };
        books.rows = last.number + 1;
        for row in &rows {
            match &row.row {
                Row::Grant(grant) => {
                    let once = (
                        row.user.0,
                        grant.rule.to_string(),
                        format!("{:?}", grant.period),
                        grant.n,
                    );
                    let unit = grant
                        .serial
                        .map(|serial| (grant.reward.to_string(), serial));
                    let doubled = !seen.grants.insert(once)
                        | unit.is_some_and(|unit| !seen.units.insert(unit));
                    truth.doubles += u64::from(doubled);
                    let given = books.given.entry(grant.reward.to_string()).or_default();
                    *given += 1;
                    let day = definition.calendar.day(row.at);
                    *books.cost_by_day.entry(day).or_default() += grant.cost;
                    let mut rewards = definition.rewards.iter();
                    let stock = rewards
                        .find(|reward| reward.id == grant.reward)
                        .and_then(|reward| reward.stock);
                    if stock.is_some_and(|stock| u64::from(stock) == *given) {
                        books.gone.insert(grant.reward.to_string(), row.at);
                    }
                }
                Row::Draw(_) => books.draws += 1,
                Row::Message(_)
                | Row::Hand(_)
                | Row::Amended(_)
                | Row::Entry(_)
                | Row::Raffle(_) => {}
            }
        }
    }
    bounds(&books, definition, told, &mut truth);
    let report = reconcile(store, &key).await.map_err(away)?;
    let report =
        report.ok_or_else(|| Failure::check("no-such-lane", format!("{key} has no books")))?;
    truth.differences = report.found;
    let named = report.differences.iter().take(NAMED);
    truth.words.extend(named.map(ToString::to_string));
    truth.failed = told.failed;
    truth.words.extend(told.failures.iter().cloned());
    Ok((books, truth))
}

/// What was met before.
#[derive(Debug, Default)]
struct Seen {
    grants: BTreeSet<([u8; 16], String, String, u32)>,
    units: BTreeSet<(String, u64)>,
}

/// Holds what was given against what there was, and against what was promised.
fn bounds(books: &Books, definition: &Definition, told: &Told, truth: &mut Truth) {
    for reward in &definition.rewards {
        let given = books.given.get(&*reward.id).copied().unwrap_or_default();
        if let Some(stock) = reward.stock.map(u64::from)
            && given > stock
        {
            truth.oversold += given - stock;
            truth
                .words
                .push(format!("`{}`: {given} given of {stock}", reward.id));
        }
        let promised = told
            .promised
            .get(&*reward.id)
            .map_or(0, |ids| ids.len() as u64);
        if promised > given {
            truth.missing += promised - given;
            truth.words.push(format!(
                "`{}`: {promised} promised, {given} in the ledger",
                reward.id
            ));
        }
    }
    let Some(budget) = &definition.budget else {
        return;
    };
    let mut over = (books.cost() - budget.total).max(0);
    for cost in books.cost_by_day.values() {
        over += budget.per_day.map_or(0, |cap| (cost - cap).max(0));
    }
    if over > 0 {
        truth.over_budget = over;
        let over = definition.currency.decimal(over);
        truth.words.push(format!(
            "{over} {} were booked beyond the budget",
            definition.currency.code
        ));
    }
}
