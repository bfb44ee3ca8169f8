//! What the campaigns of a tenant tell each other: whether whoever is listened to is there and says what is listened for, with the
//! fields that the event takes, and whether all of it comes to an end. For this the files are held against each other; a file
//! that is published alone meets here what lies in the folder. What a store holds beside the folder is not known here: a
//! message that does not fit in the end is parked by the relay.

use std::collections::BTreeSet;
use std::sync::Arc;

use machine::Type;
use machine::model::{Action, Definition, Hears, State, Transition};

use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::load::LoadedCampaign;
use crate::source::Place;
use crate::tables::Placed;

/// What a campaign tells others, and hears of them.
#[derive(Debug, Default)]
pub(crate) struct Relays {
    pub ears: Vec<Placed<Ear>>,
    pub emitted: Vec<Placed<Emitted>>,
    /// Where it declares who is new by first sight, if it does, and the campaigns that it leaves out there.
    pub first_sight: Option<Place>,
    pub left_out: Vec<Placed<String>>,
}

/// An event that listens for a message.
#[derive(Debug)]
pub(crate) struct Ear {
    pub event: u16,
    pub hears: Hears,
}

/// A message with what it carries, at one place where it is emitted.
#[derive(Debug)]
pub(crate) struct Emitted {
    pub message: Arc<str>,
    pub fields: Vec<(Arc<str>, Type)>,
}

/// Holds a tenant's campaigns against each other; one that listens for what will not come has no definition afterwards.
/// `relays` are theirs, in the same order.
pub(crate) fn check(campaigns: &mut [LoadedCampaign], relays: &[Relays], out: &mut Diagnostics) {
    let mut unsound = BTreeSet::new();
    let mut heard = Vec::new();
    for (at, (campaign, own)) in campaigns.iter().zip(relays).enumerate() {
        let Some(definition) = &campaign.definition else {
            continue;
        };
        for ear in &own.ears {
            match source(ear, definition, campaigns, relays, out) {
                Found::Fits(from) => heard.push(Told { from, to: at, ear }),
                Found::NotKnown => {}
                Found::Wrong => {
                    unsound.insert(at);
                }
            }
        }
    }
    for told in circles(&heard, campaigns) {
        let Hears { campaign, message } = &told.ear.what.hears;
        out.error(
            codes::RELAY_CIRCLE,
            &told.ear.place,
            format!("`{message}` of `{campaign}` comes back to itself: this could go on for ever"),
        )
        .help("let one of the campaigns in this circle not emit where it only passes on what it heard");
        unsound.insert(told.to);
    }
    for at in unsound {
        if let Some(campaign) = campaigns.get_mut(at) {
            campaign.definition = None;
        }
    }
}

/// What was found at the other end.
enum Found {
    /// This campaign says what is listened for.
    Fits(usize),
    /// Its file has errors of its own, which were reported.
    NotKnown,
    /// That is an error, and reported.
    Wrong,
}

/// Whom an event listens to, if that fits.
fn source(
    ear: &Placed<Ear>,
    listener: &Definition,
    campaigns: &[LoadedCampaign],
    relays: &[Relays],
    out: &mut Diagnostics,
) -> Found {
    let Hears { campaign, message } = &ear.what.hears;
    let found = campaigns.iter().position(|other| *other.id == **campaign);
    let Some((at, source)) = found.and_then(|at| Some((at, campaigns.get(at)?))) else {
        let others = campaigns.iter().map(|other| other.id.as_str());
        let others = others.filter(|other| *other != &*listener.campaign);
        out.error(
            codes::UNKNOWN_CAMPAIGN,
            &ear.place,
            format!("the tenant has no campaign `{campaign}`"),
        )
        .help(meant(campaign, others).unwrap_or_else(|| {
            format!("a campaign is named as its file: `{campaign}.yaml` is not in this folder")
        }));
        return Found::Wrong;
    };
    let Some(own) = relays.get(at).filter(|_| source.definition.is_some()) else {
        return Found::NotKnown;
    };
    let emitted = own
        .emitted
        .iter()
        .filter(|told| told.what.message == *message);
    let emitted: Vec<_> = emitted.collect();
    if emitted.is_empty() {
        let names: BTreeSet<&str> = own.emitted.iter().map(|told| &*told.what.message).collect();
        let help = meant(message, names.iter().copied()).unwrap_or_else(|| {
            if names.is_empty() {
                format!("`{campaign}` emits nothing: let one of its transitions `emit: {message}`")
            } else {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                format!(
                    "it emits {}: name one of them (`message: ..`), or let it `emit: {message}`",
                    names.join(", ")
                )
            }
        });
        out.error(
            codes::UNKNOWN_MESSAGE,
            &ear.place,
            format!("`{campaign}` emits no message `{message}`"),
        )
        .help(help);
        return Found::Wrong;
    }
    let mut fits = true;
    for told in emitted {
        fits &= carries(ear, listener, told, out);
    }
    if fits { Found::Fits(at) } else { Found::Wrong }
}

