//! A thread's connections: opened when they are wanted, sent on, listened to, given to whoever waits.

use std::cmp::Reverse;
use std::time::Duration;

use mio::{Interest, Token};

use super::{MOST_RETRY, Under, What, Worker};
use crate::call::{Answer, Books, Call, Lost};
use crate::engine::link::{Came, Link};
use crate::engine::meaning;
use crate::engine::request::{Request, Whose};
use crate::engine::tally::Told;
use crate::engine::wire::Reader;

/// A connection.
pub(super) struct Conn {
    link: Link,
    reader: Reader,
    /// Tells it from others at the same place before and after.
    serial: u64,
    pub(super) journey: Option<usize>,
    connected: bool,
    /// Not all of the request is written.
    pending: bool,
    /// It has answered before.
    used: bool,
    /// Until when its answer is waited for.
    deadline: Duration,
}

impl<B: Books> Worker<B> {
    /// Opens a connection for a journey's call, which had none before `free`.
    pub(super) fn connect(&mut self, journey: usize, free: Duration) {
        self.tally.connects += 1;
        let entry = self.conns.vacant_entry();
        let place = entry.key();
        let opened = Link::open(&self.plan.target).and_then(|mut link| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(link.socket(), Token(place), interest)?;
            Ok(link)
        });
        let Ok(link) = opened else {
            self.lost(journey, Lost::Refused, 0);
            return;
        };
        self.serial += 1;
        entry.insert(Conn {
            link,
            reader: Reader::default(),
            serial: self.serial,
            journey: None,
            connected: false,
            pending: false,
            used: false,
            deadline: Duration::ZERO,
        });
        let open = self.conns.len() as u64;
        self.tally.most_connections = self.tally.most_connections.max(open);
        let now = self.plan.clock.now();
        let look = now + self.plan.patience;
        self.agenda
            .push(Reverse((look, What::Patience(place, self.serial))));
        self.send(place, journey, free);
    }

    /// Sends a journey's call on a connection that was not free before `free`.
    pub(super) fn send(&mut self, place: usize, journey: usize, free: Duration) {
        let (Some(conn), Some(under)) =
            (self.conns.get_mut(place), self.under_way.get_mut(journey))
        else {
            return;
        };
        let Some(request) = self.plan.requests.get(under.call.request) else {
            return;
        };
        let call = &mut under.call;
        if request.is_event() && call.again.is_none() && self.plan.provoke.drop > 0.0 {
            call.drop = under.dice.share() < self.plan.provoke.drop;
        }
        let whose = Whose {
            token: &under.token,
            user: under.arrival.user,
            address: self.plan.address(under.arrival.user),
        };
        self.out.clear();
        let texts = self.plan.texts(under.arrival.number, under.calls);
        request.write(&whose, &call.key, texts, &mut self.out);
        let now = self.plan.clock.now();
        call.sent = now;
        if !call.resent {
            self.tally.sent(now.saturating_sub(call.due.max(free)));
        }
        conn.journey = Some(journey);
        conn.deadline = now + self.plan.patience;
        let written = conn.link.send(&self.out);
        conn.pending = !matches!(written, Ok(true));
        let drop = call.drop;
        match written {
            Ok(true) if drop => self.end(place, Lost::OnPurpose),
            Ok(_) => {}
            Err(_) => self.end(place, Lost::Closed),
        }
    }

    /// A connection has news; with `closed` nothing more than what is there will come.
    pub(super) fn ready(&mut self, place: usize, closed: bool) {
        let now = self.plan.clock.now();
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        if !conn.connected {
            match conn.link.is_connected() {
                Ok(false) => return,
                Ok(true) => {
                    conn.connected = true;
                    // Connecting was the network's time, not the answer's: what a closed-loop tool shows begins here.
                    let under = conn.journey.and_then(|at| self.under_way.get_mut(at));
                    if let Some(under) = under {
                        under.call.sent = now;
                    }
                }
                Err(_) => return self.end(place, Lost::Refused),
            }
        }
        if !self.flush(place) {
            return;
        }
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        let came = conn.link.read(&mut self.scratch, &mut conn.reader, closed);
        if closed && matches!(came, Ok(Came::Whole)) {
            // It is not for a second answer.
            conn.reader.end();
        }
        match came {
            // A handshake may have words to send now.
            Ok(Came::Nothing) => {
                self.flush(place);
            }
            // Nobody asked for it.
            Ok(Came::Whole) if conn.journey.is_none() => self.end(place, Lost::Closed),
            Ok(Came::Whole) => self.answered(place),
            Ok(Came::Garbled) => self.end(place, Lost::Garbled),
            Ok(Came::End) if conn.reader.end() => self.answered(place),
            Ok(Came::End) | Err(_) => self.end(place, Lost::Closed),
        }
    }

    /// Writes what is left; whether the connection is still there.
    pub(super) fn flush(&mut self, place: usize) -> bool {
        let Some(conn) = self.conns.get_mut(place) else {
            return false;
        };
        if !conn.pending {
            return true;
        }
        match conn.link.flush() {
            Ok(false) => true,
            Ok(true) => {
                conn.pending = false;
                let under = conn.journey.and_then(|journey| self.under_way.get(journey));
                if under.is_some_and(|under| under.call.drop) {
                    self.end(place, Lost::OnPurpose);
                    return false;
                }
                true
            }
            Err(_) => {
                self.end(place, Lost::Closed);
                false
            }
        }
    }

    /// An answer is whole.
    pub(super) fn answered(&mut self, place: usize) {
        let now = self.plan.clock.now();
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        let Some(journey) = conn.journey.take() else {
            return;
        };
        let (Some(under), Some(head)) = (self.under_way.get(journey), conn.reader.head().copied())
        else {
            return;
        };
        let Some(request) = self.plan.requests.get(under.call.request) else {
            return;
        };
        let (call, body) = (&under.call, conn.reader.body());
        let answer = Answer::Came {
            status: head.status,
            replayed: head.replayed,
            body,
        };
        self.books.heard(&told_of(under, request), &answer);
        let (verdict, word) = meaning::of(request.kind(), head.status, body);
        let told = Told {
            call: request.counted,
            verdict,
            word,
            times: Some((now.saturating_sub(call.due), now.saturating_sub(call.sent))),
            bytes: conn.reader.bytes(),
        };
        self.tally.told(now, &told);
        let is_event = request.is_event();
        // An answer to half a request (413) leaves the other half to be sent: nothing can follow it.
        if conn.reader.may_go_on() && !conn.pending {
            conn.reader.next();
            conn.used = true;
            self.free(place, now);
        } else {
            self.close(place, now);
        }
        let wait = head.retry_after.filter(|_| head.status == 503 && is_event);
        let wait = wait.map(|secs| Duration::from_secs(secs).min(MOST_RETRY));
        self.after(journey, now, verdict, wait);
    }

    /// A connection is over, and what was under way on it is lost.
    pub(super) fn end(&mut self, place: usize, why: Lost) {
        let now = self.plan.clock.now();
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        let (journey, bytes) = (conn.journey.take(), conn.reader.bytes());
        // A connection that was kept may be closed by the other side just as it is used again. What only reads is sent on another one, as
        // every client does (RFC 9112, 9.3.1); an event may have had its effect and is told and sent again with its key.
        let stale = why == Lost::Closed && conn.used && !conn.reader.is_begun();
        self.close(place, now);
        let Some(journey) = journey else { return };
        if let Some(under) = self.under_way.get_mut(journey)
            && stale
            && under.call.key.is_empty()
            && !under.call.resent
        {
            under.call.resent = true;
            self.submit(journey);
            return;
        }
        self.lost(journey, why, bytes);
    }

    /// A connection is free: for who has waited longest, or for later.
    pub(super) fn free(&mut self, place: usize, now: Duration) {
        match self.waiting.pop_front() {
            Some(journey) => self.send(place, journey, now),
            None => self.idle.push(place),
        }
    }

    /// A connection is gone: whoever waits may have a new one.
    pub(super) fn close(&mut self, place: usize, now: Duration) {
        if let Some(mut conn) = self.conns.try_remove(place) {
            // It is closed in any case.
            let _ = self.poll.registry().deregister(conn.link.socket());
            self.idle.retain(|idle| *idle != place);
        }
        if let Some(journey) = self.waiting.pop_front() {
            self.connect(journey, now);
        }
    }

    pub(super) fn look_at_patience(&mut self, place: usize, serial: u64, now: Duration) {
        let Some(conn) = self.conns.get(place).filter(|conn| conn.serial == serial) else {
            return;
        };
        if conn.journey.is_some() && conn.deadline <= now {
            return self.end(place, Lost::TimedOut);
        }
        let next = if conn.journey.is_some() {
            conn.deadline
        } else {
            now + self.plan.patience
        };
        self.agenda
            .push(Reverse((next, What::Patience(place, serial))));
    }
}

/// A call as books hear of it.
pub(super) fn told_of<'a>(under: &'a Under, request: &'a Request) -> Call<'a> {
    Call {
        campaign: request.campaign,
        user: under.arrival.user,
        kind: request.kind(),
        key: &under.call.key,
        again: under.call.again(),
        due: under.call.due,
    }
}
