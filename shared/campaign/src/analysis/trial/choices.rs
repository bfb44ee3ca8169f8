//! What is tried: a few payloads for each event, a few persons, and each way in which a draw may come out.

use std::collections::BTreeSet;
use std::sync::Arc;

use machine::calendar::{Day, HOUR_MS};
use machine::ids::Pseudonym;
use machine::input::{Facts, Known, Payload, User};
use machine::luck::{Entropy, Luck};
use machine::model::{Campaign, ClaimDecl, FactKind, Field, Sender};
use machine::participant::Participant;
use machine::redeem::{Handed, RedeemFact, Standing};
use machine::step::holds;
use machine::{Type, Value};

use crate::analysis::programs::Constants;
use crate::analysis::ranges::{Kind, kinds};

/// The most values of one field.
const MOST_VALUES: usize = 6;

/// The most payloads of one event.
const MOST_PAYLOADS: usize = 12;

/// How many draws are made to find all that a wheel may give; what is rarer is not tried.
const DRAWS: u64 = 400;

/// Somebody who plays.
#[derive(Debug)]
pub(in crate::analysis) struct Person {
    token: User,
    nobody: User,
    pub facts: Facts,
}

impl Person {
    /// What comes with an event of this sender.
    pub fn user(&self, sender: Sender) -> &User {
        if sender == Sender::User {
            &self.token
        } else {
            &self.nobody
        }
    }
}

/// The choices for one campaign.
#[derive(Debug)]
pub(in crate::analysis) struct Choices {
    /// One for each way in which a draw may come out; at least one.
    pub lucks: Vec<Entropy>,
    senders: Vec<Sender>,
    fields: Vec<Vec<Field>>,
    persons: Vec<Person>,
    numbers: Vec<i64>,
    texts: Vec<Arc<str>>,
}

impl Choices {
    pub fn new(campaign: &Campaign) -> Self {
        let mut constants = Constants::default();
        constants.of(campaign.definition());
        let mut numbers: Vec<i64> = constants.numbers.iter().copied().collect();
        numbers.sort_by_key(|number| number.unsigned_abs());
        let texts: Vec<Arc<str>> = constants.texts.iter().cloned().collect();
        let events = || campaign.events.iter();
        let first = |from: &Vec<Sender>| from.first().copied().unwrap_or(Sender::User);
        Self {
            lucks: lucks(campaign),
            senders: events().map(|event| first(&event.from)).collect(),
            fields: events().map(|event| event.payload.clone()).collect(),
            persons: persons(campaign, &numbers, &texts),
            numbers,
            texts,
        }
    }

    /// Who sends an event.
    pub fn sender(&self, event: u16) -> Sender {
        self.senders
            .get(usize::from(event))
            .copied()
            .unwrap_or(Sender::User)
    }

    /// Those who may take part.
    pub fn persons(&self) -> &[Person] {
        &self.persons
    }

    /// What an event may carry on a day: one field at a time is varied.
    pub fn payloads(&self, event: u16, today: Day) -> Vec<Payload> {
        let fields = self
            .fields
            .get(usize::from(event))
            .map_or(&[][..], Vec::as_slice);
        let values: Vec<Vec<Value>> = fields
            .iter()
            .map(|field| self.values(field, today))
            .collect();
        let usual: Vec<Value> = values
            .iter()
            .filter_map(|all| all.first().cloned())
            .collect();
        let mut found = vec![Payload {
            fields: usual.clone(),
        }];
        for (at, all) in values.iter().enumerate() {
            for value in all.iter().skip(1) {
                let mut other = usual.clone();
                if let Some(place) = other.get_mut(at) {
                    *place = value.clone();
                }
                found.push(Payload { fields: other });
            }
        }
        found.truncate(MOST_PAYLOADS);
        found
    }

    /// What a field may hold: its default or the least first, then its edges, then what the rules compare with.
    fn values(&self, field: &Field, today: Day) -> Vec<Value> {
        let mut all: Vec<Value> = field.default.iter().cloned().collect();
        if let Some(choice) = &field.choice {
            let first = choice.of.iter().take(choice.how_many as usize);
            let listed = [Value::Strs(first.cloned().collect())];
            let texts = choice.of.iter().cloned().map(Value::Str);
            match field.ty {
                Type::Strs => all.extend(listed),
                _ => all.extend(texts),
            }
            all.truncate(MOST_VALUES);
            return all;
        }
        match field.ty {
            Type::Int => {
                let near = self
                    .numbers
                    .iter()
                    .flat_map(|number| [*number, number.saturating_add(1)]);
                let edges = [field.at_least, field.at_most].into_iter().chain(near);
                let within =
                    edges.filter(|number| (field.at_least..=field.at_most).contains(number));
                all.extend(within.map(Value::Int));
            }
            Type::Bool => all.extend([false, true].map(Value::Bool)),
            Type::Str => {
                let known = self.texts.iter().cloned().chain([Arc::from("")]);
                let short = known.filter(|text| text.chars().count() <= field.max_length as usize);
                all.extend(short.map(Value::Str));
            }
            Type::Date => {
                let days = [today, today.saturating_sub(1)];
                all.extend(days.map(|day| Value::Int(i64::from(day))));
            }
            Type::Time => all.push(Value::Int(i64::from(today) * 24 * HOUR_MS)),
            Type::Duration => all.extend([24 * HOUR_MS, 0].map(Value::Int)),
            Type::Strs | Type::Days => all.push(field.ty.zero()),
        }
        let mut kept: Vec<Value> = Vec::new();
        for value in all {
            if !kept.contains(&value) {
                kept.push(value);
            }
        }
        kept.truncate(MOST_VALUES);
        kept
    }
}

