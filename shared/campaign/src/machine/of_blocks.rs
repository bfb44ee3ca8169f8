//! Blocks' actions in a `do` list: `{ draw: wheel }`, or with arguments `{ make_up: { of: streak, day: event.day } }`.

use std::sync::Arc;

use machine::block::ActionSig;
use machine::expr::{Expr, IntExpr};
use machine::model::{Action, Choice};
use serde::de::DeserializeOwned;

use super::actions::{Lowered, OWN, When, after_draw};
use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Entry, Kind};
use crate::read::limits;
use crate::read::wheel::draws;
use crate::read::{events, tasks};
use crate::scope::{Scope, Setting};

/// The field of an event that says what is chosen of a pack.
const CHOICE: &str = "choice";

/// Blocks' actions that may say no by themselves, whatever the guards said, and are only done because a user asks.
const MAY_REFUSE: [&str; 6] = [
    "sign",
    "make_up",
    "claim_team",
    "enter",
    "claim_prize",
    "redeem",
];

/// Those that say no to a user, and without one give all or nothing.
const MAY_REFUSE_USERS: [&str; 2] = ["claim", "claim_task"];

/// Blocks' actions after which a team's tallies are looked at.
const COUNTS: [&str; 3] = ["sign", "measure", "claim_team"];

/// How many times an action draws: a plain number, so that the check knows it.
const TIMES: &str = "times";

/// The names of blocks' arguments, in the order of their signatures.
const ARGUMENTS: [(&str, &[&str]); 2] = [("make_up", &["day"]), ("measure", &["amount"])];

/// Lowers a block's action into the list; nothing after an error.
pub(super) fn lower(
    entry: &Entry,
    when: When,
    list: &mut Lowered,
    check: &mut Check<'_>,
) -> Option<()> {
    let name = entry.name();
    let value = &entry.value;
    let of = if value.is_map() {
        value.get("of")
    } else {
        Some(value)
    };
    let Some(of) = of else {
        check
            .out
            .error(
                codes::MISSING_KEY,
                &value.place,
                "`of` is missing: the block that acts",
            )
            .help(format!("write `{{ {name}: {{ of: .. }} }}`"));
        return None;
    };
    if !known(name, check) {
        return unknown_action(entry, check);
    }
    let wanted = of.string(&mut check.out)?;
    let Some((at, signature, action)) = find(name, wanted, check) else {
        let owners: Vec<String> = owners(name, check);
        let help = match owners.as_slice() {
            [] => {
                format!("the campaign has no section that makes a block with the action `{name}`")
            }
            _ => format!("write `{{ {name}: {} }}`", owners.join(" or ")),
        };
        check
            .out
            .error(
                codes::UNKNOWN_BLOCK,
                &of.place,
                format!("`{wanted}` has no action `{name}`"),
            )
            .help(help);
        return None;
    };
    check.tables.used_blocks.insert(at);
    let may_refuse = MAY_REFUSE.contains(&name);
    if when.setting == Setting::Nobody && may_refuse {
        check
            .out
            .error(
                codes::NOBODY_THERE,
                &entry.key.place,
                format!("`{name}` is something a user does, and may be refused: nobody is there"),
            )
            .help("do it in a transition of an event");
    }
    if when.drawn && (may_refuse || MAY_REFUSE_USERS.contains(&name)) {
        after_draw(entry, check);
    }
    if let (Setting::Event(event), Some(team)) = (when.setting, check.tables.team)
        && COUNTS.contains(&name)
    {
        check.tables.event_asks(event, team);
        // Where days count by what is reported of them, whoever signs in is too early or too late.
        let is_late = name == "sign" && check.root.get("day_counts").is_some();
        if !is_late && check.tables.is_of_users(event) {
            check.tables.team_counted = true;
        }
    }
    if name == "redeem" {
        handed_in(entry, when.setting, check)?;
    }
    let mut args = arguments(entry, &signature, when.setting, check)?;
    if when.setting == Setting::Nobody && signature.draws {
        limits::looked_up(&entry.key.place, None, check);
    }
    if when.setting == Setting::Nobody && name == "claim" {
        let pack = params_of::<blocks::pack::Params>(at, blocks::pack::KIND, check);
        let rewards: Vec<u16> = pack
            .iter()
            .flat_map(blocks::pack::Params::rewards)
            .collect();
        limits::looked_up(&entry.key.place, Some(&rewards), check);
    }
    args.extend(hidden(entry, at, when.setting, check)?);
    list.draws |= signature.draws;
    if !signature.outcomes.is_empty() {
        list.outcomes = Some(signature.outcomes);
    }
    list.actions.push(Action::Block {
        block: at,
        action,
        args,
    });
    Some(())
}

