//! A client: plays its own users, one call after another, until the server goes away under it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::books::{Books, Call};
use crate::client::{Answer, Connection, get};
use crate::luck::Luck;
use crate::world::{TENANT, user_token};

/// How many users of each player draw; others come once, to sign in or for a pack.
const REGULARS: u64 = 8;

/// How a player plays.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Where the regulars draw; a campaign named twice is drawn in twice as often.
    pub draws: &'static [&'static str],
    /// Whether what was answered is asked for again, and looked for in the user's list. Not where the store may forget.
    pub checks: bool,
    /// Codes of rejections that are as they should be.
    pub accepts: &'static [&'static str],
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            draws: &["wheel"],
            checks: true,
            accepts: &["sold-out", "already-signed", "already-claimed"],
        }
    }
}

#[derive(Debug)]
pub struct Player {
    name: String,
    pub manner: Manner,
    pub books: Books,
    calls: u64,
    strangers: u64,
    tokens: std::collections::BTreeMap<String, String>,
}

/// The server went away: whatever was sent last is open.
#[derive(Debug)]
pub struct Gone;

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Player {
    pub fn new(name: String) -> Self {
        Self::with(name, Manner::default())
    }

    pub fn with(name: String, manner: Manner) -> Self {
        let (books, tokens) = (Books::default(), std::collections::BTreeMap::new());
        Self {
            name,
            manner,
            books,
            calls: 0,
            strangers: 0,
            tokens,
        }
    }

    /// Settles what is open, asks again for what was answered, plays on; until the server is gone, or `stop` is set.
    pub fn play(&mut self, port: u16, luck: &mut Luck, stop: &AtomicBool) -> Result<(), Gone> {
        let mut connection = Connection::open(port)?;
        self.settle(&mut connection)?;
        for _ in 0..4 {
            self.ask_again(&mut connection, luck)?;
        }
        while !stop.load(Ordering::Relaxed) {
            self.turn(&mut connection, port, port, luck)?;
        }
        Ok(())
    }

    /// Settles what is open, then takes so many turns, or fewer: it goes as soon as the server is gone or a call is open, to
    /// come again somewhere else. Where two calls go out at once, the second goes to the port `other`.
    pub fn visit(
        &mut self,
        port: u16,
        other: u16,
        turns: u64,
        luck: &mut Luck,
        stop: &AtomicBool,
    ) -> Result<(), Gone> {
        let mut connection = Connection::open(port)?;
        self.settle(&mut connection)?;
        for _ in 0..turns {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            self.turn(&mut connection, port, other, luck)?;
            if !self.books.open.is_empty() {
                return Err(Gone);
            }
        }
        Ok(())
    }

    fn turn(
        &mut self,
        connection: &mut Connection,
        port: u16,
        other: u16,
        luck: &mut Luck,
    ) -> Result<(), Gone> {
        match luck.below(100) {
            0..10 if self.manner.checks => self.ask_again(connection, luck),
            10..20 => self.twins(connection, other, luck),
            20..23 if self.manner.checks => self.look(port, luck),
            23..30 if port != other => self.rivals(connection, other, luck),
            _ => {
                let call = self.next(luck);
                self.make(connection, call).map(|_| ())
            }
        }
    }

    /// Sends everything open once more.
    pub fn settle(&mut self, connection: &mut Connection) -> Result<(), Gone> {
        for call in std::mem::take(&mut self.books.open) {
            match self.make(connection, call) {
                Ok(Some(true)) => self.books.counts.found_done += 1,
                Ok(Some(false)) => self.books.counts.found_undone += 1,
                // Rejected: it had not been done. Or the server is gone: it is open again, as all that follow will be.
                Ok(None) | Err(Gone) => {}
            }
        }
        if self.books.open.is_empty() {
            Ok(())
        } else {
            Err(Gone)
        }
    }

    /// Every answer that the server must remember, once more.
    pub fn ask_for_all_again(&mut self, connection: &mut Connection) -> Result<(), Gone> {
        for number in 0..self.books.acks.len() {
            if self.books.is_remembered(number) {
                self.replay(connection, number)?;
            }
        }
        Ok(())
    }

    fn next(&mut self, luck: &mut Luck) -> Call {
        self.calls += 1;
        let key = format!("{}-{}", self.name, self.calls);
        let regular = format!("{}-r{}", self.name, luck.below(REGULARS));
        if luck.percent(70) {
            let draws = self.manner.draws;
            return Call {
                user: regular,
                campaign: draws[luck.below(draws.len() as u64) as usize],
                event: "draw",
                key,
            };
        }
        // Some of them come twice: then there is a rejection to be seen.
        self.strangers += luck.below(2);
        let user = format!("{}-s{}", self.name, self.strangers);
        if luck.percent(60) {
            Call {
                user,
                campaign: "check-in",
                event: "sign-in",
                key,
            }
        } else {
            Call {
                user,
                campaign: "pack",
                event: "claim",
                key,
            }
        }
    }

    /// Sends a call and books what becomes of it. Some: it is done, and whether it had been before.
    fn make(&mut self, connection: &mut Connection, call: Call) -> Result<Option<bool>, Gone> {
        let request = self.request(&call);
        match self.send(connection, &request) {
            Ok(answer) => Ok(self.book(call, answer)),
            Err(error) => {
                self.books.open.push(call);
                Err(error.into())
            }
        }
    }

    /// Sends a request and reads its answer.
    fn send(&mut self, connection: &mut Connection, request: &str) -> io::Result<Answer> {
        self.books.counts.requests += 1;
        let began = Instant::now();
        let answer = connection.call(request);
        self.books.counts.slowest = self.books.counts.slowest.max(began.elapsed());
        answer
    }

    fn book(&mut self, call: Call, answer: Answer) -> Option<bool> {
        match answer.status {
            200 => {
                self.books.acknowledge(call, answer.body);
                return Some(answer.replayed);
            }
            400..=499 if self.manner.accepts.contains(&answer.code().as_str()) => {
                self.books.counts.rejected += 1;
                self.books.serve();
                self.books.rejected.insert(call.key, answer.code());
                if answer.code() == "sold-out" {
                    self.books.sold_out.insert(call.campaign);
                }
            }
            500..=599 => {
                self.unavailable(&answer);
                self.books.open.push(call);
            }
            status => self
                .books
                .violation(format!("{call:?} was answered {status}: {}", answer.body)),
        }
        None
    }

    /// One of the calls that were answered, again: the same bytes.
    fn ask_again(&mut self, connection: &mut Connection, luck: &mut Luck) -> Result<(), Gone> {
        let number = luck.below(self.books.acks.len() as u64) as usize;
        // The newest are always remembered.
        let number = if self
            .books
            .acks
            .get(number)
            .is_some_and(|_| self.books.is_remembered(number))
        {
            number
        } else {
            match self.books.acks.len().checked_sub(1) {
                Some(newest) => newest,
                None => return Ok(()),
            }
        };
        self.replay(connection, number)
    }

    fn replay(&mut self, connection: &mut Connection, number: usize) -> Result<(), Gone> {
        let ack = self.books.acks[number].clone();
        let request = self.request(&ack.call);
        let again = self.send(connection, &request)?;
        if again.status >= 500 {
            self.unavailable(&again);
        } else if again.status != 200 || !again.replayed || again.body != ack.body {
            self.books.violation(format!(
                "{:?} was answered {} and is now {again:?}",
                ack.call, ack.body
            ));
        } else {
            self.books.counts.replays += 1;
            self.books.serve();
        }
        Ok(())
    }

    fn unavailable(&mut self, answer: &Answer) {
        self.books.counts.unavailable += 1;
        *self.books.refusals.entry(answer.code()).or_default() += 1;
    }

    /// Two calls of one user on two servers at once: each is done once, or refused.
    fn rivals(
        &mut self,
        connection: &mut Connection,
        other: u16,
        luck: &mut Luck,
    ) -> Result<(), Gone> {
        let mut calls = [self.next(luck), self.next(luck)];
        let user = calls[0].user.clone();
        calls[1].user = user;
        calls[1].campaign = calls[0].campaign;
        calls[1].event = calls[0].event;
        let requests = calls.each_ref().map(|call| self.request(call));
        self.books.counts.requests += 2;
        self.books.counts.rivals += 1;
        let mut there = Connection::open(other);
        let sent = [
            connection.send(requests[0].as_bytes()),
            there.as_mut().map_or_else(
                |_| Err(io::ErrorKind::NotConnected.into()),
                |there| there.send(requests[1].as_bytes()),
            ),
        ];
        let [one, two] = sent;
        let answers = [
            one.and_then(|()| connection.answer()),
            two.and_then(|()| there.and_then(|mut there| there.answer())),
        ];
        let mut gone = Ok(());
        for (call, answer) in calls.into_iter().zip(answers) {
            match answer {
                Ok(answer) => drop(self.book(call, answer)),
                Err(error) => {
                    self.books.open.push(call);
                    gone = Err(error.into());
                }
            }
        }
        gone
    }

    /// The same call on two connections at once: one deed, one answer.
    fn twins(
        &mut self,
        connection: &mut Connection,
        port: u16,
        luck: &mut Luck,
    ) -> Result<(), Gone> {
        if !self.manner.checks {
            // Where the store may forget, one of the two may be answered from a past that is gone.
            let call = self.next(luck);
            return self.make(connection, call).map(drop);
        }
        let call = self.next(luck);
        let request = self.request(&call);
        self.books.counts.requests += 2;
        let answers = Connection::open(port).and_then(|mut other| {
            connection.send(request.as_bytes())?;
            other.send(request.as_bytes())?;
            Ok((connection.answer()?, other.answer()?))
        });
        let Ok((one, two)) = answers else {
            self.books.open.push(call);
            return Err(Gone);
        };
        let good = one.status < 500 && two.status < 500;
        let same = one.status == two.status && (one.status != 200 || one.body == two.body);
        // A pause that ends between the two: one is refused, the other done.
        let paused = one.code() == "paused" || two.code() == "paused";
        // Both may be replays: a process that lost the store's reply asks again, and finds that it was done.
        let done_twice = one.status == 200 && !one.replayed && !two.replayed;
        if good && !paused && (!same || done_twice) {
            self.books.violation(format!(
                "{call:?} was answered {one:?} and, at the same time, {two:?}"
            ));
        }
        self.books.counts.twins += u64::from(good);
        // What is said to be done is; else what is unknown stays open.
        let weight = |answer: &Answer| match answer.status {
            200 => 2,
            500..=599 => 1,
            _ => 0,
        };
        self.book(
            call,
            if weight(&one) >= weight(&two) {
                one
            } else {
                two
            },
        );
        Ok(())
    }

    /// A user's own list must have all that this user was told of.
    fn look(&mut self, port: u16, luck: &mut Luck) -> Result<(), Gone> {
        let number = luck.below(self.books.acks.len() as u64) as usize;
        let Some(ack) = self.books.acks.get(number).cloned() else {
            return Ok(());
        };
        for id in ack.grants() {
            if !self.lists(port, &ack.call)?.contains(&id) {
                self.books.violation(format!(
                    "{:?} gave {id}, which the user's list has not",
                    ack.call
                ));
            }
        }
        Ok(())
    }

    /// The ids of a user's grants.
    pub fn lists(&mut self, port: u16, call: &Call) -> Result<Vec<String>, Gone> {
        let (mut ids, mut after) = (Vec::new(), String::new());
        let token = self.token(&call.user);
        loop {
            let page = get(
                port,
                &format!("/v1/{TENANT}/{}/grants{after}", call.campaign),
                &token,
            )?;
            let read: serde_json::Value = serde_json::from_str(&page.body).map_err(|_| Gone)?;
            let Some(grants) = read["grants"].as_array().filter(|_| page.status == 200) else {
                return Err(Gone);
            };
            ids.extend(
                grants
                    .iter()
                    .filter_map(|grant| Some(grant["id"].as_str()?.to_owned())),
            );
            match read["next"].as_str() {
                Some(next) => after = format!("?after={next}"),
                None => return Ok(ids),
            }
        }
    }

    fn token(&mut self, user: &str) -> String {
        self.tokens
            .entry(user.to_owned())
            .or_insert_with(|| user_token(user))
            .clone()
    }

    /// A call in HTTP.
    pub fn request(&mut self, call: &Call) -> String {
        let Call {
            user,
            campaign,
            event,
            key,
        } = call;
        let token = self.token(user);
        format!(
            "POST /v1/{TENANT}/{campaign}/events/{event} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: {key}\r\nX-Request-Id: {key}\r\nContent-Length: 0\r\n\r\n"
        )
    }
}
