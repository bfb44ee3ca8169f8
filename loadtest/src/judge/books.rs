//! The judge's books: what every answer promised, kept while the run is under way. Each thread of the engine has its own; [`Book::join`]
//! makes one of them. Nothing here asks the target; `reckon` holds the books against its ledger.
//!
//! A key with its answer takes 24 bytes and a promise 24, besides what a hash table leaves free.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::Deserialize;

use super::promise::{Example, Faults, GrantId, Kept, Promise, State, digest};
use crate::call::{Again, Answer, Books, Call, Kind, Lost, member_id};
use crate::scenario::Scenario;

/// What one thread heard, or all of them.
#[derive(Debug, Clone)]
pub struct Book {
    /// What the member ids begin with.
    mark: String,
    /// By campaign, as the scenario counts them.
    pub(super) pages: Vec<Pages>,
}

/// What was heard of one campaign.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    /// `tenant/campaign`.
    pub campaign: String,
    /// What is known of each event's key, by its digest.
    pub keys: HashMap<u64, Kept>,
    /// The grants that answers named.
    pub promises: HashMap<GrantId, Promise>,
    /// Yes-answers to keys that had theirs before.
    pub replays: u64,
    /// Replays that are not what was answered first.
    pub unlike: Faults,
    /// Grants that two answers gave, or that two users were told is theirs.
    pub twice: Faults,
    /// Answers that said yes and could not be read.
    pub unread: Faults,
}

/// The part of an answer that promises something; of an event, a view, or `/grants`.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow, default)]
    grants: Option<Vec<Named<'a>>>,
    #[serde(borrow, default)]
    lane: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// What an answer to an event says of what was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Yes,
    No(u16),
    Nothing,
}

impl Book {
    /// Empty books for the campaigns of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let page = |campaign: &crate::scenario::Campaign| Pages {
            campaign: format!("{}/{}", campaign.tenant, campaign.campaign),
            ..Pages::default()
        };
        Self {
            mark: scenario.population.mark.clone(),
            pages: scenario.campaigns.iter().map(page).collect(),
        }
    }

    /// One of all threads' books. What two threads heard of one key or grant is held against each other.
    pub fn join(books: impl IntoIterator<Item = Self>) -> Option<Self> {
        books.into_iter().reduce(|mut all, other| {
            for (page, more) in all.pages.iter_mut().zip(other.pages) {
                page.join(more, &all.mark);
            }
            all
        })
    }

    /// The member id of a user of this run.
    pub fn member(&self, user: u32) -> String {
        member_id(&self.mark, u64::from(user))
    }
}

impl Books for Book {
    fn heard(&mut self, call: &Call<'_>, answer: &Answer<'_>) {
        let Some(page) = self.pages.get_mut(call.campaign) else {
            return;
        };
        match (call.kind, answer) {
            (Kind::Event(_), _) => page.event(call, answer, &self.mark),
            (
                Kind::View | Kind::Grants,
                Answer::Came {
                    status: 200, body, ..
                },
            ) => {
                page.shown(call, body, &self.mark);
            }
            (Kind::View | Kind::Grants | Kind::Page | Kind::Poster(_) | Kind::Preflight, _) => {}
        }
    }
}

/// The digest by which a key is found. A run makes no key twice, whoever uses it: a ledger row names the key and not the member.
pub(super) fn key_digest(key: &str) -> u64 {
    digest(key)
}

/// A user as the books keep them.
fn short(user: u64) -> u32 {
    u32::try_from(user).unwrap_or(u32::MAX)
}

impl Pages {
    fn event(&mut self, call: &Call<'_>, answer: &Answer<'_>, mark: &str) {
        let (heard, body, replayed) = match *answer {
            // The target can't have seen it.
            Answer::Lost(Lost::Refused) => return,
            Answer::Lost(Lost::Closed | Lost::TimedOut | Lost::OnPurpose | Lost::Garbled) => {
                (Heard::Nothing, &[][..], false)
            }
            Answer::Came {
                status,
                replayed,
                body,
            } => match status {
                200..=299 => (Heard::Yes, body, replayed),
                400..=499 => (Heard::No(status), body, replayed),
                // 5xx promises nothing: some say "nothing was changed", but whoever sent it may not know.
                _ => (Heard::Nothing, body, replayed),
            },
        };
        let (key, user) = (key_digest(call.key), short(call.user));
        let kept = self.keys.get(&key).copied();
        if kept.is_some_and(|kept| kept.user != user) {
            self.keys.insert(
                key,
                Kept {
                    answer: 0,
                    user,
                    state: State::Shared,
                },
            );
            return;
        }
        let before = kept.map(|kept| kept.state);
        let state = match (before, heard) {
            (Some(State::Shared), _) => return,
            (Some(State::Said), _) => {
                let first = kept.map_or(0, |kept| kept.answer);
                self.said_again(call, heard, (first, digest(body)), replayed, mark);
                return;
            }
            (_, Heard::Yes) => State::Said,
            (None | Some(State::No), Heard::No(_)) => State::No,
            (Some(State::Open | State::Settled), Heard::No(_)) => State::Settled,
            (_, Heard::Nothing) => State::Open,
        };
        let answer = if state == State::Said {
            digest(body)
        } else {
            0
        };
        self.keys.insert(
            key,
            Kept {
                answer,
                user,
                state,
            },
        );
        if state != State::Said {
            return;
        }
        if call.again == Again::Replay {
            // Whoever asked for it heard the first answer elsewhere: `join` holds the two against each other.
            self.replays += 1;
        }
        if let Some(grants) = self.read(call, body, mark) {
            let by = (key as u32).max(1);
            for id in grants {
                self.promised(id, Promise { user, by }, mark);
            }
        }
    }

