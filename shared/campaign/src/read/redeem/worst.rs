//! What the codes of a kind give at worst: all of them, as often as each may be used. Known where the file says how many uses there
//! are: of a word, and of codes that stand in a file of the tenant's folder.

use blocks::redeem::Kind;
use machine::model::Budget;

use crate::check::Check;
use crate::codes;
use crate::document::Entry;

/// How many uses, and where that is said.
pub(super) struct Worst<'a> {
    kind: &'a Kind,
    entry: &'a Entry,
    uses: Option<u64>,
}

impl<'a> Worst<'a> {
    /// Of this kind.
    pub fn of(kind: &'a Kind, entry: &'a Entry, check: &Check<'_>) -> Self {
        let list = entry.value.get("list").and_then(|node| node.scalar());
        let codes = match list {
            None => Some(1),
            Some(list) => check
                .input
                .files
                .get(&format!("lists/{list}.csv"))
                .map(|text| text.lines().filter(|line| is_code(line)).count() as u64),
        };
        let uses = codes
            .zip(kind.uses)
            .map(|(codes, uses)| codes.saturating_mul(u64::from(uses)));
        Self { kind, entry, uses }
    }

    /// Warns of codes that end in "sold out": more of them than there is to give.
    pub fn report(&self, budget: Option<&Budget>, check: &mut Check<'_>) {
        let Some(uses) = self.uses else { return };
        let gives = self.entry.value.get("gives");
        let place = gives.map_or(&self.entry.key.place, |node| &node.place);
        for promise in &self.kind.gives {
            let Some(reward) = check.tables.reward_at(promise.reward) else {
                continue;
            };
            let short = reward.stock.filter(|stock| u64::from(*stock) < uses);
            let (Some(stock), None) = (short, reward.when_gone) else {
                continue;
            };
            let message = format!(
                "these codes can be used {uses} times, and there are {stock} of `{}`: whoever comes later holds a good code and gets nothing",
                reward.id
            );
            check
                .out
                .warn(codes::CODES_MORE, place, message)
                .help("raise `stock`, lower `uses`, or let something stand in (`when_gone`)");
        }
        if let Some(budget) = budget.filter(|budget| budget.when_spent.is_none()) {
            self.cost(uses, budget.total, check);
        }
    }

    /// Warns where the budget would not pay for all of them.
    fn cost(&self, uses: u64, total: i64, check: &mut Check<'_>) {
        let rewards = self.kind.gives.iter();
        let rewards = rewards.filter_map(|promise| check.tables.reward_at(promise.reward));
        let each: i64 = rewards.map(|reward| reward.cost).sum();
        let all = i128::from(each) * i128::from(uses);
        if all <= i128::from(total) {
            return;
        }
        let money = |minor: i128| {
            let minor = i64::try_from(minor).unwrap_or(i64::MAX);
            check.input.tenant.currency.decimal(minor)
        };
        let message = format!(
            "if all of these codes are used they cost {}, and the budget is {}",
            money(all),
            money(i128::from(total))
        );
        let place = &self.entry.key.place;
        check
            .out
            .warn(codes::CODES_MORE, place, message)
            .help("raise `budget`, lower `uses`, or give something cheaper");
    }
}

/// Whether a line of a file is a code, and neither empty nor the heading.
fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line != "code" && line != "member"
}
