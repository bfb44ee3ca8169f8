//! From one revision to another: a record written under one is carried over to the next at its next touch, by name.

use std::sync::Arc;

use crate::calendar::Millis;
use crate::model::{Campaign, Definition};
use crate::participant::{BY_HAND_RULE, Core, Grant, Participant};

/// Why a revision can't follow another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stranded {
    /// A state is gone and nothing says where its participants go.
    #[error("state `{0}` is gone: say where its participants go (`moves: {{ {0}: some-state }}`)")]
    State(String),
    /// A variable changed its type.
    #[error("variable `{0}` was a {1} and is now a {2}: give the new one another name")]
    Type(String, &'static str, &'static str),
    /// A rule that has granted is gone.
    #[error(
        "rule `{0}` has granted and is gone: keep it, or say which one continues it (`rules_moved: {{ {0}: {1} }}`)"
    )]
    Rule(String, String),
    /// The edition is over and would begin again.
    #[error("edition {0} has closed, and a closed edition never reopens: write `edition: {next}` for the next run", next = .0 + 1)]
    Reopens(u32),
    /// A reward that has been granted is gone.
    #[error("reward `{0}` is gone: keep it, so that what was given can still be shown")]
    Reward(String),
    /// A raffle that people have entered is gone.
    #[error("raffle `{0}` is gone, and users have entered it since the campaign opened: keep it")]
    Raffle(String),
    /// A raffle that was drawn would be drawn at another time, or claimed otherwise.
    #[error(
        "raffle `{0}` has been drawn: its `draw_at` stays as it is, and so does whether its prizes are to be claimed"
    )]
    Drawn(String),
    /// A prize that was drawn is gone from its raffle.
    #[error("prize `{0}` has been drawn and may not be given yet: keep it under `prizes`")]
    Prize(String),
    /// A reward's codes would come from elsewhere, and those that were given would be others.
    #[error(
        "reward `{0}` takes its codes from pool `{1}`, for good: put more codes into that pool"
    )]
    Pool(String, String),
}

/// All that stands against `new` following `old` at `now`, where `granted` are the rules that have granted.
pub fn stranded<'a>(
    old: &Definition,
    new: &Definition,
    granted: impl IntoIterator<Item = &'a Arc<str>>,
    now: Millis,
) -> Vec<Stranded> {
    let mut found = Vec::new();
    // Its seed may have been revealed: whoever knows it knows every draw.
    if now >= old.drawn_until() && new.drawn_until() > now {
        found.push(Stranded::Reopens(old.edition));
    }
    for state in &old.machine.states {
        if target_state(&state.name, new).is_none() {
            found.push(Stranded::State(state.name.to_string()));
        }
    }
    for var in &old.vars {
        if let Some(now) = new.vars.iter().find(|now| now.name == var.name)
            && now.ty != var.ty
        {
            found.push(Stranded::Type(
                var.name.clone(),
                name_of(var.ty),
                name_of(now.ty),
            ));
        }
    }
    for rule in granted {
        if target_rule(rule, new).is_none() {
            found.push(Stranded::Rule(rule.to_string(), likely(rule, old, new)));
        }
    }
    for reward in &old.rewards {
        if !new.rewards.iter().any(|now| now.id == reward.id) {
            found.push(Stranded::Reward(reward.id.to_string()));
        }
        let now = new.rewards.iter().find(|now| now.id == reward.id);
        if let (Some(was), Some(now)) = (&reward.pool, now)
            && now.pool.as_ref().map(|pool| &pool.name) != Some(&was.name)
        {
            let (reward, pool) = (reward.id.to_string(), was.name.to_string());
            found.push(Stranded::Pool(reward, pool));
        }
    }
    found
}

fn name_of(ty: crate::value::Type) -> &'static str {
    use crate::value::Type;
    match ty {
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Str => "string",
        Type::Date => "date",
        Type::Time => "time",
        Type::Duration => "duration",
        Type::Strs => "list",
        Type::Days => "set of days",
    }
}

/// Carries a record over. What the new revision lacks is dropped, what it adds starts at its default. A record that
/// [`stranded`] should have kept from getting here comes to the initial state rather than to a panic.
pub fn migrate(record: &Participant, old: &Definition, new: &Campaign) -> Participant {
    let state_name = old
        .machine
        .states
        .get(usize::from(record.core.state))
        .map(|state| &*state.name);
    let state = state_name
        .and_then(|name| target_state(name, new))
        .unwrap_or(new.machine.initial);
    let same_state = state_name.is_some_and(|name| {
        new.machine
            .states
            .get(usize::from(state))
            .is_some_and(|s| &*s.name == name)
    });
    let vars = new.vars.iter().map(|var| {
        let place = old
            .vars
            .iter()
            .position(|was| was.name == var.name && was.ty == var.ty);
        place
            .and_then(|place| record.core.vars.get(place))
            .unwrap_or(&var.default)
            .clone()
    });
    let core = Core {
        revision: new.revision,
        version: record.core.version,
        state,
        entered_at: record.core.entered_at,
        now: record.core.now,
        draws: record.core.draws,
        after_done: if same_state {
            record.core.after_done
        } else {
            0
        },
        vars: vars.collect(),
    };
    Participant {
        core,
        grants: record
            .grants
            .iter()
            .map(|grant| carry(grant, old, new))
            .collect(),
        // Sources are named, not numbered: a revision that stops listening and one that listens again find them as they were.
        heard: record.heard.clone(),
    }
}

fn carry(grant: &Grant, old: &Definition, new: &Definition) -> Grant {
    let rule = old
        .rules_of_giving
        .get(usize::from(grant.rule))
        .and_then(|rule| target_rule(&rule.id, new));
    let reward = old
        .rewards
        .get(usize::from(grant.reward))
        .and_then(|reward| new.rewards.iter().position(|now| now.id == reward.id));
    // A place that no table has: shown as unknown, never mistaken for another.
    let by_hand = (grant.rule == BY_HAND_RULE).then_some(BY_HAND_RULE);
    Grant {
        rule: by_hand.or(rule).unwrap_or(u16::MAX),
        reward: reward.map_or(u16::MAX, |place| place as u16),
        ..grant.clone()
    }
}

fn target_state(name: &str, new: &Definition) -> Option<u16> {
    let same = new
        .machine
        .states
        .iter()
        .position(|state| &*state.name == name)
        .map(|place| place as u16);
    same.or_else(|| {
        new.moves
            .iter()
            .find(|(from, _)| from == name)
            .map(|(_, to)| *to)
    })
}

/// Of the rules that are new, the one whose id looks most like this one's: what probably continues it.
fn likely(rule: &str, old: &Definition, new: &Definition) -> String {
    let alike = |id: &str| {
        let pairs = id.chars().zip(rule.chars());
        pairs.take_while(|(a, b)| a == b).count()
    };
    let is_new = |id: &str| !old.rules_of_giving.iter().any(|known| &*known.id == id);
    let ids = new.rules_of_giving.iter().map(|rule| &*rule.id);
    let found = ids.filter(|id| is_new(id)).max_by_key(|id| alike(id));
    found.unwrap_or("some-rule").to_owned()
}

fn target_rule(id: &str, new: &Definition) -> Option<u16> {
    let place = new
        .rules_of_giving
        .iter()
        .position(|rule| &*rule.id == id || rule.was.iter().any(|was| was == id));
    place.map(|place| place as u16)
}
