//! What people do in a visit where the profile does not say: everything the page calls possible, and nothing as often as
//! drawing.

use blocks::signature;
use machine::Type;
use machine::model::{Action, Campaign, EventDecl, State, Transition};

use super::dice::Rate;
use super::profile::Habit;

/// How often at most somebody draws in one visit: until there is no chance left, as a rule.
const DRAWS: u32 = 10;

/// What is usual with an event that users send.
pub fn usual(campaign: &Campaign, event: &EventDecl, sharing: Rate) -> Habit {
    let place = campaign
        .events
        .iter()
        .position(|known| known.name == event.name);
    let draws = place.is_some_and(|place| draws(campaign, place as u16));
    // One that names a day is a make-up: not what people do on every visit.
    let of_a_day = event.payload.iter().any(|field| field.ty == Type::Date);
    let rate = if event.name.starts_with("share") {
        sharing
    } else if of_a_day {
        Rate::percent(10)
    } else {
        Rate::ALWAYS
    };
    Habit {
        rate,
        tries: if draws { DRAWS } else { 1 },
    }
}

/// Whether an event can lead to a draw.
pub fn draws(campaign: &Campaign, event: u16) -> bool {
    let machine = &campaign.machine;
    let own = machine
        .states
        .iter()
        .flat_map(|state: &State| &state.events);
    let mut transitions = own
        .chain(&machine.events)
        .filter(|on| on.event == event)
        .flat_map(|on| &on.transitions);
    transitions.any(|transition: &Transition| {
        let branches = transition
            .then
            .iter()
            .flat_map(|(_, branch)| &branch.actions);
        let mut actions = transition.actions.iter().chain(branches);
        actions.any(|action| drawing(campaign, action))
    })
}

fn drawing(campaign: &Campaign, action: &Action) -> bool {
    let Action::Block { block, action, .. } = action else {
        return false;
    };
    campaign
        .definition()
        .blocks
        .get(usize::from(*block))
        .and_then(|spec| signature(&spec.kind, 0))
        .and_then(|found| found.actions.get(usize::from(*action)).map(|sig| sig.draws))
        .unwrap_or(false)
}
