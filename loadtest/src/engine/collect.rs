//! Puts the beats of all threads together while a run goes on: the timeline, what the live view shows, whether a stair still holds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::Verdict;
use crate::engine::meaning::verdict_word;
use crate::engine::tally::Beat;
use crate::histogram::Histogram;
use crate::limit::{Limit, What};
use crate::run::{self, Calls, Meaning, Window};

/// The most windows that a timeline has.
const MOST_WINDOWS: u64 = 240;

/// One second of a run, as it is shown live.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Seconds since the run began, at this one's end.
    pub at_secs: u64,
    /// How long the arrivals last in all, in seconds.
    pub of_secs: u64,
    /// The phase.
    pub phase: String,
    /// Calls that were due in this second.
    pub asked: u64,
    /// Calls sent.
    pub sent: u64,
    /// Whole answers.
    pub answered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Half of this second's answers came within this, in milliseconds, from when their calls were due; `None`: there were none.
    pub p50_ms: Option<f64>,
    /// 99 of 100.
    pub p99_ms: Option<f64>,
    /// How late 99 of 100 calls were sent by the generator's own fault, in milliseconds.
    pub lag_p99_ms: Option<f64>,
    /// What came since the run began: word, how it counts, how often; the most frequent first.
    pub outcomes: Vec<(String, Verdict, u64)>,
    /// Journeys under way.
    pub under_way: u64,
    /// Calls waiting for a connection.
    pub waiting: u64,
    /// Connections open.
    pub connections: u64,
    /// CPU that the generator used, in cores.
    pub cpu: f64,
}

/// All beats so far.
pub struct Collected {
    window_secs: u64,
    of_secs: u64,
    threads: u32,
    /// The timeline.
    pub windows: Vec<Window>,
    /// By name of the call: the times of each window.
    pub times: Vec<Vec<Histogram>>,
    /// By name of the call: what came.
    pub meanings: Vec<BTreeMap<String, Meaning>>,
    /// Seconds that not all threads have told of yet, with the number of those that have.
    open: BTreeMap<u32, (u32, Second)>,
    /// The next second that is shown.
    next: u32,
    outcomes: BTreeMap<String, (Verdict, u64)>,
    stair: Stair,
}

#[derive(Default)]
struct Second {
    window: Window,
    times: Option<Histogram>,
    lag: Option<Histogram>,
}

/// What came since the present stair began.
struct Stair {
    /// Those to come, the next one last.
    to_come: Vec<run::Stair>,
    /// Those that are over.
    over: Vec<run::Stair>,
    calls: Vec<Calls>,
    secs: f64,
}

impl Collected {
    /// Of a run whose arrivals last so long, by so many threads, of calls with these names (and campaigns).
    pub fn new(
        lasts: Duration,
        threads: u32,
        names: &[(String, String)],
        mut stairs: Vec<run::Stair>,
    ) -> Self {
        let of_secs = lasts.as_secs_f64().ceil() as u64;
        let empty = names.iter().map(|(name, campaign)| Calls {
            name: name.clone(),
            campaign: campaign.clone(),
            times: Histogram::coarse(),
            raw: Histogram::coarse(),
            windows: Vec::new(),
            meanings: BTreeMap::new(),
            bytes: 0,
        });
        stairs.reverse();
        Self {
            window_secs: of_secs.div_ceil(MOST_WINDOWS).max(1),
            of_secs,
            threads,
            windows: Vec::new(),
            times: vec![Vec::new(); names.len()],
            meanings: vec![BTreeMap::new(); names.len()],
            open: BTreeMap::new(),
            next: 0,
            outcomes: BTreeMap::new(),
            stair: Stair {
                to_come: stairs,
                over: Vec::new(),
                calls: empty.collect(),
                secs: 0.0,
            },
        }
    }

    /// How long a window is, in seconds.
    pub fn window_secs(&self) -> u64 {
        self.window_secs
    }

    fn window(&mut self, second: u32) -> &mut Window {
        let at = (u64::from(second) / self.window_secs) as usize;
        if self.windows.len() <= at {
            self.windows.resize_with(at + 1, Window::default);
        }
        // Made just now, if it was not there.
        &mut self.windows[at]
    }

