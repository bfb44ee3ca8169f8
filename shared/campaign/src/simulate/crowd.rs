//! Who comes next: everybody who will come again, by the day on which they do. A record waits packed, and whoever will not
//! come again is let go of, so that a million people take some tens of megabytes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use machine::Millis;

use super::SimulateError;
use super::desk::Record;

/// Never.
pub const NEVER: Millis = Millis::MAX;

/// Somebody who comes again, or whom time changes.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Their number, from 0.
    pub number: u32,
    /// How often they were here.
    pub visits: u32,
    /// When they come; [`NEVER`] if only time is still to do something.
    pub next: Millis,
    /// When time alone changes the record; [`NEVER`] if it does not.
    pub timer: Millis,
    packed: Option<Box<[u8]>>,
}

impl Waiting {
    /// Somebody who comes for the first time.
    pub fn newcomer(number: u32, at: Millis) -> Self {
        Self {
            number,
            visits: 0,
            next: at,
            timer: NEVER,
            packed: None,
        }
    }

    /// Somebody with a record.
    pub fn with(
        number: u32,
        visits: u32,
        next: Millis,
        record: &Record,
    ) -> Result<Self, SimulateError> {
        let pack = |participant: &Arc<_>| {
            postcard::to_stdvec(&**participant)
                .map_err(|error| SimulateError::Record(error.to_string()))
        };
        let packed = record.participant.as_ref().map(pack).transpose()?;
        Ok(Self {
            number,
            visits,
            next,
            timer: record.timer.unwrap_or(NEVER),
            packed: packed.map(Vec::into_boxed_slice),
        })
    }

    /// The record, unpacked.
    pub fn record(&self) -> Result<Record, SimulateError> {
        let unpack = |packed: &[u8]| {
            postcard::from_bytes(packed).map_err(|error| SimulateError::Record(error.to_string()))
        };
        let participant = self.packed.as_deref().map(unpack).transpose()?;
        Ok(Record {
            participant: participant.map(Arc::new),
            timer: (self.timer != NEVER).then_some(self.timer),
        })
    }

    /// When something happens.
    pub fn at(&self) -> Millis {
        self.next.min(self.timer)
    }

    /// In time's order; nobody waits twice, so that no two are equal.
    fn order(&self) -> (Millis, u32) {
        (self.at(), self.number)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

/// Everybody who waits, day by day.
#[derive(Debug, Default)]
pub struct Crowd {
    days: Vec<Vec<Waiting>>,
    /// Those of today, the last first.
    today: Vec<Waiting>,
    /// Those who were here today and come again today.
    again: BinaryHeap<Reverse<Waiting>>,
    /// Which day is today.
    place: usize,
}

impl Crowd {
    /// Nobody, over so many days.
    pub fn new(days: usize) -> Self {
        Self {
            days: (0..days).map(|_| Vec::new()).collect(),
            ..Self::default()
        }
    }

    /// Begins the `place`-th day. What is left of the day before must have been taken.
    pub fn begin(&mut self, place: usize) {
        self.place = place;
        self.today = self
            .days
            .get_mut(place)
            .map(std::mem::take)
            .unwrap_or_default();
        self.today.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// Has somebody wait for the `place`-th day, today or later.
    pub fn wait(&mut self, place: usize, waiting: Waiting) {
        if place <= self.place {
            self.again.push(Reverse(waiting));
        } else if let Some(day) = self.days.get_mut(place) {
            day.push(waiting);
        }
    }

    /// Has somebody wait for a day that has not begun, the first one too.
    pub fn expect(&mut self, place: usize, waiting: Waiting) {
        if let Some(day) = self.days.get_mut(place) {
            day.push(waiting);
        }
    }

    /// Who comes next today.
    pub fn next(&mut self) -> Option<Waiting> {
        let again = self.again.peek().map(|Reverse(waiting)| waiting.order());
        match (self.today.last(), again) {
            (Some(first), Some(again)) if again < first.order() => {
                self.again.pop().map(|Reverse(waiting)| waiting)
            }
            (Some(_), _) => self.today.pop(),
            (None, _) => self.again.pop().map(|Reverse(waiting)| waiting),
        }
    }
}