/// Newcomers without a claim and on no list, those with every claim and on every list, and the two between: at most two of
/// them who may take part.
fn persons(campaign: &Campaign, numbers: &[i64], texts: &[Arc<str>]) -> Vec<Person> {
    let nobody = User::nobody(&campaign.claims);
    let full = User {
        claims: campaign
            .claims
            .iter()
            .map(|claim| claimed(claim, campaign, numbers, texts))
            .collect(),
    };
    let facts = |known: &Known| {
        let all = campaign.facts.iter().map(|fact| match (known, &fact.what) {
            (_, FactKind::List(_) | FactKind::FirstSight(_)) => known.clone(),
            (Known::Yes, FactKind::Asked(asked)) => {
                Known::Is(asked_for(asked.ty, campaign, numbers, texts))
            }
            (_, FactKind::Redeem(redeem)) => handed(redeem, known),
            (_, FactKind::Asked(_) | FactKind::Team(_)) => Known::Unknown,
        });
        Facts::settle(&campaign.facts, all)
    };
    let all = [
        (false, Known::No),
        (true, Known::No),
        (true, Known::Yes),
        (false, Known::Yes),
    ];
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (claims, known) in all {
        let token = if claims { &full } else { &nobody };
        let opens = campaign.window.opens;
        let newcomer = Participant::new(campaign, opens);
        let facts = facts(&known);
        let eligible = campaign.audience.as_ref().is_none_or(|guard| {
            holds(guard, campaign, &newcomer, token, &facts, opens).unwrap_or(false)
        });
        let same = (
            !claims || full == nobody,
            known == Known::No || campaign.facts.is_empty(),
        );
        if eligible && found.len() < 2 && seen.insert(same) {
            found.push(Person {
                token: token.clone(),
                nobody: nobody.clone(),
                facts,
            });
        }
    }
    found
}

/// A code of the first kind, or of the last.
fn handed(redeem: &RedeemFact, known: &Known) -> Known {
    let kind = match known {
        Known::Yes => redeem.kinds.last(),
        _ => redeem.kinds.first(),
    };
    kind.map_or(Known::Unknown, |kind| {
        Known::Handed(Handed {
            code: Pseudonym([7; 16]),
            is: Standing::Of(kind.id.clone()),
        })
    })
}

fn claimed(claim: &ClaimDecl, campaign: &Campaign, numbers: &[i64], texts: &[Arc<str>]) -> Value {
    match claim.ty {
        Type::Duration | Type::Days => claim.default.clone(),
        Type::Str if texts.is_empty() => claim.default.clone(),
        ty => asked_for(ty, campaign, numbers, texts),
    }
}

/// A value that somebody may have whom the campaign is for.
fn asked_for(ty: Type, campaign: &Campaign, numbers: &[i64], texts: &[Arc<str>]) -> Value {
    match ty {
        Type::Bool => Value::Bool(true),
        Type::Int => Value::Int(
            numbers
                .last()
                .copied()
                .unwrap_or(1)
                .saturating_abs()
                .min(1_000),
        ),
        Type::Str => texts
            .first()
            .map_or_else(|| ty.zero(), |text| Value::Str(text.clone())),
        Type::Strs => Value::Strs(texts.iter().cloned().collect()),
        Type::Time => Value::Int(campaign.window.opens.saturating_sub(HOUR_MS)),
        Type::Date => Value::Int(i64::from(campaign.calendar.day(campaign.window.opens))),
        Type::Duration | Type::Days => ty.zero(),
    }
}

/// One luck for each reward that a wheel may come up with.
fn lucks(campaign: &Campaign) -> Vec<Entropy> {
    let mut found = vec![[0; 32]];
    let lots: Vec<_> = kinds(campaign.definition())
        .into_iter()
        .filter_map(|kind| match kind {
            Kind::Days(params) => Some(params.lots),
            _ => None,
        })
        .flatten()
        .map(|lot| lot.odds)
        .collect();
    let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
    for number in 0..DRAWS {
        let mut entropy: Entropy = [0; 32];
        for (place, byte) in entropy.iter_mut().zip(number.to_be_bytes()) {
            *place = byte;
        }
        let wheels = campaign.blocks.iter();
        let wheels = wheels.filter_map(|block| block.redraw(&mut Luck::new(entropy), 0, 0));
        let wheels = wheels.map(|drawn| drawn.rolled);
        let lots = lots.iter();
        let lots = lots.map(|odds| odds.roll(&mut Luck::new(entropy)).0);
        for rolled in wheels.chain(lots) {
            if seen.insert(rolled.reward) && number > 0 {
                found.push(entropy);
            }
        }
    }
    found
}
