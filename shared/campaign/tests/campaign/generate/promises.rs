//! What must hold of every answer of `step`, whatever it was asked.

use std::collections::BTreeMap;

use machine::Value;
use machine::expr::Fault;
use machine::ledger::Row;
use machine::model::{Sender, VarKind};
use machine::step::{Call, Decision, No};
use machine::view::view;

/// What must hold of every decision.
pub fn sound(call: &Call<'_>, decision: &Decision) {
    let (campaign, before, after) = (call.campaign, &call.participant.core, &decision.core);
    assert_eq!(after.version, before.version + 1);
    assert_eq!(after.revision, campaign.revision);
    assert_eq!(
        after.now,
        call.now.max(before.now),
        "time never runs backwards"
    );
    assert!(usize::from(after.state) < campaign.machine.states.len());
    assert_eq!(after.vars.len(), campaign.vars.len());
    for (value, var) in after.vars.iter().zip(&campaign.vars) {
        assert!(var.ty.admits(value), "`{}` has become {value:?}", var.name);
        if let (VarKind::Balance, Value::Int(held)) = (var.kind, value) {
            assert!(
                (0..=var.at_most).contains(held),
                "`{}` holds {held}",
                var.name
            );
        }
    }
    for grant in &decision.grants {
        assert!(usize::from(grant.rule) < campaign.rules_of_giving.len());
        assert!(usize::from(grant.reward) < campaign.rewards.len());
        assert!(grant.n >= 1);
    }
    let all: Vec<_> = call
        .participant
        .grants
        .iter()
        .chain(&decision.grants)
        .collect();
    let ids: BTreeMap<_, usize> = all.iter().fold(BTreeMap::new(), |mut ids, grant| {
        *ids.entry((grant.rule, grant.period, grant.n)).or_default() += 1;
        ids
    });
    assert!(
        ids.values().all(|times| *times == 1),
        "no grant id is given twice"
    );
    for (at, reward) in campaign.rewards.iter().enumerate() {
        let given = all
            .iter()
            .filter(|grant| usize::from(grant.reward) == at)
            .count();
        assert!(
            reward.per_user.is_none_or(|most| given <= most as usize),
            "`{}` was given {given} times",
            reward.id
        );
    }
    let rows = |wanted: fn(&Row) -> bool| decision.rows.iter().filter(|row| wanted(row)).count();
    assert_eq!(
        rows(|row| matches!(row, Row::Grant(_))),
        decision.grants.len(),
        "each grant has its row"
    );
    assert_eq!(
        rows(|row| matches!(row, Row::Draw(_))) as u64,
        after.draws - before.draws,
        "each draw has its row"
    );
    for counter in &decision.moves {
        assert!(counter.add > 0);
        let known = call.exhausted.iter().find(|left| left.key == counter.key);
        assert!(
            known.is_none_or(|left| counter.add <= left.left),
            "{} takes more than is left",
            counter.key
        );
    }
}

/// Looks at the page, and holds it against what the step answered.
pub fn looked_at(call: &Call<'_>, answer: &Result<Decision, No>) {
    let look = Call {
        event: None,
        ..*call
    };
    let view = match view(&look) {
        Ok(view) => view,
        Err(fault) => {
            assert!(
                matches!(fault, Fault::Overflow | Fault::DivisionByZero),
                "a page met {fault}"
            );
            return;
        }
    };
    for block in &call.campaign.blocks {
        let _ = (
            block.view(&view.turn.look(), "en"),
            block.public(call.campaign, "en"),
            block.next_at(&view.turn.look()),
        );
    }
    if call.sender == Sender::User
        && let Some((event, _)) = call.event
        && let Some(shown) = view.events.iter().find(|possible| possible.event == event)
        && shown.no.is_some()
    {
        assert!(answer.is_err(), "the page said no, and the step said yes");
    }
}
