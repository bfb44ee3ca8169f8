//! One thread of the generator: begins journeys when they are due, sends their calls, hears the answers.
//!
//! An open model: what is due is sent, on a connection that is free or on a new one, whatever became of the calls before. Only where all
//! connections that the scenario allows are busy a call waits, and its time runs from when it was due.

mod conns;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;

use mio::{Events, Poll, Token};
use slab::Slab;

use crate::call::{Again, Answer, Books, Lost, Verdict};
use crate::engine::Error;
use crate::engine::chance::Dice;
use crate::engine::crowd::{Arrival, Arrivals, purpose};
use crate::engine::journey::{Cursor, Next};
use crate::engine::link::SCRATCH;
use crate::engine::meaning::{DROPPED, LOST, UNSENT};
use crate::engine::plan::Plan;
use crate::engine::request::Request;
use crate::engine::tally::{Beat, Tally, Told};
use crate::engine::timer::Alarm;

use conns::{Conn, told_of};

/// The alarm's token; connections have theirs by their place.
const ALARM: Token = Token(usize::MAX);
/// How many journeys begin before answers are looked at again.
const AT_ONCE: usize = 64;
/// How often a call is sent at most, the first time included.
const TRIES: u32 = 3;
/// How long a client waits before it sends again what was lost; twice as long the time after.
const AFTER_LOST: Duration = Duration::from_millis(100);
/// How often one that waits for the time to begin looks whether it is to stop.
const LOOKS_UP: Duration = Duration::from_millis(100);
/// Server time that is waited for at most: `Retry-After` is a stranger's word.
const MOST_RETRY: Duration = Duration::from_mins(1);

/// A journey under way. Made when it is due, gone when it is over.
struct Under {
    arrival: Arrival,
    cursor: Cursor,
    dice: Dice,
    token: String,
    /// Calls so far: part of the keys.
    calls: u32,
    call: Current,
}

/// The call that a journey is at.
#[derive(Debug, Clone, Default)]
struct Current {
    request: usize,
    key: String,
    due: Duration,
    sent: Duration,
    tries: u32,
    again: Option<Again>,
    /// The connection is to be dropped once it is written.
    drop: bool,
    /// It went out before on a connection that had ended meanwhile: that is no second call.
    resent: bool,
}

impl Current {
    fn again(&self) -> Again {
        self.again.unwrap_or(Again::First)
    }
}

/// What is to be done at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A journey's next call.
    Call(usize),
    /// A look whether a connection has waited too long: its place and serial.
    Patience(usize, u64),
}

/// One thread.
pub struct Worker<B> {
    plan: Arc<Plan>,
    books: B,
    poll: Poll,
    alarm: Alarm,
    arrivals: Arrivals,
    /// Who comes next, with their token: made ahead of time.
    next: Option<(Arrival, String)>,
    under_way: Slab<Under>,
    conns: Slab<Conn>,
    idle: Vec<usize>,
    limit: usize,
    serial: u64,
    /// Journeys whose call is due and has no connection.
    waiting: VecDeque<usize>,
    agenda: BinaryHeap<Reverse<(Duration, What)>>,
    tally: Tally,
    beats: Sender<Beat>,
    out: Vec<u8>,
    scratch: Vec<u8>,
    stopping: bool,
}

/// What a thread leaves.
pub struct Left<B> {
    /// Its books.
    pub books: B,
    /// Its counts.
    pub tally: Tally,
}

impl<B: Books> Worker<B> {
    /// A thread with its share of the arrivals and `limit` connections at most.
    pub fn new(
        plan: Arc<Plan>,
        arrivals: Arrivals,
        limit: usize,
        books: B,
        beats: Sender<Beat>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let alarm = Alarm::new(&poll, ALARM)?;
        let tally = Tally::new(plan.names.len());
        Ok(Self {
            plan,
            books,
            poll,
            alarm,
            arrivals,
            next: None,
            under_way: Slab::new(),
            conns: Slab::new(),
            idle: Vec::new(),
            limit: limit.max(1),
            serial: 0,
            waiting: VecDeque::new(),
            agenda: BinaryHeap::new(),
            tally,
            beats,
            out: Vec::with_capacity(2048),
            scratch: vec![0; SCRATCH],
            stopping: false,
        })
    }