    /// A key that had its yes comes again. A limit, an outage or a token that ran out may stand in the way; a rule may not.
    fn said_again(
        &mut self,
        call: &Call<'_>,
        heard: Heard,
        (first, again): (u64, u64),
        replayed: bool,
        mark: &str,
    ) {
        let wrong = match heard {
            Heard::Yes => {
                self.replays += 1;
                if first != again {
                    "the bytes are not those of the first answer"
                } else if replayed {
                    return;
                } else {
                    "it does not say `Idempotency-Replayed: true`"
                }
            }
            // Not possible, stale page, key reused: a replay goes before all of them.
            Heard::No(409 | 412 | 422) => "what was answered yes is now refused",
            Heard::Nothing | Heard::No(_) => return,
        };
        let campaign = &self.campaign;
        self.unlike.count(|| {
            let status = match heard {
                Heard::No(status) => status,
                Heard::Yes | Heard::Nothing => 200,
            };
            let ids = [
                ("key", call.key.to_owned()),
                ("user", member_id(mark, call.user)),
                ("first digest", format!("{first:016x}")),
                ("this digest", format!("{again:016x}")),
                ("status", status.to_string()),
            ];
            Example::new(campaign, wrong, ids)
        });
    }

    /// A view, or `/grants`.
    fn shown(&mut self, call: &Call<'_>, body: &[u8], mark: &str) {
        let user = short(call.user);
        if let Some(grants) = self.read(call, body, mark) {
            for id in grants {
                self.promised(id, Promise { user, by: 0 }, mark);
            }
        }
    }

    /// The grants of the live lane that an answer names.
    fn read(&mut self, call: &Call<'_>, body: &[u8], mark: &str) -> Option<Vec<GrantId>> {
        if let Ok(Told {
            grants: Some(grants),
            lane,
        }) = serde_json::from_slice::<Told<'_>>(body)
        {
            let live = lane.is_none_or(|lane| lane == "live");
            live.then(|| grants.iter().map(|named| GrantId::of(&named.id)).collect())
        } else {
            let campaign = &self.campaign;
            self.unread.count(|| {
                let ids = [
                    ("key", call.key.to_owned()),
                    ("user", member_id(mark, call.user)),
                ];
                Example::new(
                    campaign,
                    "it is no JSON with `grants`, as docs/HTTP.md has it",
                    ids,
                )
            });
            None
        }
    }

    fn promised(&mut self, id: GrantId, told: Promise, mark: &str) {
        let known = match self.promises.entry(id) {
            Entry::Vacant(free) => {
                free.insert(told);
                return;
            }
            Entry::Occupied(known) => known.into_mut(),
        };
        let wrong = if known.user != told.user {
            Some("two users were told that it is theirs")
        } else if known.by != 0 && told.by != 0 && known.by != told.by {
            Some("the answers to two keys gave it")
        } else {
            None
        };
        if known.by == 0 {
            known.by = told.by;
        }
        let (campaign, first) = (&self.campaign, known.user);
        if let Some(says) = wrong {
            self.twice.count(|| {
                let ids = [
                    ("grant", id.to_string()),
                    ("user", member_id(mark, u64::from(first))),
                    ("second user", member_id(mark, u64::from(told.user))),
                ];
                Example::new(campaign, says, ids)
            });
        }
    }

    fn join(&mut self, other: Self, mark: &str) {
        self.replays += other.replays;
        self.unlike.add(other.unlike);
        self.twice.add(other.twice);
        self.unread.add(other.unread);
        for (id, promise) in other.promises {
            self.promised(id, promise, mark);
        }
        for (key, theirs) in other.keys {
            let ours = self.keys.entry(key).or_insert(theirs);
            if *ours == theirs {
                continue;
            }
            let state = match (ours.state, theirs.state) {
                _ if ours.user != theirs.user => State::Shared,
                (State::Shared, _) | (_, State::Shared) => State::Shared,
                (State::Said, State::Said) => {
                    let campaign = &self.campaign;
                    self.unlike.count(|| {
                        let ids = [
                            ("key's digest", format!("{key:016x}")),
                            ("user", member_id(mark, u64::from(theirs.user))),
                            ("first digest", format!("{:016x}", ours.answer)),
                            ("this digest", format!("{:016x}", theirs.answer)),
                        ];
                        Example::new(campaign, "two threads heard different bytes", ids)
                    });
                    State::Said
                }
                (State::Said, _) => State::Said,
                (_, State::Said) => {
                    *ours = theirs;
                    State::Said
                }
                (State::Open, State::Open) => State::Open,
                // Which came first is not known: what may have been lost after the no stays possible.
                (
                    State::Open | State::No | State::Settled,
                    State::Open | State::No | State::Settled,
                ) => State::Settled,
            };
            ours.state = state;
        }
    }
}

#[cfg(test)]
pub mod tests;