/// Only one event brings codes; what one is, is found out before its transitions.
fn handed_in(entry: &Entry, setting: Setting, check: &mut Check<'_>) -> Option<()> {
    let Setting::Event(event) = setting else {
        // Said already: nobody is there.
        return None;
    };
    let (fact, wanted) = check.tables.redeem?;
    if event == wanted {
        check.tables.event_asks(event, fact);
        return Some(());
    }
    let name = |at| check.tables.event_at(at).map(|event| event.name.clone());
    let (here, named) = (
        name(event).unwrap_or_default(),
        name(wanted).unwrap_or_default(),
    );
    check
        .out
        .error(
            codes::CODE_EVENT,
            &entry.key.place,
            format!("codes come with the event `{named}`, and this is `{here}`"),
        )
        .help(format!(
            "do it where `{named}` is taken, or write `redeem: {{ event: {here} }}`"
        ));
    None
}

/// The arguments that an action takes beside those that are written: which event this is, or in which field of it something
/// is named.
fn hidden(entry: &Entry, block: u16, setting: Setting, check: &mut Check<'_>) -> Option<Vec<Expr>> {
    let number = |number: u16| Expr::Int(IntExpr::Lit(i64::from(number)));
    match entry.name() {
        "claim" => {
            let Some(choice) = chosen_of(block, check) else {
                return Some(Vec::new());
            };
            let event = sent(entry, setting, check)?;
            let place = &entry.key.place;
            let slot = events::chosen_in(event, CHOICE, choice, place, check)?;
            Some(vec![number(slot)])
        }
        "report" => {
            let event = sent(entry, setting, check)?;
            Some(vec![number(event), number(0)])
        }
        "claim_task" => {
            let event = sent(entry, setting, check)?;
            let of = claimable(block, check);
            let choice = Choice { of, how_many: 1 };
            let place = &entry.key.place;
            let slot = events::chosen_in(event, tasks::TASK, choice, place, check)?;
            Some(vec![number(slot)])
        }
        _ => Some(Vec::new()),
    }
}

/// The parameters of a block, where it is of that kind.
fn params_of<P: DeserializeOwned>(block: u16, kind: &str, check: &Check<'_>) -> Option<P> {
    let spec = &check.tables.blocks.get(usize::from(block))?.what.spec;
    (spec.kind == kind)
        .then(|| serde_json::from_str(&spec.params).ok())
        .flatten()
}

/// The tasks that are claimed by hand.
fn claimable(block: u16, check: &Check<'_>) -> Vec<Arc<str>> {
    let params = params_of::<blocks::tasks::Params>(block, blocks::tasks::KIND, check);
    let tasks = params.into_iter().flat_map(|params| params.tasks);
    tasks
        .filter(|task| task.by_hand)
        .map(|task| task.id)
        .collect()
}

/// What is chosen, where the block is a pack that is chosen from.
fn chosen_of(block: u16, check: &Check<'_>) -> Option<Choice> {
    let params = params_of::<blocks::pack::Params>(block, blocks::pack::KIND, check)?;
    let choose = params.choose?;
    let named = choose.of.iter().filter_map(|reward| {
        let reward = check.tables.reward_at(*reward)?;
        Some(reward.id.clone())
    });
    Some(Choice {
        of: named.collect(),
        how_many: choose.how_many,
    })
}