    /// Takes a beat; the seconds that all threads have told of with it, in order.
    pub fn take(&mut self, beat: Beat, phase: impl Fn(Duration) -> String) -> Vec<Tick> {
        let second = beat.second;
        for (due, count) in &beat.asked {
            self.window(*due).asked += count;
            // What was due in a second that is shown already, and begins late, is in the timeline only.
            if *due >= self.next {
                self.open.entry(*due).or_default().1.window.asked += count;
            }
        }
        let cpu = beat.cpu.as_secs_f64();
        let window = self.window(second);
        window.sent += beat.sent;
        window.answered += beat.answered;
        window.failed += beat.failed;
        window.generator_cpu_secs += cpu;
        let place = (u64::from(second) / self.window_secs) as usize;
        let (told, open) = self.open.entry(second).or_default();
        *told += 1;
        let add = [
            (&mut open.window.sent, beat.sent),
            (&mut open.window.answered, beat.answered),
            (&mut open.window.failed, beat.failed),
            (&mut open.window.under_way, beat.under_way),
            (&mut open.window.waiting, beat.waiting),
            (&mut open.window.connections, beat.connections),
        ];
        for (sum, more) in add {
            *sum += more;
        }
        open.window.generator_cpu_secs += cpu;
        merge(&mut open.lag, beat.lag.as_ref());
        for (call, times) in beat.times.iter().enumerate() {
            let Some(times) = times else { continue };
            merge(&mut open.times, Some(times));
            if let Some(windows) = self.times.get_mut(call) {
                if windows.len() <= place {
                    windows.resize_with(place + 1, Histogram::coarse);
                }
                windows[place].merge(times);
            }
            if let Some(calls) = self.stair.calls.get_mut(call) {
                calls.times.merge(times);
            }
        }
        for (call, word, verdict, count) in beat.meanings {
            if let Some(meanings) = self.meanings.get_mut(call) {
                mean(meanings, &word, verdict, count);
            }
            if let Some(calls) = self.stair.calls.get_mut(call) {
                mean(&mut calls.meanings, &word, verdict, count);
            }
            self.outcomes.entry(word).or_insert((verdict, 0)).1 += count;
        }
        self.whole(phase)
    }

    /// The seconds that all threads have told of.
    fn whole(&mut self, phase: impl Fn(Duration) -> String) -> Vec<Tick> {
        let mut ticks = Vec::new();
        loop {
            let told = self.open.get(&self.next).map_or(0, |(told, _)| *told);
            if told < self.threads {
                return ticks;
            }
            let Some((_, second)) = self.open.remove(&self.next) else {
                return ticks;
            };
            // What a window says of its end is what its last second says.
            let window = self.window(self.next);
            window.under_way = second.window.under_way;
            window.waiting = second.window.waiting;
            window.connections = second.window.connections;
            self.stair.secs += 1.0;
            let quantile = |times: &Option<Histogram>, share| times.as_ref()?.quantile_ms(share);
            let outcomes = self.outcomes.iter();
            let mut outcomes: Vec<(String, Verdict, u64)> = outcomes
                .map(|(word, (verdict, count))| (word.clone(), *verdict, *count))
                .collect();
            outcomes.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
            ticks.push(Tick {
                at_secs: u64::from(self.next) + 1,
                of_secs: self.of_secs,
                phase: phase(Duration::from_secs(u64::from(self.next))),
                asked: second.window.asked,
                sent: second.window.sent,
                answered: second.window.answered,
                failed: second.window.failed,
                p50_ms: quantile(&second.times, 0.5),
                p99_ms: quantile(&second.times, 0.99),
                lag_p99_ms: quantile(&second.lag, 0.99),
                outcomes,
                under_way: second.window.under_way,
                waiting: second.window.waiting,
                connections: second.window.connections,
                cpu: second.window.generator_cpu_secs,
            });
            self.next += 1;
        }
    }

    /// At the end of a stair: whether it missed one of these limits. What wants more than a bound (`rate > 900/s`) is no reason to stop:
    /// the lower stairs can't have it.
    pub fn has_broken(&mut self, limits: &[Limit]) -> bool {
        let now = f64::from(self.next);
        let Some(mut over) = self.stair.to_come.pop_if(|stair| stair.to_secs <= now) else {
            return false;
        };
        let secs = std::mem::take(&mut self.stair.secs);
        let bounds = limits
            .iter()
            .filter(|limit| limit.below && !matches!(limit.what, What::Rate));
        let missed = bounds.filter_map(|limit| limit.missed_by(&self.stair.calls, secs));
        over.missed = missed.collect();
        for calls in &mut self.stair.calls {
            calls.times = Histogram::coarse();
            calls.meanings.clear();
        }
        let broken = !over.missed.is_empty();
        self.stair.over.push(over);
        broken
    }

    /// The stairs that are over.
    pub fn stairs(&mut self) -> Vec<run::Stair> {
        std::mem::take(&mut self.stair.over)
    }
}

fn merge(into: &mut Option<Histogram>, other: Option<&Histogram>) {
    if let Some(other) = other {
        into.get_or_insert_with(Histogram::coarse).merge(other);
    }
}

fn mean(meanings: &mut BTreeMap<String, Meaning>, word: &str, verdict: Verdict, count: u64) {
    if let Some(meaning) = meanings.get_mut(word) {
        meaning.count += count;
    } else {
        let meaning = Meaning {
            verdict: verdict_word(verdict).to_owned(),
            count,
        };
        meanings.insert(word.to_owned(), meaning);
    }
}
