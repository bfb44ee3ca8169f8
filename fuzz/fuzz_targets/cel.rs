//! Any text as an expression: a program or diagnostics, never a panic, and fast; a program runs or faults, never panics.
#![no_main]

use fuzz::checked;
use libfuzzer_sys::fuzz_target;
use machine::input::{Facts, Known, Payload, User};
use machine::luck::NoDraws;
use machine::model::Sender;
use machine::participant::Participant;
use machine::step::{Call, No, step};
use machine::{Fault, Value};

const CAMPAIGN: &str = "
activity: custom
title: Expressions
timezone: Asia/Shanghai
opens: 2026-09-01
closes: 2027-09-01
context: { a: 0, b: 1, s: { type: string, default: x }, t: { type: time, default: 2026-09-01 }, d: { type: date, default: 2026-09-01 }, flag: { type: bool, default: false } }
rewards: { points: { title: Points, kind: points, amount: 1 } }
machine:
  initial: one
  states:
    one:
      events:
        go: { payload: { n: { type: int, default: 5 }, w: { type: string, default: w } }, transitions: [{ when: @, do: [{ give: points }] }] }
        set: [{ do: [{ set: { a: @ } }] }]
        count: [{ when: count_today('count') > 3, reject: enough }, {}]
messages: { enough: Enough }
";

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // A JSON string is a YAML string.
    let quoted = serde_json::Value::String(text.into_owned()).to_string();
    let found = checked(&CAMPAIGN.replace('@', &quoted));
    // Once as a guard, once as a number: it is one of them at most, so look at each by itself.
    let as_guard = checked(&CAMPAIGN.replacen('@', &quoted, 1).replace('@', "1"));
    let as_number = checked(&CAMPAIGN.replacen('@', "true", 1).replace('@', &quoted));
    for checked in [found, as_guard, as_number] {
        let Some(definition) = checked.definition else {
            continue;
        };
        let campaign = campaign::link(definition, 1).expect("what passed the check links");
        let now = campaign.window.opens + 1;
        let record = Participant::new(&campaign, now);
        for event in ["go", "set"] {
            let payload = if event == "go" {
                vec![Value::Int(5), Value::Str("w".into())]
            } else {
                vec![]
            };
            let decided = step(&Call {
                campaign: &campaign,
                participant: &record,
                user: &User::nobody(&campaign.claims),
                sender: Sender::User,
                event: campaign
                    .event(event)
                    .zip(Some(&Payload { fields: payload })),
                facts: &Facts::settle(&campaign.facts, std::iter::empty::<Known>()),
                now,
                rehearsal: false,
                draws: &NoDraws,
                exhausted: &[],
            });
            if let Err(No::Fault(fault @ (Fault::Mismatch(_) | Fault::Restless))) = decided {
                panic!("{fault}");
            }
        }
    }
});
