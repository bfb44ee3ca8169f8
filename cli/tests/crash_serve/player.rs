//! A client: plays its own users, one call after another, until the server goes away under it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::books::{Books, Call};
use crate::client::{Answer, Connection, get};
use crate::luck::Luck;
use crate::world::{TENANT, user_token};

/// How many users of each player draw; others come once, to sign in or for a pack.
const REGULARS: u64 = 8;

#[derive(Debug)]
pub struct Player {
    name: String,
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
        let (books, tokens) = (Books::default(), std::collections::BTreeMap::new());
        Self {
            name,
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
            match luck.below(100) {
                0..10 => self.ask_again(&mut connection, luck)?,
                10..20 => self.twins(&mut connection, port, luck)?,
                20..23 => self.look(port, luck)?,
                _ => {
                    let call = self.next(luck);
                    self.make(&mut connection, call)?;
                }
            }
        }
        Ok(())
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
            return Call {
                user: regular,
                campaign: "wheel",
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
        self.books.counts.requests += 1;
        match connection.call(&request) {
            Ok(answer) => Ok(self.book(call, answer)),
            Err(error) => {
                self.books.open.push(call);
                Err(error.into())
            }
        }
    }

    fn book(&mut self, call: Call, answer: Answer) -> Option<bool> {
        match answer.status {
            200 => {
                self.books.acknowledge(call, answer.body);
                return Some(answer.replayed);
            }
            400..=499
                if ["sold-out", "already-signed", "already-claimed"]
                    .contains(&answer.code().as_str()) =>
            {
                self.books.counts.rejected += 1;
            }
            500..=599 => {
                self.books.counts.unavailable += 1;
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
        self.books.counts.requests += 1;
        let again = connection.call(&request)?;
        if again.status >= 500 {
            self.books.counts.unavailable += 1;
        } else if again.status != 200 || !again.replayed || again.body != ack.body {
            self.books.violation(format!(
                "{:?} was answered {} and is now {again:?}",
                ack.call, ack.body
            ));
        } else {
            self.books.counts.replays += 1;
        }
        Ok(())
    }

    /// The same call on two connections at once: one deed, one answer.
    fn twins(
        &mut self,
        connection: &mut Connection,
        port: u16,
        luck: &mut Luck,
    ) -> Result<(), Gone> {
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
        if good && !(same && (one.status != 200 || one.replayed != two.replayed)) {
            self.books.violation(format!(
                "{call:?} was answered {one:?} and, at the same time, {two:?}"
            ));
        }
        self.books.counts.twins += u64::from(good);
        self.book(call, if one.status == 200 { one } else { two });
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
