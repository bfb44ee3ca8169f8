//! The invented people of a plan, for whoever has them call a server instead of the machine here: who comes when, and what they would
//! do. The same people as in a run ([`super::Plan::run`]), decided by the same streams; what comes of it is not known here.

use machine::calendar::{Day, date};
use machine::model::{Campaign, Sender};
use machine::{Millis, Type, Value};
use serde_json::{Map, Value as Json, json};

use super::days::{Days, divided};
use super::dice::Dice;
use super::people::{Holds, People, fill};
use super::profile::Returns;
use super::{Plan, SimulateError};
use crate::codec::link;

/// Everybody who may come.
#[derive(Debug)]
pub struct Guests {
    campaign: Campaign,
    people: People,
    days: Days,
    returns: Returns,
    /// How many come first on each day.
    arrivals: Vec<u64>,
}

/// Somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coming {
    /// When.
    pub at: Millis,
    /// Who: from 0.
    pub number: u32,
    /// How often they were here before.
    pub visits: u32,
    /// On which day of the plan, from 0.
    pub day: usize,
}

/// What somebody would do in one visit, in this order.
#[derive(Debug)]
pub struct Visit {
    /// What the back end reports about them first: event and payload.
    pub reports: Vec<(String, Map<String, Json>)>,
    /// Whether they press something that the page says is not possible: the first such.
    pub presses_anyway: bool,
    /// What they try.
    pub wishes: Vec<Wish>,
}

/// An event that somebody may send.
#[derive(Debug)]
pub struct Wish {
    /// Its id.
    pub event: String,
    /// Whether they want it in this visit.
    pub wanted: bool,
    /// How often at most, while it is possible.
    pub tries: u32,
    place: usize,
    dice: Dice,
}

impl Guests {
    pub(super) fn new(plan: &Plan, number: u32) -> Result<Self, SimulateError> {
        let campaign = link(plan.definition.clone(), 1)
            .map_err(|error| SimulateError::Campaign(error.to_string()))?;
        let days = plan.days();
        let mut weights = plan.profile.arrivals.weights(days.played.len());
        for (weight, day) in weights.iter_mut().zip(&days.played) {
            if !day.is_open() {
                *weight = 0;
            }
        }
        Ok(Self {
            people: People::new(&plan.profile, &campaign, plan.seed_of(number)),
            returns: plan.profile.returns,
            arrivals: divided(u64::from(plan.users), &weights),
            campaign,
            days,
        })
    }

    /// The days that are played, as dates.
    pub fn days(&self) -> Vec<Day> {
        self.days.played.iter().map(|played| played.day).collect()
    }

    /// Everybody's first visit, in no order.
    pub fn arrivals(&self) -> Vec<Coming> {
        let mut coming = Vec::new();
        let mut number = 0;
        for (day, arrivals) in self.arrivals.iter().enumerate() {
            for _ in 0..*arrivals {
                let mut dice = self.people.arrival(number);
                let at = self.days.moment(day, Millis::MIN, &mut dice);
                coming.extend(at.map(|at| Coming {
                    at,
                    number,
                    visits: 0,
                    day,
                }));
                number += 1;
            }
        }
        coming
    }

    /// What of somebody's claims is not the default, as their token says it.
    pub fn claims(&self, number: u32) -> Map<String, Json> {
        let (user, nobody) = (self.people.user(number), self.people.nobody());
        let all = self.campaign.claims.iter().zip(&user.claims);
        let said = all
            .zip(&nobody.claims)
            .filter(|((_, own), usual)| own != usual);
        let said = said
            .filter_map(|((claim, own), _)| Some((claim.name.clone(), as_json(own, claim.ty)?)));
        said.collect()
    }

    /// What they do in a visit.
    pub fn visit(&self, coming: &Coming) -> Visit {
        let mut dice = self.people.visit(coming.number, coming.visits);
        let mut reports = Vec::new();
        for report in &self.people.reports {
            let (happens, mut own) = (dice.hits(report.rate), Dice::of([dice.roll(), 0, 0, 0]));
            // What another campaign tells can't be sent over HTTP.
            if happens && report.sender == Sender::Backend {
                let payload = self.payload(report.event, &report.fields, coming.at, &mut own);
                reports.push((self.event(report.event), payload));
            }
        }
        let presses_anyway = dice.hits(self.people.presses_anyway);
        let wishes = self.people.wishes.iter().enumerate().map(|(place, wish)| {
            let (wanted, own) = (dice.hits(wish.habit.rate), Dice::of([dice.roll(), 0, 0, 0]));
            Wish {
                event: self.event(wish.event),
                wanted,
                tries: wish.habit.tries,
                place,
                dice: own,
            }
        });
        Visit {
            wishes: wishes.collect(),
            reports,
            presses_anyway,
        }
    }

    /// What the next try of a wish carries.
    pub fn carried(&self, wish: &mut Wish, now: Millis) -> Map<String, Json> {
        match self.people.wishes.get(wish.place) {
            Some(own) => self.payload(own.event, &own.fields, now, &mut wish.dice),
            None => Map::new(),
        }
    }

    /// When they come again after a visit, if they do.
    pub fn next(&self, coming: &Coming) -> Option<Coming> {
        let mut dice = self.people.after(coming.number, coming.visits);
        let (at, day) = self
            .days
            .again(&self.returns, coming.day, coming.at, &mut dice)?;
        Some(Coming {
            at,
            day,
            visits: coming.visits + 1,
            ..*coming
        })
    }

    fn event(&self, place: u16) -> String {
        let event = self.campaign.events.get(usize::from(place));
        event.map_or_else(String::new, |event| event.name.to_string())
    }

    fn payload(
        &self,
        event: u16,
        fields: &[Holds],
        now: Millis,
        dice: &mut Dice,
    ) -> Map<String, Json> {
        let filled = fill(fields, now, &self.campaign, dice);
        let declared = self.campaign.events.get(usize::from(event));
        let declared = declared.map_or(&[][..], |event| &event.payload);
        let fields = declared.iter().zip(&filled.fields);
        let said = fields
            .filter_map(|(field, value)| Some((field.name.clone(), as_json(value, field.ty)?)));
        said.collect()
    }
}

/// A value as a body or a token says it; `None` for what neither can.
fn as_json(value: &Value, ty: Type) -> Option<Json> {
    match value {
        Value::Bool(value) => Some(json!(value)),
        Value::Str(text) => Some(json!(&**text)),
        Value::Strs(items) => Some(items.iter().map(|item| json!(&**item)).collect()),
        Value::Int(number) => match ty {
            Type::Date => Some(json!(date(Day::try_from(*number).ok()?).to_string())),
            Type::Time | Type::Duration => Some(json!(number / 1000)),
            Type::Int | Type::Bool | Type::Str | Type::Strs | Type::Days => Some(json!(number)),
        },
        Value::Days(_) => None,
    }
}
