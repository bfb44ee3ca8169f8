//! What the blocks promise: odds, pity, chances, days, packs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use blocks::streak::{self, Cycle};
use blocks::{chances, pack, promise::Promise, tasks, wheel};
use machine::Definition;
use machine::model::BlockSpec;
use serde::de::DeserializeOwned;

use super::by_name::by_name;
use super::{Both, Effect, Found, days, odds, or, packs};

pub(super) fn compare(both: Both<'_>, found: &mut Found) {
    let Both { old, new } = both;
    for spec in &new.blocks {
        let Some(was) = same(old, spec) else {
            added(spec, found);
            continue;
        };
        match &*spec.kind {
            chances::KIND => with(was, spec, found, chances),
            wheel::KIND => with(was, spec, found, |was, is, found| {
                wheel(both, was, is, found);
            }),
            streak::KIND => with(was, spec, found, |was, is, found| {
                streak(both, was, is, found);
            }),
            pack::KIND => with(was, spec, found, |was, is, found| {
                packs::compare(both, was, is, found);
            }),
            tasks::KIND => with(was, spec, found, |was, is, found| {
                packs::tasks(both, was, is, found);
            }),
            _ if was.params != spec.params => unknown(spec, found),
            _ => {}
        }
    }
    for spec in &old.blocks {
        if same(new, spec).is_none() {
            let name = &spec.name;
            found.say(
                name.to_string(),
                Effect::Unclear,
                format!("`{name}` removed"),
                format!("删除 `{name}`"),
            );
        }
    }
}

fn same<'a>(definition: &'a Definition, spec: &BlockSpec) -> Option<&'a BlockSpec> {
    let mut all = definition.blocks.iter();
    all.find(|other| other.name == spec.name && other.kind == spec.kind)
}

fn added(spec: &BlockSpec, found: &mut Found) {
    let name = &spec.name;
    found.say(
        name.to_string(),
        Effect::Unclear,
        format!("`{name}` added"),
        format!("新增 `{name}`"),
    );
}

fn unknown(spec: &BlockSpec, found: &mut Found) {
    let name = &spec.name;
    found.say(
        name.to_string(),
        Effect::Unclear,
        format!("`{name}` changed"),
        format!("`{name}` 有改动"),
    );
}

/// Reads the parameters of both; what this program cannot read has changed, if it has, in a way that it cannot tell.
fn with<P: DeserializeOwned>(
    was: &BlockSpec,
    is: &BlockSpec,
    found: &mut Found,
    compare: impl FnOnce(&P, &P, &mut Found),
) {
    match (
        serde_json::from_str(&was.params),
        serde_json::from_str(&is.params),
    ) {
        (Ok(was), Ok(is)) => compare(&was, &is, found),
        _ if was.params != is.params => unknown(is, found),
        _ => {}
    }
}

fn chances(was: &chances::Params, is: &chances::Params, found: &mut Found) {
    let mut figure = |subject: &str, words: (&str, &str), old: i64, new: i64| {
        if old != new {
            let effect = Effect::more_is_better(&old, &new);
            found.figure(subject, effect, words, old.to_string(), new.to_string());
        }
    };
    figure(
        "chances.first_visit",
        ("chances on the first visit", "首次访问机会"),
        was.first_visit,
        is.first_visit,
    );
    figure(
        "chances.each_day",
        ("chances each day", "每日机会"),
        was.each_day,
        is.each_day,
    );
    if was.lost != is.lost {
        let (effect, en, zh) = if is.lost {
            (
                Effect::Worse,
                "chances that are left are gone at the day's end now",
                "未用完的机会改为当日作废",
            )
        } else {
            (
                Effect::Better,
                "chances that are left are kept now",
                "未用完的机会改为保留",
            )
        };
        found.say("chances.unused", effect, en, zh);
    }
}

fn wheel(both: Both<'_>, was: &wheel::Params, is: &wheel::Params, found: &mut Found) {
    let (before, after) = (table(both.old, was), table(both.new, is));
    let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    for id in ids {
        let parts = |table: &BTreeMap<&str, u64>| table.get(id).copied().unwrap_or(0);
        let (old, new) = ((parts(&before), was.whole), (parts(&after), is.whole));
        let order = odds::compare(new, old);
        if order.is_eq() {
            continue;
        }
        // More of what gives nothing is less of all else, which is said there.
        let effect = match (is_nothing(both, id), order.is_gt()) {
            (true, _) => Effect::None,
            (false, true) => Effect::Better,
            (false, false) => Effect::Worse,
        };
        let (en, zh) = (format!("{id}: odds"), format!("{id}：概率"));
        let (old, new) = (odds::percent(old.0, old.1), odds::percent(new.0, new.1));
        found.figure(format!("rewards.{id}.odds"), effect, (&en, &zh), old, new);
    }
    tiers(both, was, is, found);
    pity(both, was, is, found);
    draws(was, is, found);
    let picture = |definition, params: &wheel::Params| by_name(definition, &params.picture);
    if picture(both.old, was) != picture(both.new, is) {
        let (en, zh) = ("what a draw looks like has changed", "抽奖外观有改动");
        found.say("look", Effect::None, en, zh);
    }
}