/// Whether a message brings what the event takes.
fn carries(
    ear: &Placed<Ear>,
    listener: &Definition,
    told: &Placed<Emitted>,
    out: &mut Diagnostics,
) -> bool {
    let Hears { campaign, message } = &ear.what.hears;
    let Some(event) = listener.events.get(usize::from(ear.what.event)) else {
        return true;
    };
    let mut fits = true;
    for field in &event.payload {
        let mut given = told.what.fields.iter();
        let given = given.find(|(name, _)| **name == *field.name);
        let (problem, help) = match given {
            None if field.default.is_none() => (
                format!(
                    "`{message}` of `{campaign}` does not bring `{}`, which `{}` needs",
                    field.name, event.name
                ),
                format!(
                    "let it: `emit: {{ message: {message}, with: {{ {}: .. }} }}`; or give the field a `default`",
                    field.name
                ),
            ),
            Some((_, ty)) if *ty != field.ty => (
                format!(
                    "`{message}` of `{campaign}` brings `{}` as {ty}, and `{}` takes {}",
                    field.name, event.name, field.ty
                ),
                format!("write `type: {ty}` at the field, or let the message bring another value"),
            ),
            None | Some(_) => continue,
        };
        fits = false;
        out.error(codes::MESSAGE_MISFIT, &ear.place, problem)
            .related(&told.place, "it is emitted here")
            .help(help);
    }
    fits
}

/// A message on its way from one campaign to another.
struct Told<'a> {
    from: usize,
    to: usize,
    ear: &'a Placed<Ear>,
}

/// Those of the messages that can lead to themselves again.
fn circles<'a>(heard: &'a [Told<'a>], campaigns: &[LoadedCampaign]) -> Vec<&'a Told<'a>> {
    let next: Vec<Vec<usize>> = heard
        .iter()
        .map(|told| {
            let listener = campaigns.get(told.to);
            let definition = listener.and_then(|listener| listener.definition.as_ref());
            let emits = definition.map(|definition| emitted_on(definition, told.ear.what.event));
            let emits = emits.unwrap_or_default();
            let follows = heard.iter().enumerate().filter(|(_, then)| {
                then.from == told.to && emits.contains(&*then.ear.what.hears.message)
            });
            follows.map(|(at, _)| at).collect()
        })
        .collect();
    let leads_back = |start: usize| {
        let mut open = next.get(start).cloned().unwrap_or_default();
        let mut met = BTreeSet::new();
        while let Some(at) = open.pop() {
            if met.insert(at) {
                open.extend(next.get(at).into_iter().flatten());
            }
        }
        met.contains(&start)
    };
    let found = heard.iter().enumerate().filter(|(at, _)| leads_back(*at));
    found.map(|(_, told)| told).collect()
}

/// The messages that an event may lead to: those of its own transitions, and those of all states, which it may enter.
fn emitted_on(definition: &Definition, event: u16) -> BTreeSet<&str> {
    let machine = &definition.machine;
    let states = machine.states.iter();
    let of_event = states
        .flat_map(|state| &state.events)
        .chain(&machine.events)
        .filter(|on| on.event == event)
        .flat_map(|on| &on.transitions)
        .flat_map(of_transition);
    let of_states = machine.states.iter().flat_map(of_state);
    let emitted = of_event.chain(of_states).filter_map(|action| match action {
        Action::Emit(emit) => Some(&*emit.message),
        Action::Set(_)
        | Action::Add(..)
        | Action::Take(..)
        | Action::Give(_)
        | Action::Block { .. } => None,
    });
    emitted.collect()
}

fn of_state(state: &State) -> impl Iterator<Item = &Action> {
    let delayed = state.after.iter().map(|after| &after.transition);
    let moves = state.always.iter().chain(delayed).flat_map(of_transition);
    state.entry.iter().chain(&state.exit).chain(moves)
}

fn of_transition(transition: &Transition) -> impl Iterator<Item = &Action> {
    let branches = transition
        .then
        .iter()
        .flat_map(|(_, branch)| &branch.actions);
    transition.actions.iter().chain(branches)
}
