//! What one thread counts: totals that grow, and a beat that it tells once a second.

use std::time::Duration;

use crate::call::Verdict;
use crate::histogram::Histogram;
use crate::machine;

/// What came of all calls of one name.
#[derive(Debug)]
pub struct Times {
    /// Due until answered.
    pub corrected: Histogram,
    /// Sent until answered.
    pub raw: Histogram,
    /// Bytes of answers.
    pub bytes: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            corrected: Histogram::fine(),
            raw: Histogram::fine(),
            bytes: 0,
        }
    }
}

/// A second of one thread.
#[derive(Debug, Default)]
pub struct Beat {
    /// Which second of the run.
    pub second: u32,
    /// Calls that were due, by the second in which they were.
    pub asked: Vec<(u32, u64)>,
    /// Calls sent.
    pub sent: u64,
    /// Whole answers.
    pub answered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Journeys under way at its end.
    pub under_way: u64,
    /// Calls that waited for a connection at its end.
    pub waiting: u64,
    /// Connections at its end.
    pub connections: u64,
    /// CPU time used.
    pub cpu: Duration,
    /// How late calls were sent by the generator's own fault.
    pub lag: Option<Histogram>,
    /// Times of whole answers, by the name of their calls.
    pub times: Vec<Option<Histogram>>,
    /// Meanings that came: name of the call, word, verdict, how often.
    pub meanings: Vec<(usize, String, Verdict, u64)>,
}

/// All that a thread counts.
#[derive(Debug)]
pub struct Tally {
    /// By the name of the calls.
    pub calls: Vec<Times>,
    /// How late calls were sent by the generator's own fault.
    pub lag: Histogram,
    /// Calls that were due.
    pub asked: u64,
    /// Calls sent.
    pub sent: u64,
    /// Calls that were due and never sent.
    pub unsent: u64,
    /// Calls that found no connection free and had to wait for one.
    pub waited: u64,
    /// Connections made.
    pub connects: u64,
    /// Most connections at once.
    pub most_connections: u64,
    /// When the last answer came.
    pub last: Duration,
    /// CPU time used.
    pub cpu: Duration,
    /// The second that is under way.
    pub beat: Beat,
    cpu_at_beat: Duration,
    cpu_at_first: Duration,
}

/// One answer's figures.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The name of the call.
    pub call: usize,
    /// How it counts.
    pub verdict: Verdict,
    /// What it is called.
    pub word: &'a str,
    /// Due until answered, and sent until answered; `None` if nothing was.
    pub times: Option<(Duration, Duration)>,
    /// Bytes that came.
    pub bytes: usize,
}

impl Tally {
    /// For so many names of calls.
    pub fn new(names: usize) -> Self {
        let cpu = machine::thread_cpu();
        let mut calls = Vec::new();
        calls.resize_with(names, Times::default);
        Self {
            calls,
            lag: Histogram::fine(),
            asked: 0,
            sent: 0,
            unsent: 0,
            waited: 0,
            connects: 0,
            most_connections: 0,
            last: Duration::ZERO,
            cpu: Duration::ZERO,
            beat: Beat::empty(0, names),
            cpu_at_beat: cpu,
            cpu_at_first: cpu,
        }
    }

    /// A call is due.
    pub fn asked(&mut self, due: Duration) {
        self.asked += 1;
        let second = due.as_secs() as u32;
        match self.beat.asked.last_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.beat.asked.push((second, 1)),
        }
    }

    /// A call is sent, so late by the generator's own fault.
    pub fn sent(&mut self, lag: Duration) {
        self.sent += 1;
        self.beat.sent += 1;
        self.lag.count(lag);
        self.beat
            .lag
            .get_or_insert_with(Histogram::coarse)
            .count(lag);
    }

    /// Something came of a call, or did not.
    pub fn told(&mut self, now: Duration, told: &Told<'_>) {
        self.last = self.last.max(now);
        if told.verdict == Verdict::Failed {
            self.beat.failed += 1;
        }
        if let Some(times) = self.calls.get_mut(told.call) {
            times.bytes += told.bytes as u64;
            if let Some((corrected, raw)) = told.times {
                times.corrected.count(corrected);
                times.raw.count(raw);
            }
        }
        if let Some((corrected, _)) = told.times {
            self.beat.answered += 1;
            if let Some(times) = self.beat.times.get_mut(told.call) {
                times.get_or_insert_with(Histogram::coarse).count(corrected);
            }
        }
        let same = |meaning: &&mut (usize, String, Verdict, u64)| {
            meaning.0 == told.call && meaning.1 == told.word && meaning.2 == told.verdict
        };
        match self.beat.meanings.iter_mut().find(same) {
            Some(meaning) => meaning.3 += 1,
            None => self
                .beat
                .meanings
                .push((told.call, told.word.to_owned(), told.verdict, 1)),
        }
    }

    /// Takes this second's beat and begins the next one.
    pub fn beat(&mut self, under_way: usize, waiting: usize, connections: usize) -> Beat {
        let cpu = machine::thread_cpu();
        let next = Beat::empty(self.beat.second + 1, self.calls.len());
        let mut beat = std::mem::replace(&mut self.beat, next);
        beat.under_way = under_way as u64;
        beat.waiting = waiting as u64;
        beat.connections = connections as u64;
        beat.cpu = cpu.saturating_sub(self.cpu_at_beat);
        self.cpu_at_beat = cpu;
        self.cpu = cpu.saturating_sub(self.cpu_at_first);
        beat
    }
}

impl Beat {
    fn empty(second: u32, names: usize) -> Self {
        let mut times = Vec::new();
        times.resize_with(names, || None);
        Self {
            second,
            times,
            ..Self::default()
        }
    }
}
