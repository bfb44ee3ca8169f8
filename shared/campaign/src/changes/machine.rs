//! States, events, variables and what happens on an event.

use std::collections::BTreeSet;

use machine::Definition;
use machine::model::{EventDecl, On, Sender, State, VarKind};

use super::by_name::by_name;
use super::{Both, Effect, Found};

pub(super) fn compare(both: Both<'_>, found: &mut Found) {
    vars(both, found);
    events(both, found);
    states(both, found);
}

fn vars(Both { old, new }: Both<'_>, found: &mut Found) {
    let shown = |definition: &Definition| {
        let vars = definition.vars.iter();
        let vars = vars.filter(|var| var.kind != VarKind::Hidden);
        vars.map(|var| var.name.clone()).collect::<BTreeSet<_>>()
    };
    named(
        "context",
        ("variable", "变量"),
        &shown(old),
        &shown(new),
        found,
    );
    for var in &new.vars {
        let mut before = old.vars.iter();
        let Some(was) = before.find(|was| was.name == var.name) else {
            continue;
        };
        let name = &var.name;
        if was.at_most != var.at_most && var.kind == VarKind::Balance {
            let effect = Effect::more_is_better(&was.at_most, &var.at_most);
            let (en, zh) = (format!("`{name}` holds at most"), format!("`{name}` 上限"));
            let (old, new) = (was.at_most.to_string(), var.at_most.to_string());
            found.figure(format!("context.{name}"), effect, (&en, &zh), old, new);
        } else if (was.ty, &was.default, was.show) != (var.ty, &var.default, var.show) {
            found.say(
                format!("context.{name}"),
                Effect::Unclear,
                format!("`{name}`: type, start or whether it is shown changed"),
                format!("`{name}`：类型、初始值或是否展示有改动"),
            );
        }
    }
}

fn events(Both { old, new }: Both<'_>, found: &mut Found) {
    let names = |definition: &Definition| {
        let events = definition.events.iter();
        events
            .map(|event| event.name.to_string())
            .collect::<BTreeSet<_>>()
    };
    named("events", ("event", "事件"), &names(old), &names(new), found);
    for event in &new.events {
        let mut before = old.events.iter();
        let Some(was) = before.find(|was| was.name == event.name) else {
            continue;
        };
        let name = &event.name;
        if senders(was) != senders(event) {
            let (en, zh) = (
                format!("event `{name}` comes from"),
                format!("事件 `{name}` 来源"),
            );
            found.figure(
                format!("events.{name}.from"),
                Effect::Unclear,
                (&en, &zh),
                senders(was),
                senders(event),
            );
        }
        if was.payload != event.payload {
            found.say(
                format!("events.{name}.payload"),
                Effect::None,
                format!("event `{name}` carries other fields, or in other bounds"),
                format!("事件 `{name}` 的字段或取值范围有改动"),
            );
        }
        if was.while_claiming != event.while_claiming {
            let (effect, en, zh) = if event.while_claiming {
                (Effect::Better, "taken", "可用")
            } else {
                (Effect::Worse, "no longer taken", "不可用")
            };
            found.say(
                format!("events.{name}.while_claiming"),
                effect,
                format!("event `{name}` is {en} while claims are"),
                format!("事件 `{name}` 在领奖期内{zh}"),
            );
        }
    }
}

fn senders(event: &EventDecl) -> String {
    let names = event.from.iter().map(|sender| match sender {
        Sender::User => "user",
        Sender::Backend => "backend",
        Sender::Timer => "timer",
        Sender::Campaign => "campaign",
        Sender::Staff => "staff",
    });
    names.collect::<Vec<_>>().join(", ")
}

fn states(both: Both<'_>, found: &mut Found) {
    let Both { old, new } = both;
    let names = |definition: &Definition| {
        let states = definition.machine.states.iter();
        states
            .map(|state| state.name.to_string())
            .collect::<BTreeSet<_>>()
    };
    named("states", ("state", "状态"), &names(old), &names(new), found);
    let first = |definition: &Definition| {
        let state = definition
            .machine
            .states
            .get(usize::from(definition.machine.initial));
        state.map_or(String::new(), |state| state.name.to_string())
    };
    if first(old) != first(new) {
        let words = ("newcomers start in", "新用户初始状态");
        found.figure("initial", Effect::Unclear, words, first(old), first(new));
    }
    for state in &new.machine.states {
        let mut before = old.machine.states.iter();
        let Some(was) = before.find(|was| was.name == state.name) else {
            continue;
        };
        let name = &state.name;
        on_events(both, (&was.events, &state.events), name, found);
        if by_name(old, &rest_of(was)) != by_name(new, &rest_of(state)) {
            rules(format!("states.{name}"), name, None, found);
        }
    }
    let everywhere = (&old.machine.events[..], &new.machine.events[..]);
    on_events(both, everywhere, "*", found);
}

/// All of a state but what events do there.
fn rest_of(state: &State) -> State {
    State {
        events: Vec::new(),
        ..state.clone()
    }
}

fn on_events(both: Both<'_>, (old, new): (&[On], &[On]), state: &str, found: &mut Found) {
    let name = |definition: &Definition, on: &On| {
        let event = definition.events.get(usize::from(on.event));
        event.map_or(String::new(), |event| event.name.to_string())
    };
    let all: BTreeSet<String> = old
        .iter()
        .map(|on| name(both.old, on))
        .chain(new.iter().map(|on| name(both.new, on)))
        .collect();
    for event in all {
        let was = old.iter().find(|on| name(both.old, on) == event);
        let is = new.iter().find(|on| name(both.new, on) == event);
        let subject = format!("states.{state}.events.{event}");
        match (was, is) {
            (Some(was), Some(is))
                if by_name(both.old, &was.transitions) == by_name(both.new, &is.transitions) => {}
            (Some(_), None) => found.say(
                subject,
                Effect::Worse,
                format!("state `{state}` no longer takes `{event}`"),
                format!("状态 `{state}` 不再接受 `{event}`"),
            ),
            (None, Some(_)) => found.say(
                subject,
                Effect::Better,
                format!("state `{state}` takes `{event}` now"),
                format!("状态 `{state}` 现在接受 `{event}`"),
            ),
            _ => rules(subject, state, Some(&event), found),
        }
    }
}

/// That what happens differs.
fn rules(subject: String, state: &str, event: Option<&str>, found: &mut Found) {
    let (on, on_zh) = event.map_or((String::new(), String::new()), |event| {
        (format!(" on `{event}`"), format!("收到 `{event}` 时"))
    });
    found.say(
        subject,
        Effect::Unclear,
        format!("what happens in state `{state}`{on} changed"),
        format!("状态 `{state}` {on_zh}的行为有改动"),
    );
}

fn named(
    subject: &str,
    (en, zh): (&str, &str),
    old: &BTreeSet<String>,
    new: &BTreeSet<String>,
    found: &mut Found,
) {
    for name in new.difference(old) {
        found.say(
            format!("{subject}.{name}"),
            Effect::None,
            format!("{en} `{name}` added"),
            format!("新增{zh} `{name}`"),
        );
    }
    for name in old.difference(new) {
        found.say(
            format!("{subject}.{name}"),
            Effect::Unclear,
            format!("{en} `{name}` removed"),
            format!("删除{zh} `{name}`"),
        );
    }
}
