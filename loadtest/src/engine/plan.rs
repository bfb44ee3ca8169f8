//! What all threads of a run share, made once before it begins: programs, requests, the arrivals' schedule, the target.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;

use crate::engine::arrivals::Schedule;
use crate::engine::chance::{Dice, mix};
use crate::engine::crowd::{Arrivals, purpose};
use crate::engine::journey::Program;
use crate::engine::request::{self, Request};
use crate::engine::target::{Found, Target};
use crate::engine::timer::Clock;
use crate::engine::{Error, Mint};
use crate::scenario::{Provoke, Scenario};

/// What is shared. Nothing in it changes but two flags.
pub struct Plan {
    /// When journeys begin.
    pub schedule: Arc<Schedule>,
    /// Each journey's program, its campaign, and whether any of its calls needs a token.
    pub journeys: Vec<(Program, usize, bool)>,
    /// All calls, by their numbers in the programs.
    pub requests: Vec<Request>,
    /// The names under which calls are counted, with their campaign.
    pub names: Vec<(String, usize)>,
    /// Where to.
    pub target: Found,
    /// What is provoked.
    pub provoke: Provoke,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// The tenants of the campaigns.
    pub tenants: Vec<String>,
    /// Makes tokens.
    pub mint: Arc<dyn Mint>,
    /// What chance is drawn from.
    pub seed: u64,
    /// How many arrivals there were before this run.
    pub after: u64,
    /// What all keys of this run begin with.
    pub keys: String,
    /// The run's clock.
    pub clock: Clock,
    /// Ends the run as soon as what was sent is answered.
    pub stop: Arc<AtomicBool>,
    /// Ends the arrivals; journeys go on to their ends.
    pub enough: AtomicBool,
    users: u64,
    addresses: Option<u32>,
    mark: String,
    claims: BTreeMap<String, Value>,
    /// Whether claims differ from user to user.
    own_claims: bool,
}

/// What a run is made with, beside its scenario.
pub struct With {
    /// What chance is drawn from.
    pub seed: u64,
    /// How many arrivals there were before this run.
    pub after: u64,
    /// Tells this run from all others.
    pub run: u64,
    /// The clock.
    pub clock: Clock,
    /// Ends it.
    pub stop: Arc<AtomicBool>,
    /// Makes tokens.
    pub mint: Arc<dyn Mint>,
}

impl Plan {
    /// Makes it.
    pub fn new(scenario: &Scenario, target: &Target, found: Found, with: With) -> Self {
        let mut requests: Vec<Request> = Vec::new();
        let mut names: Vec<(String, usize)> = Vec::new();
        let mut journeys = Vec::with_capacity(scenario.journeys.len());
        for journey in &scenario.journeys {
            let mut with_token = false;
            let program = Program::new(&journey.steps, &mut |ask| {
                let of = journey.campaign;
                let same = |known: &Request| known.campaign == of && known.ask == *ask;
                let known = requests.iter().position(same);
                let at = known.unwrap_or_else(|| {
                    let name = (ask.name().to_owned(), of);
                    let counted = names.iter().position(|known| *known == name);
                    let counted = counted.unwrap_or_else(|| {
                        names.push(name);
                        names.len() - 1
                    });
                    if let Some(campaign) = scenario.campaigns.get(of) {
                        requests.push(Request::new(ask, of, campaign, counted, target));
                    }
                    requests.len().saturating_sub(1)
                });
                with_token |= requests.get(at).is_some_and(|request| request.with_token);
                at
            });
            journeys.push((program, journey.campaign, with_token));
        }
        let tenants = scenario.campaigns.iter().map(|of| of.tenant.clone());
        let population = &scenario.population;
        let text = serde_json::to_string(&population.claims).unwrap_or_default();
        Self {
            schedule: Arc::new(Schedule::new(&scenario.arrivals)),
            journeys,
            requests,
            names,
            target: found,
            provoke: scenario.provoke,
            patience: scenario.patience,
            tenants: tenants.collect(),
            mint: with.mint,
            seed: with.seed,
            after: with.after,
            keys: format!("{:016x}", mix(with.run ^ mix(with.seed))),
            clock: with.clock,
            stop: with.stop,
            enough: AtomicBool::new(false),
            users: population.users,
            addresses: population.addresses,
            mark: population.mark.clone(),
            claims: population.claims.clone(),
            own_claims: text.contains("{n}"),
        }
    }

    /// The arrivals of one thread.
    pub fn arrivals(&self, scenario: &Scenario, mine: u64, of: u64) -> Arrivals {
        let from = (self.seed, self.after);
        Arrivals::new(scenario, self.schedule.clone(), from, mine, of)
    }

    /// A token of a user for a journey; empty if it needs none.
    pub fn token(&self, journey: usize, user: u64) -> Result<String, Error> {
        let Some((_, campaign, true)) = self.journeys.get(journey) else {
            return Ok(String::new());
        };
        let tenant = self.tenants.get(*campaign).map_or("", String::as_str);
        let member = crate::call::member_id(&self.mark, user);
        if !self.own_claims {
            return self.mint.token(tenant, &member, &self.claims);
        }
        let claims = self.claims.iter();
        let claims = claims.map(|(name, value)| (name.clone(), numbered(value, user)));
        self.mint.token(tenant, &member, &claims.collect())
    }

    /// Where a user comes from, if not from here: neighbours by number share an address.
    pub fn address(&self, user: u64) -> Option<std::net::Ipv4Addr> {
        let groups = u128::from(self.addresses?);
        let group = u128::from(user) * groups / u128::from(self.users.max(1));
        Some(request::address(group as u32))
    }

    /// What a call's random texts are made from: the same each time it is sent.
    pub fn texts(&self, arrival: u64, call: u32) -> Dice {
        Dice::of(self.seed ^ u64::from(call), purpose::TEXT, arrival)
    }
}

fn numbered(value: &Value, user: u64) -> Value {
    match value {
        Value::String(text) => Value::String(request::with_number(text, user)),
        Value::Array(items) => items.iter().map(|item| numbered(item, user)).collect(),
        other => other.clone(),
    }
}