/// The event of a transition; where there is none, nobody says which.
fn sent(entry: &Entry, setting: Setting, check: &mut Check<'_>) -> Option<u16> {
    if let Setting::Event(event) = setting {
        return Some(event);
    }
    let message = format!(
        "`{}` reads what an event says, and nobody is there to send one",
        entry.name()
    );
    check
        .out
        .error(codes::NOBODY_THERE, &entry.key.place, message)
        .help("do it in a transition of an event");
    None
}

fn arguments(
    entry: &Entry,
    signature: &ActionSig,
    setting: Setting,
    check: &mut Check<'_>,
) -> Option<Vec<Expr>> {
    let names = ARGUMENTS
        .iter()
        .find(|(action, _)| *action == signature.name)
        .map_or(&[][..], |(_, names)| names);
    if let Kind::Map(given) = &entry.value.kind {
        let repeats = |name: &str| signature.draws && name == TIMES;
        for extra in given.iter().filter(|field| {
            let name = field.name();
            name != "of" && !names.contains(&name) && !repeats(name)
        }) {
            let help = meant(extra.name(), names.iter().copied());
            check
                .out
                .error(
                    codes::UNKNOWN_KEY,
                    &extra.key.place,
                    format!("`{}` takes no `{}`", signature.name, extra.name()),
                )
                .maybe_help(help);
        }
    }
    let mut args = Vec::new();
    for (name, ty) in names.iter().zip(&signature.args) {
        let Some(node) = entry.value.get(name) else {
            check
                .out
                .error(
                    codes::MISSING_KEY,
                    &entry.value.place,
                    format!("`{name}` is missing ({ty})"),
                )
                .help(format!(
                    "write `{{ {}: {{ of: .., {name}: .. }} }}`",
                    signature.name
                ));
            return None;
        };
        args.push(Scope::new(&mut check.tables, setting).lower(node, *ty, &mut check.out)?);
    }
    if let Some(node) = entry.value.get(TIMES).filter(|_| signature.draws) {
        // Once is what an action without it does; and looks like what it always was.
        let times = draws::times(node, 1, check)?;
        args.extend((times > 1).then_some(Expr::Int(IntExpr::Lit(times))));
    }
    Some(args)
}

/// Whether any kind of block has this action.
fn known(name: &str, check: &Check<'_>) -> bool {
    all_actions().contains(&name) || !owners(name, check).is_empty()
}

fn all_actions() -> Vec<&'static str> {
    let signatures = blocks::KINDS
        .iter()
        .filter_map(|kind| blocks::signature(kind, 0));
    signatures
        .flat_map(|signature| signature.actions.into_iter().map(|action| action.name))
        .collect()
}

/// The campaign's blocks that have this action.
fn owners(name: &str, check: &Check<'_>) -> Vec<String> {
    let having = check.tables.blocks.iter().filter(|block| {
        block
            .what
            .signature
            .actions
            .iter()
            .any(|action| action.name == name)
    });
    having
        .map(|block| block.what.spec.name.to_string())
        .collect()
}

fn find(name: &str, block: &str, check: &Check<'_>) -> Option<(u16, ActionSig, u16)> {
    let (at, built) = check.tables.block(block)?;
    let actions = &built.signature.actions;
    let action = actions.iter().position(|action| action.name == name)?;
    Some((at, actions.get(action)?.clone(), action as u16))
}

fn unknown_action(entry: &Entry, check: &mut Check<'_>) -> Option<()> {
    let all: Vec<&str> = OWN.into_iter().chain(all_actions()).collect();
    let help = meant(entry.name(), all.iter().copied()).unwrap_or_else(|| {
        format!(
            "the actions are {}",
            all.iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        )
    });
    check
        .out
        .error(
            codes::UNKNOWN_ACTION,
            &entry.key.place,
            format!("there is no action `{}`", entry.name()),
        )
        .help(help);
    None
}
