//! Whatever is sent to a campaign that passed the check, whenever: `step` and `view` answer, and what they decide is sound.
#![no_main]

use std::sync::Arc;

use fuzz::{Bytes, CAMPAIGNS};
use libfuzzer_sys::fuzz_target;
use machine::expr::Fault;
use machine::ids::Pseudonym;
use machine::input::{Facts, Known, Payload, User};
use machine::ledger::Row;
use machine::luck::{Seed, Seeded};
use machine::model::{Sender, VarKind};
use machine::participant::Participant;
use machine::step::{Call, No, step};
use machine::value::{Type, Value};
use machine::view::view;
use machine::world::{CounterKey, Left};

fn value(ty: Type, bytes: &mut Bytes<'_>) -> Value {
    match ty {
        Type::Bool => Value::Bool(bytes.byte() & 1 == 1),
        Type::Int | Type::Date | Type::Time | Type::Duration => Value::Int(bytes.int()),
        Type::Str => Value::Str(bytes.text().into()),
        Type::Strs => Value::Strs(
            (0..bytes.below(4))
                .map(|_| Arc::from(bytes.text()))
                .collect(),
        ),
        Type::Days => Value::Days(machine::value::Days::default()),
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let campaign = &CAMPAIGNS[bytes.below(CAMPAIGNS.len())];
    let who = Pseudonym([bytes.byte(); 16]);
    let draws = Seeded::new(&Seed([1; 32]), &campaign.path(), campaign.edition, &who);
    let mut now = campaign.window.opens + bytes.int() % (400 * 86_400_000);
    let mut record = Participant::new(campaign, now);
    for _ in 0..64 {
        if bytes.done() {
            break;
        }
        // Mostly forward by minutes to days, sometimes anywhere.
        now = match bytes.byte() {
            0..=220 => now.saturating_add(i64::from(bytes.byte()) * 1_200_000),
            221..=240 => now.saturating_sub(i64::from(bytes.byte()) * 1_200_000),
            _ => bytes.int(),
        };
        let user = User {
            claims: campaign
                .claims
                .iter()
                .map(|claim| value(claim.ty, &mut bytes))
                .collect(),
        };
        let facts = Facts::settle(
            &campaign.facts,
            campaign.facts.iter().map(|_| {
                if bytes.byte() & 1 == 1 {
                    Known::Yes
                } else {
                    Known::Unknown
                }
            }),
        );
        let event = bytes.below(campaign.events.len() + 1);
        let payload = campaign.events.get(event).map(|event| {
            // A payload that came in through the door: within its bounds.
            let fields = event
                .payload
                .iter()
                .map(|field| match value(field.ty, &mut bytes) {
                    Value::Int(number) if field.ty == Type::Int => {
                        Value::Int(number.clamp(field.at_least, field.at_most))
                    }
                    other => other,
                });
            Payload {
                fields: fields.collect(),
            }
        });
        let gone: Vec<Left> = campaign
            .rewards
            .iter()
            .map(|reward| CounterKey::Stock(reward.id.clone()))
            .chain([
                CounterKey::Budget,
                CounterKey::BudgetDay(campaign.calendar.day(now)),
            ])
            .filter_map(|key| {
                (bytes.byte() & 3 == 3).then(|| Left {
                    key,
                    left: i64::from(bytes.byte() & 1),
                })
            })
            .collect();
        let sender = [
            Sender::User,
            Sender::Backend,
            Sender::Timer,
            Sender::Campaign,
        ][bytes.below(4)];
        let call = Call {
            campaign,
            participant: &record,
            user: &user,
            sender,
            event: payload.as_ref().map(|payload| (event as u16, payload)),
            facts: &facts,
            now,
            rehearsal: bytes.byte() & 7 == 7,
            draws: &draws,
            exhausted: &gone,
        };
        if let Err(Fault::Mismatch(what)) = view(&call) {
            panic!("{what}");
        }
        match step(&call) {
            Err(No::Fault(fault @ (Fault::Mismatch(_) | Fault::Restless))) => panic!("{fault}"),
            Err(_) => {}
            Ok(decision) => {
                assert_eq!(
                    decision,
                    step(&call).expect("the same arguments give the same answer")
                );
                assert!(
                    decision.core.now >= record.core.now
                        && decision.core.version == record.core.version + 1
                );
                let drawn = decision
                    .rows
                    .iter()
                    .filter(|row| matches!(row, Row::Draw(_)))
                    .count() as u64;
                assert_eq!(decision.core.draws, record.core.draws + drawn);
                let booked = decision
                    .rows
                    .iter()
                    .filter(|row| matches!(row, Row::Grant(_)))
                    .count();
                assert_eq!(booked, decision.grants.len());
                for (decl, value) in campaign.vars.iter().zip(&decision.core.vars) {
                    assert!(decl.ty.admits(value), "{}", decl.name);
                    if let (VarKind::Balance, Value::Int(held)) = (decl.kind, value) {
                        assert!((0..=decl.at_most).contains(held), "{}: {held}", decl.name);
                    }
                }
                for counter in &decision.moves {
                    assert!(counter.add >= 0);
                    let left = gone.iter().find(|left| left.key == counter.key);
                    assert!(
                        left.is_none_or(|left| counter.add <= left.left),
                        "{} beyond what is left",
                        counter.key
                    );
                }
                for reward in &campaign.rewards {
                    let place = campaign.reward(&reward.id).expect("it is there");
                    let given = record
                        .grants
                        .iter()
                        .chain(&decision.grants)
                        .filter(|grant| grant.reward == place)
                        .count();
                    assert!(
                        reward.per_user.is_none_or(|most| given <= most as usize)
                            || decision.grants.iter().all(|grant| grant.reward != place)
                    );
                }
                for (at, grant) in decision.grants.iter().enumerate() {
                    let earlier = record.grants.iter().chain(&decision.grants[..at]);
                    let same = |other: &&machine::Grant| {
                        (other.rule, other.period, other.n) == (grant.rule, grant.period, grant.n)
                    };
                    assert!(!{ earlier }.any(|other| same(&other)), "one grant id twice");
                }
                record.core = decision.core;
                record.grants.extend(decision.grants);
            }
        }
    }
});
