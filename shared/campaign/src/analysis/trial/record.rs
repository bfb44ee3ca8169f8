//! Telling records apart: two of the same mark have the same future, so one of them is enough.

use machine::Value;
use machine::ids::Period;
use machine::participant::Participant;

/// FNV-1a over what a record's future depends on. A collision would leave a record out, and could make nothing wrong.
struct Mark(u64);

impl Mark {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn number(&mut self, number: i64) {
        self.bytes(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.bytes(text.as_bytes());
    }
}

/// The mark of a record. How often it was committed, and how many draws it made, change nothing that follows.
pub(super) fn mark(participant: &Participant) -> u64 {
    let core = &participant.core;
    let mut mark = Mark(0xcbf2_9ce4_8422_2325);
    for number in [
        i64::from(core.state),
        core.entered_at,
        core.now,
        core.after_done as i64,
    ] {
        mark.number(number);
    }
    for value in &core.vars {
        match value {
            Value::Bool(value) => mark.number(i64::from(*value)),
            Value::Int(value) => mark.number(*value),
            Value::Str(text) => mark.text(text),
            Value::Strs(texts) => texts.iter().for_each(|text| mark.text(text)),
            Value::Days(days) => {
                mark.number(days.len() as i64);
                days.iter().for_each(|day| mark.number(i64::from(day)));
            }
        }
    }
    for grant in &participant.grants {
        let (kind, period) = match grant.period {
            Period::Ever | Period::Draw(_) | Period::Ticket(_) => (0, 0),
            Period::Day(day) => (1, day),
            Period::Week(week) => (2, week),
            Period::Month(month) => (3, month),
        };
        for number in [
            i64::from(grant.rule),
            i64::from(grant.reward),
            kind,
            i64::from(period),
        ] {
            mark.number(number);
        }
    }
    mark.0
}
