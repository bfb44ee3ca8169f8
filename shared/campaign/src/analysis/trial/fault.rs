//! A rule that failed in a trial: which transition it was, and how to get there.

use machine::expr::Fault;
use machine::model::{Campaign, Definition, On, Sender, Transition};
use machine::step::{Call, No, step};

use crate::analysis::flow::List;
use crate::analysis::guards;
use crate::analysis::places::Places;
use crate::codec::link;
use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::source::Place;

use super::choices::Person;
use super::{Failure, example};

/// Reports it.
pub(super) fn tell(
    campaign: &Campaign,
    person: &Person,
    failure: &Failure,
    places: Places<'_>,
    out: &mut Diagnostics,
) {
    let found = failure
        .event
        .and_then(|event| culprit(campaign, person, failure, event));
    let spot = found.and_then(|(list, place)| places.transition(list, place));
    let place: &Place = spot.as_ref().map_or_else(
        || {
            places
                .state(usize::from(failure.state))
                .unwrap_or(&places.root.place)
        },
        |spot| spot.item,
    );
    let what = match failure.fault {
        Fault::DivisionByZero => "divides by zero",
        _ => "counts beyond 64 bits, or adds less than nothing",
    };
    let how = example::told(campaign, failure.participant.core.now, &failure.done);
    let steps: Vec<&str> = [failure.way.as_str(), how.as_str()]
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect();
    out.error(
        codes::RULE_FAILS,
        place,
        format!("this rule can fail: it {what}"),
    )
    .help(format!(
        "it happens with {}; bound the payload, or guard the expression: `x == 0 ? 0 : y / x`",
        if steps.is_empty() {
            "the first visit".to_owned()
        } else {
            steps.join(", ")
        }
    ));
}

/// The transition that failed: with only those before it the event does not fail.
fn culprit(
    campaign: &Campaign,
    person: &Person,
    failure: &Failure,
    event: u16,
) -> Option<(List, usize)> {
    let definition = campaign.definition();
    let state = usize::from(failure.state);
    let found = definition.machine.states.get(state)?;
    let own = found
        .events
        .iter()
        .enumerate()
        .map(|(on, found)| (List::Own(state, on), found));
    let wide = definition.machine.events.iter().enumerate();
    let wide = wide.map(|(on, found)| (List::Wide(on), found));
    let all: Vec<(List, usize)> = own
        .chain(wide.filter(|_| !found.last))
        .filter(|(_, on)| on.event == event)
        .flat_map(|(list, on)| (0..on.transitions.len()).map(move |place| (list, place)))
        .collect();
    (0..all.len()).find_map(|last| {
        let kept = all.get(..=last)?;
        let less = with_only(definition, state, event, kept)?;
        fails(&less, person, failure).then(|| all.get(last).copied())?
    })
}

/// The definition with these transitions of the event alone.
fn with_only(
    definition: &Definition,
    state: usize,
    event: u16,
    kept: &[(List, usize)],
) -> Option<Campaign> {
    let mut less = definition.clone();
    let transitions: Option<Vec<Transition>> = kept
        .iter()
        .map(|(list, place)| {
            let all = guards::transitions(definition, *list)?;
            all.get(*place).map(|found| (*found).clone())
        })
        .collect();
    less.machine.events.retain(|on| on.event != event);
    let found = less.machine.states.get_mut(state)?;
    found.events.retain(|on| on.event != event);
    found.events.push(On {
        event,
        transitions: transitions?,
    });
    link(less, 0).ok()
}

fn fails(campaign: &Campaign, person: &Person, failure: &Failure) -> bool {
    let Some((event, payload)) = &failure.done.event else {
        return false;
    };
    let from = campaign
        .events
        .get(usize::from(*event))
        .and_then(|event| event.from.first());
    let sender = from.copied().unwrap_or(Sender::User);
    let answer = step(&Call {
        campaign,
        participant: &failure.participant,
        user: person.user(sender),
        sender,
        event: Some((*event, payload)),
        facts: &person.facts,
        now: failure.done.at,
        rehearsal: false,
        draws: &machine::luck::NoDraws,
        exhausted: &[],
    });
    matches!(answer, Err(No::Fault(fault)) if fault == failure.fault)
}
