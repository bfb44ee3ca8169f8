//! The rule of the record: a message of another campaign has one effect, in whatever order and however often it is delivered,
//! and a revision in between changes nothing of that.

use campaign::link;
use machine::input::{Facts, Payload, User};
use machine::luck::NoDraws;
use machine::migrate::migrate;
use machine::model::{Campaign, Sender};
use machine::participant::{Heard, Participant};
use machine::step::{Call, Decision, No, hear};
use machine::value::Value;
use proptest::prelude::*;

use crate::sound;

const EAR: &str = "
activity: custom
title: { zh-CN: 测试, en: Test }
opens: 2026-12-01 10:00
closes: 2026-12-15 22:00
context: { sum: { type: int, default: 0, show: true } }
events: { told: { from: { campaign: [words, books] }, payload: { n: { type: int } } } }
machine:
  initial: a
  states:
    a:
      events:
        told:
          - { when: event.n == 13, reject: unlucky }
          - { do: [{ set: { sum: sum + event.n } }] }
messages: { unlucky: { zh-CN: 不行, en: Unlucky } }
";

fn campaign(revision: u32) -> Campaign {
    let definition = sound::definition("ear", EAR);
    link(definition, revision).unwrap()
}

fn deliver(
    campaign: &Campaign,
    record: &Participant,
    message: &Heard,
    n: i64,
) -> Result<Option<Decision>, No> {
    let payload = Payload {
        fields: vec![Value::Int(n)],
    };
    let (user, facts) = (User::nobody(&campaign.claims), Facts::default());
    let call = Call {
        campaign,
        participant: record,
        user: &user,
        // Whoever calls: a message is a campaign's.
        sender: Sender::Timer,
        event: Some((0, &payload)),
        facts: &facts,
        now: campaign.window.opens,
        rehearsal: false,
        draws: &NoDraws,
        exhausted: &[],
    };
    hear(&call, message)
}

/// A ledger's messages, each with the number of its row: gaps are other rows.
fn ledger() -> impl Strategy<Value = Vec<(u64, i64)>> {
    prop::collection::vec((1_u64..4, 0_i64..20), 1..12).prop_map(|rows| {
        let mut number = 0;
        let rows = rows.into_iter().map(|(gap, n)| {
            number += gap;
            (number - 1, n)
        });
        rows.collect()
    })
}

proptest! {
    /// A relay goes through a ledger in order, and may begin again anywhere before where it was.
    #[test]
    fn each_message_counts_once(
        words in ledger(),
        books in ledger(),
        starts in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..12),
        revised in any::<prop::sample::Index>(),
    ) {
        let (old, new) = (campaign(1), campaign(2));
        let mut record = Participant::new(&old, old.window.opens);
        let mut under = &old;
        let mut reached = [0_usize; 2];
        let ends = [(true, words.len()), (false, books.len())];
        let begins = starts.iter().map(|(first, index)| {
            let rows = if *first { &words } else { &books };
            (*first, index.index(rows.len()))
        });
        let rounds: Vec<_> = begins.chain(ends).collect();
        let revised = revised.index(rounds.len());
        for (round, (first, upto)) in rounds.into_iter().enumerate() {
            if round == revised {
                record = migrate(&record, &old, &new);
                under = &new;
            }
            let (rows, source, place) = if first { (&words, "words/1", 0) } else { (&books, "books/3", 1) };
            // From the beginning each time, up to where this one is stopped.
            for (at, (sequence, n)) in rows.iter().enumerate().take(upto) {
                let message = Heard { source: source.into(), sequence: *sequence };
                let had = record.has_heard(&message);
                match deliver(under, &record, &message, *n) {
                    Ok(Some(decision)) => {
                        prop_assert!(!had && at >= reached[place], "{message:?} again");
                        record.core = decision.core;
                        record.heard = decision.heard;
                        reached[place] = at + 1;
                    }
                    Ok(None) => prop_assert!(had),
                    Err(No::Rejected(_)) => prop_assert!(*n == 13 && !had),
                    Err(No::Fault(fault)) => prop_assert!(false, "{fault}"),
                }
            }
        }
        let counts = |rows: &[(u64, i64)]| rows.iter().map(|(_, n)| *n).filter(|n| *n != 13).sum::<i64>();
        prop_assert_eq!(&record.core.vars[0], &Value::Int(counts(&words) + counts(&books)));
        prop_assert!(record.heard.len() <= 2);
    }
}