/// The odds of first draws, told as they are: whether one is better off with others, who looks can tell.
fn tiers(both: Both<'_>, was: &wheel::Params, is: &wheel::Params, found: &mut Found) {
    let told = |definition: &Definition, params: &wheel::Params| {
        let tier = |tier: &wheel::Tier| {
            let odds = tier.odds();
            let parts = odds.parts().map(|(reward, parts)| {
                format!(
                    "{} {}",
                    id(definition, reward),
                    odds::percent(parts, odds.whole)
                )
            });
            let parts: Vec<String> = parts.collect();
            format!("{}: {}", tier.first_draws, parts.join(", "))
        };
        let all: Vec<String> = params.tiers.iter().map(tier).collect();
        (!all.is_empty()).then(|| all.join("; "))
    };
    let (before, after) = (told(both.old, was), told(both.new, is));
    if before != after {
        let (old, new) = (or(before.clone(), "none"), or(after.clone(), "none"));
        let (zh_old, zh_new) = (or(before, "无"), or(after, "无"));
        found.say(
            "tiers",
            Effect::Unclear,
            format!("odds of the first draws, up to draw: {old} -> {new}"),
            format!("前若干抽的概率（截至第几抽）：{zh_old} → {zh_new}"),
        );
    }
}

fn draws(was: &wheel::Params, is: &wheel::Params, found: &mut Found) {
    let at_once = |params: &wheel::Params| {
        let at_once = params.at_once?;
        Some(format!("{} / {}", at_once.times, at_once.price))
    };
    let (before, after) = (at_once(was), at_once(is));
    if before != after {
        let effect = match (&before, &after) {
            (None, _) => Effect::Better,
            (_, None) => Effect::Worse,
            _ => Effect::Unclear,
        };
        found.say(
            "draws.at_once",
            effect,
            format!(
                "draws at once / chances: {} -> {}",
                or(before.clone(), "none"),
                or(after.clone(), "none")
            ),
            format!(
                "连抽次数 / 机会：{} → {}",
                or(before, "无"),
                or(after, "无")
            ),
        );
    }
    let limits = [
        ("day", ("a day", "每天"), was.at_most.day, is.at_most.day),
        (
            "week",
            ("a week", "每周"),
            was.at_most.week,
            is.at_most.week,
        ),
        (
            "edition",
            ("in all", "总共"),
            was.at_most.edition,
            is.at_most.edition,
        ),
    ];
    for (key, (en, zh), old, new) in limits {
        let effect = match (old, new) {
            _ if old == new => continue,
            (Some(old), Some(new)) => Effect::more_is_better(&old, &new),
            (Some(_), None) => Effect::Better,
            (None, _) => Effect::Worse,
        };
        found.say(
            format!("draws.at_most.{key}"),
            effect,
            format!(
                "draws {en} at most: {} -> {}",
                or(old, "none"),
                or(new, "none")
            ),
            format!("{zh}抽奖上限：{} → {}", or(old, "不限"), or(new, "不限")),
        );
    }
}

/// Each reward's parts of the whole, the one that takes the rest included.
fn table<'a>(definition: &'a Definition, params: &wheel::Params) -> BTreeMap<&'a str, u64> {
    let id = |reward: u16| {
        definition
            .rewards
            .get(usize::from(reward))
            .map(|one| &*one.id)
    };
    let mut table = BTreeMap::new();
    let mut left = params.whole;
    for slice in &params.slices {
        left = left.saturating_sub(slice.parts);
        if let Some(id) = id(slice.reward) {
            *table.entry(id).or_default() += slice.parts;
        }
    }
    if let Some(id) = params.rest.and_then(id) {
        *table.entry(id).or_default() += left;
    }
    table
}

fn is_nothing(both: Both<'_>, id: &str) -> bool {
    let all = both.new.rewards.iter().chain(&both.old.rewards);
    let mut all = all.filter(|reward| *reward.id == *id);
    all.next()
        .is_some_and(|reward| reward.kind == machine::model::RewardKind::Nothing)
}

fn pity(both: Both<'_>, was: &wheel::Params, is: &wheel::Params, found: &mut Found) {
    let shown = |definition: &Definition, pity: wheel::Pity| {
        let reward = definition.rewards.get(usize::from(pity.reward));
        let reward = reward.map_or(String::new(), |reward| reward.id.to_string());
        (pity.losses, reward, pity.any_win)
    };
    let before = was.pity.map(|pity| shown(both.old, pity));
    let after = is.pity.map(|pity| shown(both.new, pity));
    if before == after {
        return;
    }
    let effect = match (&before, &after) {
        (None, Some(_)) => Effect::Better,
        (Some(_), None) => Effect::Worse,
        (Some((old, reward, any)), Some((new, now, any_now)))
            if reward == now && any == any_now =>
        {
            Effect::less_is_better(old, new)
        }
        _ => Effect::Unclear,
    };
    let en = |pity: &Option<(u32, String, bool)>| {
        pity.as_ref().map_or_else(
            || "none".to_owned(),
            |(losses, reward, any)| {
                let over = if *any { "any win" } else { "that reward" };
                format!("{reward} after {losses} losses in a row (starts over after {over})")
            },
        )
    };
    let zh = |pity: &Option<(u32, String, bool)>| {
        pity.as_ref().map_or_else(
            || "无".to_owned(),
            |(losses, reward, any)| {
                let over = if *any { "任意中奖" } else { "抽中该奖" };
                format!("连续 {losses} 次未中后给 {reward}（{over}后重新计数）")
            },
        )
    };
    found.say(
        "pity",
        effect,
        format!("pity: {} -> {}", en(&before), en(&after)),
        format!("保底：{} → {}", zh(&before), zh(&after)),
    );
}

