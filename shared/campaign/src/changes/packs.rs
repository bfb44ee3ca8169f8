//! What packs and tasks promise: contents, what is chosen from, stages, windows of the day; what is to be done for what.

use std::collections::BTreeSet;

use blocks::pack::flash::Flash;
use blocks::pack::stages::Stages;
use blocks::pack::{Params, choose::Choose};
use blocks::tasks::{Params as Tasks, Task};
use machine::Definition;
use machine::calendar::date;

use super::blocks::{by_day, id, names, sets};
use super::{Both, Effect, Found};

pub(super) fn compare(both: Both<'_>, was: &Params, is: &Params, found: &mut Found) {
    let Both { old, new } = both;
    if was.stages.is_none() && is.stages.is_none() {
        sets(
            "pack",
            ("the pack gives", "礼包内容"),
            &names(old, was.first()),
            &names(new, is.first()),
            found,
        );
    }
    let options = |definition: &Definition, choose: Option<&Choose>| -> BTreeSet<String> {
        let of = choose.iter().flat_map(|choose| &choose.of);
        of.map(|reward| id(definition, *reward).to_string())
            .collect()
    };
    sets(
        "pack.choose",
        ("there is to choose from", "可选内容"),
        &options(old, was.choose.as_ref()),
        &options(new, is.choose.as_ref()),
        found,
    );
    let many = |params: &Params| params.choose.as_ref().map_or(0, |choose| choose.how_many);
    if many(was) != many(is) {
        let effect = Effect::more_is_better(&many(was), &many(is));
        let words = ("how many are chosen", "可选件数");
        let (old, new) = (many(was).to_string(), many(is).to_string());
        found.figure("pack.choose.how_many", effect, words, old, new);
    }
    stages(both, was.stages.as_ref(), is.stages.as_ref(), found);
    flash(was.flash.as_ref(), is.flash.as_ref(), found);
}

fn stages(both: Both<'_>, was: Option<&Stages>, is: Option<&Stages>, found: &mut Found) {
    let days = |definition: &Definition, stages: Option<&Stages>| {
        let each = stages.iter().flat_map(|stages| &stages.each);
        let all: Vec<_> = each
            .flat_map(|stage| stage.gives.iter().map(|promise| (stage.day, *promise)))
            .collect();
        by_day(definition, &all)
    };
    sets(
        "pack.stages",
        ("the stages give", "分阶段内容"),
        &days(both.old, was),
        &days(both.new, is),
        found,
    );
    let lost = |stages: Option<&Stages>| stages.is_some_and(|stages| stages.lost);
    if lost(was) != lost(is) && was.is_some() {
        let (effect, en, zh) = if lost(is) {
            (
                Effect::Worse,
                "a stage that is not claimed on its day is lost now",
                "未在当天领取的阶段改为作废",
            )
        } else {
            (
                Effect::Better,
                "a stage that is not claimed on its day waits now",
                "未在当天领取的阶段改为保留",
            )
        };
        found.say("pack.late", effect, en, zh);
    }
}

fn flash(was: Option<&Flash>, is: Option<&Flash>, found: &mut Found) {
    if was.is_some() != is.is_some() {
        let (en, zh) = if is.is_some() {
            ("the pack can be claimed in windows of the day only now", "礼包改为限时领取")
        } else {
            ("the pack can be claimed at any time now", "礼包改为随时可领")
        };
        found.say("pack.flash", Effect::Unclear, en, zh);
        return;
    }
    let windows = |flash: Option<&Flash>| -> BTreeSet<String> {
        let all = flash.iter().flat_map(|flash| &flash.windows);
        let clock = |secs: u32| format!("{:02}:{:02}", secs / 3600, secs / 60 % 60);
        all.map(|window| {
            let (from, until) = (clock(window.from), clock(window.until));
            format!("{from}-{until}: {}", window.stock)
        })
        .collect()
    };
    // More of a window, or another one, is told apart by nobody but who reads it.
    let (before, after) = (windows(was), windows(is));
    sets("pack.flash", ("windows of the day", "限时场次"), &before, &after, found);
    let days = |flash: Option<&Flash>| -> BTreeSet<String> {
        let all = flash.iter().flat_map(|flash| &flash.days);
        all.map(|day| date(*day).to_string()).collect()
    };
    let (before, after) = (days(was), days(is));
    if before != after {
        let list = |days: &BTreeSet<String>| format!("{} days", days.len());
        found.figure(
            "pack.flash.days",
            Effect::Unclear,
            ("days with windows", "限时日期"),
            list(&before),
            list(&after),
        );
    }
    let each = |flash: Option<&Flash>| flash.is_some_and(|flash| flash.each_day);
    if each(was) != each(is) {
        let effect = if each(is) { Effect::Better } else { Effect::Worse };
        let (en, zh) = if each(is) {
            ("the pack can be claimed again each day now", "礼包改为每天可领")
        } else {
            ("the pack can be claimed once in all now", "礼包改为只能领一次")
        };
        found.say("pack.flash.again", effect, en, zh);
    }
}

/// Each task with what it takes and what it earns: one that is changed is one that is gone and one that has come.
pub(super) fn tasks(both: Both<'_>, was: &Tasks, is: &Tasks, found: &mut Found) {
    let told = |definition: &Definition, task: &Task| {
        let var = |slot: u16| definition.vars.get(usize::from(slot));
        let earns = task.earns.iter().filter_map(|(slot, amount)| {
            let var = var(*slot)?;
            Some(format!("{amount} {}", var.name))
        });
        let gives = names(definition, &task.gives);
        let all: Vec<String> = earns.chain(gives).collect();
        let (goal, times) = (task.goal, task.times);
        format!("{}: {goal} x{times} {:?} = {}", task.id, task.every, all.join(" + "))
    };
    let set = |definition: &Definition, tasks: &Tasks| -> BTreeSet<String> {
        let tasks = tasks.tasks.iter();
        tasks.map(|task| told(definition, task)).collect()
    };
    let (before, after) = (set(both.old, was), set(both.new, is));
    sets("tasks", ("tasks", "任务"), &before, &after, found);
    if before == after && was != is {
        let (en, zh) = ("how tasks are reported or claimed has changed", "任务的上报或领取方式有改动");
        found.say("tasks", Effect::Unclear, en, zh);
    }
}