    /// Plays until the last journey is over.
    pub fn run(mut self) -> Result<Left<B>, Error> {
        let failed = |error: io::Error| Error::Io {
            doing: "the generator can't wait for its sockets",
            source: error,
        };
        let mut events = Events::with_capacity(1024);
        self.prepare()?;
        self.await_the_beginning(&mut events).map_err(failed)?;
        loop {
            let more = self.work()?;
            if self.next.is_none() && self.under_way.is_empty() {
                break;
            }
            let wait = if more {
                Some(Duration::ZERO)
            } else {
                let wake = self.wake();
                self.alarm.set(self.plan.clock, wake).map_err(failed)?;
                None
            };
            match self.poll.poll(&mut events, wait) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            }
            for event in &events {
                if event.token() != ALARM {
                    self.ready(event.token().0, event.is_read_closed());
                }
            }
        }
        self.beat();
        Ok(Left {
            books: self.books,
            tally: self.tally,
        })
    }

    /// Waits for the alarm of the time to begin, which may be hours away: a stop is seen meanwhile.
    fn await_the_beginning(&mut self, events: &mut Events) -> io::Result<()> {
        self.alarm.set(self.plan.clock, Duration::ZERO)?;
        while !self.plan.stop.load(Ordering::Relaxed)
            && !self.plan.clock.until(Duration::ZERO).is_zero()
        {
            match self.poll.poll(events, Some(LOOKS_UP)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Does what is due; whether more is due at once.
    fn work(&mut self) -> Result<bool, Error> {
        let now = self.plan.clock.now();
        while u64::from(self.tally.beat.second) < now.as_secs() {
            self.beat();
        }
        if !self.stopping && self.plan.stop.load(Ordering::Relaxed) {
            self.stop();
        }
        if self.plan.enough.load(Ordering::Relaxed) {
            self.next = None;
        }
        while let Some(Reverse((at, what))) = self.agenda.peek().copied() {
            if at > now {
                break;
            }
            self.agenda.pop();
            match what {
                What::Call(journey) => self.submit(journey),
                What::Patience(place, serial) => self.look_at_patience(place, serial, now),
            }
        }
        self.give_up_waiting(now);
        for _ in 0..AT_ONCE {
            match self.next.take() {
                Some((arrival, token)) if arrival.due <= now => {
                    self.begin(arrival, token);
                    self.prepare()?;
                }
                later => {
                    self.next = later;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// When there is something to do next.
    fn wake(&self) -> Duration {
        let second = Duration::from_secs(u64::from(self.tally.beat.second) + 1);
        let arrival = self.next.as_ref().map(|(arrival, _)| arrival.due);
        let agenda = self.agenda.peek().map(|Reverse((at, _))| *at);
        let waiting = self.waiting.front().and_then(|journey| {
            let under = self.under_way.get(*journey)?;
            Some(under.call.due + self.plan.patience)
        });
        // A stop is seen soon, though nothing else happens.
        let tenths = self.plan.clock.now().as_millis() as u64 / 100 + 1;
        let stop = Duration::from_millis(tenths * 100);
        [arrival, agenda, waiting]
            .into_iter()
            .flatten()
            .fold(second.min(stop), Duration::min)
    }

    fn beat(&mut self) {
        let beat = self
            .tally
            .beat(self.under_way.len(), self.waiting.len(), self.conns.len());
        // Nobody listens any more once the run has failed elsewhere.
        let _ = self.beats.send(beat);
    }

    /// Makes the next arrival's token, before it is due.
    fn prepare(&mut self) -> Result<(), Error> {
        self.next = None;
        if self.stopping || self.plan.enough.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(arrival) = self.arrivals.next() {
            let token = self.plan.token(arrival.journey, arrival.user)?;
            self.next = Some((arrival, token));
        }
        Ok(())
    }

    fn begin(&mut self, arrival: Arrival, token: String) {
        let dice = Dice::of(self.plan.seed, purpose::WAY, arrival.number);
        let journey = self.under_way.insert(Under {
            arrival,
            cursor: Cursor::default(),
            dice,
            token,
            calls: 0,
            call: Current::default(),
        });
        self.go_on(journey, arrival.due);
    }

    /// A journey goes to its next call, which is due after what it thinks from `at` on.
    fn go_on(&mut self, journey: usize, at: Duration) {
        let Some(under) = self.under_way.get_mut(journey) else {
            return;
        };
        let Some((program, _, _)) = self.plan.journeys.get(under.arrival.journey) else {
            return;
        };
        let mut due = at;
        let request = loop {
            match under.cursor.next(program, &mut under.dice) {
                Next::Wait(time) => due += time,
                Next::Call(request) => break Some(request),
                Next::End => break None,
            }
        };
        let Some(request) = request.filter(|_| !self.stopping) else {
            self.under_way.remove(journey);
            return;
        };
        under.calls += 1;
        let mut key = std::mem::take(&mut under.call.key);
        key.clear();
        if self
            .plan
            .requests
            .get(request)
            .is_some_and(Request::is_event)
        {
            use std::fmt::Write as _;
            // Writing into memory does not fail.
            let _ = write!(
                key,
                "{}-{:x}-{}",
                self.plan.keys, under.arrival.number, under.calls
            );
        }
        under.call = Current {
            request,
            key,
            due,
            ..Current::default()
        };
        self.at(journey, due);
    }

    /// Sends a call when it is due.
    fn at(&mut self, journey: usize, due: Duration) {
        if due <= self.plan.clock.now() {
            self.submit(journey);
        } else {
            self.agenda.push(Reverse((due, What::Call(journey))));
        }
    }

    /// A call is due.
    fn submit(&mut self, journey: usize) {
        let Some(under) = self.under_way.get(journey) else {
            return;
        };
        if !under.call.resent {
            self.tally.asked(under.call.due);
        }
        if self.stopping {
            self.tally.unsent += 1;
            self.under_way.remove(journey);
        } else if let Some(place) = self.idle.pop() {
            self.send(place, journey, Duration::ZERO);
        } else if self.conns.len() < self.limit {
            self.connect(journey, Duration::ZERO);
        } else {
            self.tally.waited += 1;
            self.waiting.push_back(journey);
        }
    }

    /// A journey has its answer.
    fn after(&mut self, journey: usize, now: Duration, verdict: Verdict, wait: Option<Duration>) {
        let Some(under) = self.under_way.get_mut(journey) else {
            return;
        };
        let call = &mut under.call;
        if let Some(wait) = wait.filter(|_| call.tries + 1 < TRIES && !self.stopping) {
            return self.again(journey, Again::Retry, now + wait);
        }
        let is_event = !call.key.is_empty();
        let replayed = call.again() == Again::Replay;
        if verdict == Verdict::Good
            && is_event
            && !replayed
            && !self.stopping
            && self.plan.provoke.replay > 0.0
            && under.dice.share() < self.plan.provoke.replay
        {
            return self.again(journey, Again::Replay, now);
        }
        // What is sent again after its answer changes nothing for its user, whatever comes.
        if verdict != Verdict::Good && !replayed {
            under.cursor.give_up();
        }
        self.go_on(journey, now);
    }

    /// Sends the same call with the same key again.
    fn again(&mut self, journey: usize, again: Again, due: Duration) {
        let Some(under) = self.under_way.get_mut(journey) else {
            return;
        };
        let call = &mut under.call;
        if again == Again::Retry {
            call.tries += 1;
        }
        // A replay whose answer is lost is sent again as the replay that it is.
        if call.again != Some(Again::Replay) {
            call.again = Some(again);
        }
        call.due = due;
        call.drop = false;
        call.resent = false;
        self.at(journey, due);
    }

    /// A call has no answer.
    fn lost(&mut self, journey: usize, why: Lost, bytes: usize) {
        let now = self.plan.clock.now();
        let Some(under) = self.under_way.get_mut(journey) else {
            return;
        };
        let Some(request) = self.plan.requests.get(under.call.request) else {
            return;
        };
        self.books
            .heard(&told_of(under, request), &Answer::Lost(why));
        let on_purpose = why == Lost::OnPurpose;
        let told = Told {
            call: request.counted,
            verdict: if on_purpose {
                Verdict::Good
            } else {
                Verdict::Failed
            },
            word: if on_purpose { DROPPED } else { LOST },
            times: None,
            bytes,
        };
        self.tally.told(now, &told);
        let tries = under.call.tries;
        if request.is_event() && tries + 1 < TRIES && !self.stopping {
            let wait = if on_purpose {
                Duration::ZERO
            } else {
                AFTER_LOST * (1 << tries)
            };
            return self.again(journey, Again::Retry, now + wait);
        }
        under.cursor.give_up();
        self.go_on(journey, now);
    }

    /// Users who have waited as long as they are patient give up.
    fn give_up_waiting(&mut self, now: Duration) {
        while let Some(journey) = self.waiting.front().copied() {
            let Some(under) = self.under_way.get(journey) else {
                self.waiting.pop_front();
                continue;
            };
            let waited = now.saturating_sub(under.call.due);
            if waited < self.plan.patience {
                return;
            }
            let counted = self.plan.requests.get(under.call.request);
            let told = Told {
                call: counted.map_or(0, |request| request.counted),
                verdict: Verdict::Failed,
                word: UNSENT,
                times: None,
                bytes: 0,
            };
            self.tally.told(now, &told);
            self.tally.unsent += 1;
            self.waiting.pop_front();
            self.under_way.remove(journey);
        }
    }

    /// Nothing new is sent; what is under way may still be answered.
    fn stop(&mut self) {
        self.stopping = true;
        self.next = None;
        let waiting = std::mem::take(&mut self.waiting);
        self.tally.unsent += waiting.len() as u64;
        let busy: Vec<usize> = self
            .conns
            .iter()
            .filter_map(|(_, conn)| conn.journey)
            .collect();
        self.under_way.retain(|journey, _| busy.contains(&journey));
        self.agenda
            .retain(|Reverse((_, what))| matches!(what, What::Patience(..)));
    }
}