fn streak(both: Both<'_>, was: &streak::Params, is: &streak::Params, found: &mut Found) {
    if was.cycle != is.cycle {
        let shown = |cycle: Cycle, (never, month, days): (&str, &str, &str)| match cycle {
            Cycle::None => never.to_owned(),
            Cycle::Month => month.to_owned(),
            Cycle::Days(many) => format!("{many} {days}"),
        };
        let (en, zh) = (("never", "each month", "days"), ("不重置", "每月", "天"));
        found.say(
            "streak.cycle",
            Effect::Unclear,
            format!(
                "the streak begins again: {} -> {}",
                shown(was.cycle, en),
                shown(is.cycle, en)
            ),
            format!(
                "连签周期：{} → {}",
                shown(was.cycle, zh),
                shown(is.cycle, zh)
            ),
        );
    }
    let figures = |makeup: Option<streak::Makeup>| makeup.map(|one| (one.days_back, one.at_most));
    let (before, after) = (figures(was.makeup), figures(is.makeup));
    if before != after {
        let effect = match (before, after) {
            (None, Some(_)) => Effect::Better,
            (Some(_), None) => Effect::Worse,
            (Some(old), Some(new)) if new.0 >= old.0 && new.1 >= old.1 => Effect::Better,
            (Some(old), Some(new)) if new.0 <= old.0 && new.1 <= old.1 => Effect::Worse,
            _ => Effect::Unclear,
        };
        let en = |one: Option<(u32, u32)>| {
            or(
                one.map(|(back, most)| {
                    format!("{back} days back, {} times", many(most, "any number of"))
                }),
                "none",
            )
        };
        let zh = |one: Option<(u32, u32)>| {
            or(
                one.map(|(back, most)| format!("{back} 天内 {} 次", many(most, "不限"))),
                "无",
            )
        };
        found.say(
            "streak.makeup",
            effect,
            format!("make-ups: {} -> {}", en(before), en(after)),
            format!("补签：{} → {}", zh(before), zh(after)),
        );
    }
    days::compare(both, was, is, found);
    let Both { old, new } = both;
    sets(
        "give.each_day",
        ("each day gives", "每日奖励"),
        &names(old, &was.each_day),
        &names(new, &is.each_day),
        found,
    );
    sets(
        "give.streak",
        ("days in a row give", "连签奖励"),
        &by_day(old, &was.streak),
        &by_day(new, &is.streak),
        found,
    );
    sets(
        "give.total_days",
        ("days in all give", "累计奖励"),
        &by_day(old, &was.total),
        &by_day(new, &is.total),
        found,
    );
}

/// A number of make-ups, or the words for as many as one likes.
fn many(most: u32, without: &str) -> String {
    if most == streak::Makeup::WITHOUT_LIMIT {
        return without.to_owned();
    }
    most.to_string()
}

pub(super) fn id(definition: &Definition, reward: u16) -> Arc<str> {
    let reward = definition.rewards.get(usize::from(reward));
    reward.map_or_else(|| "".into(), |reward| reward.id.clone())
}

pub(super) fn names(definition: &Definition, promises: &[Promise]) -> BTreeSet<String> {
    let names = promises.iter().map(|one| id(definition, one.reward));
    names.map(|name| name.to_string()).collect()
}

pub(super) fn by_day(definition: &Definition, promises: &[(u32, Promise)]) -> BTreeSet<String> {
    let names = promises.iter();
    names
        .map(|(day, one)| format!("{day}: {}", id(definition, one.reward)))
        .collect()
}

/// Two sets of promises: what is gone is a loss, what has come a gain, and both together who looks can tell.
pub(super) fn sets(
    subject: &str,
    (en, zh): (&str, &str),
    old: &BTreeSet<String>,
    new: &BTreeSet<String>,
    found: &mut Found,
) {
    if old == new {
        return;
    }
    let gone = old.difference(new).count();
    let come = new.difference(old).count();
    let effect = match (gone, come) {
        (0, _) => Effect::Better,
        (_, 0) => Effect::Worse,
        _ => Effect::Unclear,
    };
    let list = |set: &BTreeSet<String>| {
        let all: Vec<&str> = set.iter().map(String::as_str).collect();
        format!("[{}]", all.join(", "))
    };
    found.figure(subject, effect, (en, zh), list(old), list(new));
}
