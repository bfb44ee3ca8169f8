//! A profile turned into people: who each is, and what each sends. By place in the campaign's tables, so that nothing is
//! looked up by name in the middle of a run.

use std::sync::Arc;

use machine::input::{Facts, Known, Payload, User};
use machine::model::{Campaign, Choice, EventDecl, FactKind, Field, Sender, TeamFact};
use machine::{Millis, Type, Value};

use super::codes::Codes;
use super::dice::{Dice, Rate};
use super::habits;
use super::profile::{Found, Habit, Profile};

/// What the numbers of a person's own streams are for: they keep apart from those of visits, which count from 0.
const ARRIVES: u64 = u64::MAX;
const IS: u64 = u64::MAX - 1;

/// How many days back a field of type date lies, at most, where the profile does not say.
const DAYS_BACK: u64 = 3;

/// The largest number of a field without a stated range, where the profile does not say.
const LARGEST: i64 = 100;

/// What people send.
#[derive(Debug)]
pub struct People {
    seed: u64,
    /// What users send, in the order they try it: what draws comes last, so that what earns a chance comes before.
    pub wishes: Vec<Wish>,
    /// What others send about them, in the order of the campaign.
    pub reports: Vec<Report>,
    /// How often somebody presses what is not possible.
    pub presses_anyway: Rate,
    claims: Vec<(usize, Vec<(Value, u64)>)>,
    /// Of each fact, what is found of which share of people; of all others it is unknown.
    facts: Vec<Vec<(Known, u64)>>,
    /// Whether what is found out depends on the moment.
    teams: bool,
    nobody: User,
    /// What they type where a code is asked for.
    pub codes: Option<Codes>,
}

/// An event that users send.
#[derive(Debug)]
pub struct Wish {
    /// Which.
    pub event: u16,
    /// How they do.
    pub habit: Habit,
    /// What it carries.
    pub fields: Vec<Holds>,
}

/// An event that somebody else sends about a user.
#[derive(Debug)]
pub struct Report {
    /// Which.
    pub event: u16,
    /// Who sends it.
    pub sender: Sender,
    /// How often in a visit.
    pub rate: Rate,
    /// What it carries.
    pub fields: Vec<Holds>,
}

/// What a field of a payload holds.
#[derive(Debug)]
pub enum Holds {
    /// One of these, each with equal chance; at least one.
    OneOf(Vec<Value>),
    /// A whole number from one to another, both included.
    Between(i64, i64),
    /// A day from yesterday back.
    DayBack,
    /// The time of the event.
    Now,
}

impl People {
    /// The people of a run.
    pub fn new(profile: &Profile, campaign: &Campaign, seed: u64) -> Self {
        let mut wishes = Vec::new();
        let mut reports = Vec::new();
        for (place, event) in campaign.events.iter().enumerate() {
            let fields = || -> Vec<Holds> {
                event
                    .payload
                    .iter()
                    .map(|field| holds(profile, event, field))
                    .collect()
            };
            let place = place as u16;
            if event.from.contains(&Sender::User) {
                let usual = || habits::usual(campaign, event, profile.share.rate);
                wishes.push(Wish {
                    event: place,
                    habit: profile
                        .events
                        .get(&*event.name)
                        .copied()
                        .unwrap_or_else(usual),
                    fields: fields(),
                });
            }
            let other = [Sender::Backend, Sender::Campaign]
                .into_iter()
                .find(|sender| event.from.contains(sender));
            let said = profile.backend.get(&*event.name).copied();
            // What users send too, they send: the back end's part is only what the profile says.
            let rate = said.unwrap_or(match other {
                Some(Sender::Backend) if !event.from.contains(&Sender::User) => {
                    profile.backend_else
                }
                _ => Rate::NEVER,
            });
            if let Some(sender) = other.filter(|_| !rate.is_never()) {
                reports.push(Report {
                    event: place,
                    sender,
                    rate,
                    fields: fields(),
                });
            }
        }
        wishes.sort_by_key(|wish| habits::draws(campaign, wish.event));
        let claims = campaign
            .claims
            .iter()
            .enumerate()
            .filter_map(|(place, claim)| {
                let values = profile.claims.get(&claim.name)?;
                let values = values
                    .iter()
                    .map(|claimed| (claimed.value.value.clone(), claimed.share.of_whole()));
                Some((place, values.collect()))
            });
        let facts = campaign.facts.iter().map(|fact| match &fact.what {
            FactKind::List(name) => {
                yes_or_no(profile.lists.get(name).copied().unwrap_or(Rate::NEVER))
            }
            FactKind::Team(_) | FactKind::Redeem(_) => Vec::new(),
            FactKind::Asked(asked) => profile.facts.get(&asked.name).map_or(Vec::new(), found),
            // Here is no other campaign: everybody is new of whom the profile does not say otherwise.
            FactKind::FirstSight(first) => {
                let said = profile.facts.get(&first.name).map(found);
                said.unwrap_or_else(|| yes_or_no(Rate::ALWAYS))
            }
        });
        Self {
            seed,
            wishes,
            reports,
            presses_anyway: profile.presses_anyway,
            claims: claims.collect(),
            facts: facts.collect(),
            teams: campaign.facts.iter().any(|fact| fact.team().is_some()),
            nobody: User::nobody(&campaign.claims),
            codes: Codes::new(profile, campaign),
        }
    }

    /// The stream that decides when somebody comes first.
    pub fn arrival(&self, number: u32) -> Dice {
        Dice::of([self.seed, u64::from(number), ARRIVES, 0])
    }

    /// The stream that decides what somebody does in a visit.
    pub fn visit(&self, number: u32, visit: u32) -> Dice {
        Dice::of([self.seed, u64::from(number), u64::from(visit), 0])
    }

    /// The stream that decides what comes after a visit: the next one, and whom it brings.
    pub fn after(&self, number: u32, visit: u32) -> Dice {
        Dice::of([self.seed, u64::from(number), u64::from(visit), 1])
    }

    /// Who somebody is: their claims, the same at every visit.
    pub fn user(&self, number: u32) -> User {
        let mut user = self.nobody.clone();
        for (place, values) in &self.claims {
            let mut left = Dice::of([self.seed, u64::from(number), IS, *place as u64]).roll() >> 1;
            for (value, share) in values {
                if left < *share {
                    if let Some(slot) = user.claims.get_mut(*place) {
                        *slot = value.clone();
                    }
                    break;
                }
                left -= share;
            }
        }
        user
    }

    /// Whether everybody's claims are the defaults.
    pub fn is_anybody(&self) -> bool {
        self.claims.is_empty()
    }

    /// The claims of nobody: what goes with an event that no user sends.
    pub fn nobody(&self) -> &User {
        &self.nobody
    }

    /// What is found out about somebody, the same at every visit; but for their team, of which `team` knows.
    pub fn facts(
        &self,
        number: u32,
        campaign: &Campaign,
        team: &dyn Fn(&TeamFact) -> Known,
    ) -> Facts {
        let on = |(place, values): (usize, &Vec<(Known, u64)>)| {
            let of = [self.seed, u64::from(number), IS, (1 << 32) + place as u64];
            let mut left = Dice::of(of).roll() >> 1;
            for (known, share) in values {
                if left < *share {
                    return known.clone();
                }
                left -= share;
            }
            Known::Unknown
        };
        let shares = self.facts.iter().enumerate().zip(&campaign.facts);
        let found = shares.map(|(values, fact)| match fact.team() {
            Some(fact) => team(fact),
            None => on(values),
        });
        Facts::settle(&campaign.facts, found)
    }

    /// Whether what is found out is the same for everybody.
    pub fn is_on_no_list(&self) -> bool {
        let mut shares = self.facts.iter().flatten();
        let whole = Rate::ALWAYS.of_whole();
        !self.teams && shares.all(|(_, share)| *share == 0 || *share == whole)
    }
}

/// What the profile says of a fact.
fn found(said: &Found) -> Vec<(Known, u64)> {
    match said {
        Found::Holds(share) => yes_or_no(*share),
        Found::OneOf(values) => {
            let values = values.iter();
            let known =
                values.map(|one| (Known::Is(one.value.value.clone()), one.share.of_whole()));
            known.collect()
        }
    }
}

/// A share for whom something holds; for the others it does not.
fn yes_or_no(share: Rate) -> Vec<(Known, u64)> {
    let share = share.of_whole();
    let others = Rate::ALWAYS.of_whole().saturating_sub(share);
    vec![(Known::Yes, share), (Known::No, others)]
}

/// Fills a payload.
pub fn fill(fields: &[Holds], now: Millis, campaign: &Campaign, dice: &mut Dice) -> Payload {
    let values = fields.iter().map(|field| match field {
        Holds::OneOf(values) => values
            .get(dice.below(values.len() as u64) as usize)
            .cloned()
            .unwrap_or(Value::Int(0)),
        Holds::Between(low, high) => {
            let span = high.abs_diff(*low).saturating_add(1);
            Value::Int(low.saturating_add_unsigned(dice.below(span)))
        }
        Holds::DayBack => {
            let back = 1 + dice.below(DAYS_BACK) as i64;
            Value::Int(i64::from(campaign.calendar.day(now)) - back)
        }
        Holds::Now => Value::Int(now),
    });
    Payload {
        fields: values.collect(),
    }
}

/// What can be chosen: each by itself, or as many neighbours as are to be chosen, from each of them on.
fn choices(choice: &Choice, ty: Type) -> Vec<Value> {
    let from = |at: usize| choice.of.iter().cycle().skip(at).cloned();
    let many = (choice.how_many as usize).min(choice.of.len());
    (0..choice.of.len())
        .filter_map(|at| match ty {
            Type::Strs => Some(Value::Strs(from(at).take(many).collect())),
            _ => from(at).next().map(Value::Str),
        })
        .collect()
}

/// What a field holds: what the profile says, else its default, else something that its declaration allows.
fn holds(profile: &Profile, event: &EventDecl, field: &Field) -> Holds {
    let said = profile
        .payload
        .get(&*event.name)
        .and_then(|fields| fields.get(&field.name));
    if let Some(values) = said {
        return Holds::OneOf(values.iter().map(|written| written.value.clone()).collect());
    }
    if let Some(default) = &field.default {
        return Holds::OneOf(vec![default.clone()]);
    }
    if let Some(choice) = &field.choice {
        return Holds::OneOf(choices(choice, field.ty));
    }
    match field.ty {
        Type::Int => {
            let low = if field.at_least == i64::MIN {
                0
            } else {
                field.at_least
            };
            let high = if field.at_most == i64::MAX {
                low.saturating_add(LARGEST)
            } else {
                field.at_most
            };
            Holds::Between(low.min(field.at_most), high.max(field.at_least))
        }
        Type::Bool => Holds::OneOf(vec![Value::Bool(false), Value::Bool(true)]),
        Type::Str => Holds::OneOf(vec![Value::Str(Arc::from("x"))]),
        Type::Date => Holds::DayBack,
        Type::Time => Holds::Now,
        Type::Duration | Type::Strs | Type::Days => Holds::OneOf(vec![field.ty.zero()]),
    }
}
