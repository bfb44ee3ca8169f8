//! The table of rewards.

use std::collections::BTreeSet;

use machine::Definition;
use machine::expr::BoolExpr;
use machine::model::{Reward, RewardKind};

use super::{Both, Effect, Found, or};

pub(super) fn compare(both: Both<'_>, found: &mut Found) {
    let Both { old, new } = both;
    for reward in &new.rewards {
        if let Some(was) = by_id(old, &reward.id) {
            one(both, was, reward, found);
            continue;
        }
        let id = &reward.id;
        found.say(
            format!("rewards.{id}"),
            Effect::Better,
            format!("reward `{id}` added"),
            format!("新增奖品 `{id}`"),
        );
    }
    for reward in &old.rewards {
        let id = &reward.id;
        if by_id(new, id).is_none() {
            found.say(
                format!("rewards.{id}"),
                Effect::Worse,
                format!("reward `{id}` removed"),
                format!("删除奖品 `{id}`"),
            );
        }
    }
}

fn by_id<'a>(definition: &'a Definition, id: &str) -> Option<&'a Reward> {
    definition.rewards.iter().find(|reward| *reward.id == *id)
}

fn one(both: Both<'_>, was: &Reward, is: &Reward, found: &mut Found) {
    let id = &is.id;
    let subject = |what: &str| format!("rewards.{id}.{what}");
    let words = |en: &str, zh: &str| (format!("{id}: {en}"), format!("{id}：{zh}"));
    if was.title != is.title || was.image != is.image {
        let (en, zh) = words("title or picture changed", "名称或图片有改动");
        found.say(subject("title"), Effect::Unclear, en, zh);
    }
    if was.kind != is.kind {
        let (en, zh) = words("kind", "类型");
        let (old, new) = (kind(was.kind), kind(is.kind));
        found.figure(subject("kind"), Effect::Unclear, (&en, &zh), old, new);
    }
    if was.amount != is.amount {
        let (en, zh) = words("amount", "数量");
        let effect = Effect::more_is_better(&was.amount, &is.amount);
        let (old, new) = (was.amount.to_string(), is.amount.to_string());
        found.figure(subject("amount"), effect, (&en, &zh), old, new);
    }
    limits(was, is, found);
    for_whom(both, was, is, found);
    let money = |minor: i64| both.new.currency.decimal(minor);
    if was.value != is.value {
        let (en, zh) = words("value shown", "展示价值");
        let effect = Effect::more_is_better(&was.value, &is.value);
        found.figure(
            subject("value"),
            effect,
            (&en, &zh),
            money(was.value),
            money(is.value),
        );
    }
    if was.cost != is.cost {
        let (en, zh) = words("cost", "成本");
        found.figure(
            subject("cost"),
            Effect::None,
            (&en, &zh),
            money(was.cost),
            money(is.cost),
        );
    }
    if was.deliver != is.deliver {
        let (en, zh) = words("delivered by", "发放方式");
        let to = |reward: &Reward| {
            format!("{} {}", reward.deliver.connector, reward.deliver.reference)
                .trim()
                .to_owned()
        };
        found.figure(
            subject("deliver"),
            Effect::None,
            (&en, &zh),
            to(was),
            to(is),
        );
    }
    if was.pool != is.pool {
        let (en, zh) = words("codes come from", "兑换码来源");
        let from = |reward: &Reward| {
            let pool = reward.pool.as_ref();
            let low = pool.and_then(|pool| pool.low_water);
            let low = low.map_or_else(String::new, |low| format!(" (low at {low})"));
            pool.map_or_else(|| "none".to_owned(), |pool| format!("{}{low}", pool.name))
        };
        found.figure(
            subject("pool"),
            Effect::None,
            (&en, &zh),
            from(was),
            from(is),
        );
    }
    let instead = |definition: &Definition, reward: &Reward| {
        let at = reward.when_gone?;
        let instead = definition.rewards.get(usize::from(at))?;
        Some(instead.id.to_string())
    };
    let (before, after) = (instead(both.old, was), instead(both.new, is));
    if before != after {
        found.say(
            format!("when_gone.{id}"),
            Effect::Unclear,
            format!(
                "{id}: given when it is gone: {} -> {}",
                or(before.as_ref(), "nothing"),
                or(after.as_ref(), "nothing")
            ),
            format!(
                "{id}：发完后替代为 {} → {}",
                or(before.as_ref(), "无"),
                or(after.as_ref(), "无")
            ),
        );
    }
}

/// Figures that may be absent, which then means without limit.
fn limits(was: &Reward, is: &Reward, found: &mut Found) {
    let id = &is.id;
    let mut figure = |what: &str, (en, zh): (&str, &str), old: Option<i64>, new: Option<i64>| {
        if old == new {
            return;
        }
        let effect = match (old, new) {
            (Some(old), Some(new)) => Effect::more_is_better(&old, &new),
            (Some(_), None) => Effect::Better,
            _ => Effect::Worse,
        };
        found.say(
            format!("rewards.{id}.{what}"),
            effect,
            format!("{id}: {en} {} -> {}", or(old, "none"), or(new, "none")),
            format!("{id}：{zh} {} → {}", or(old, "不限"), or(new, "不限")),
        );
    };
    let stock = |reward: &Reward| reward.stock.map(i64::from);
    figure("stock", ("stock", "库存"), stock(was), stock(is));
    let each = |reward: &Reward| reward.per_user.map(i64::from);
    figure(
        "per_user",
        ("at most per user", "每人上限"),
        each(was),
        each(is),
    );
    let day = |reward: &Reward| reward.within?.day.map(i64::from);
    let of_day = ("at most per user and day", "每人每天上限");
    figure("per_user", of_day, day(was), day(is));
    let week = |reward: &Reward| reward.within?.week.map(i64::from);
    let of_week = ("at most per user and week", "每人每周上限");
    figure("per_user", of_week, week(was), week(is));
    let hours = |reward: &Reward| Some(reward.expires? / machine::calendar::HOUR_MS);
    figure(
        "expires",
        ("usable for (hours)", "有效期（小时）"),
        hours(was),
        hours(is),
    );
    if was.release != is.release {
        found.say(
            format!("rewards.{id}.release"),
            Effect::Unclear,
            format!("{id}: another plan of when units are to be had"),
            format!("{id}：库存释放计划有改动"),
        );
    }
}

/// Whom it is not for, by lists.
fn for_whom(both: Both<'_>, was: &Reward, is: &Reward, found: &mut Found) {
    let lists = |definition: &Definition, reward: &Reward| -> Option<BTreeSet<String>> {
        let Some(BoolExpr::Any(parts)) = &reward.not_for else {
            return None;
        };
        let lists = parts.iter().filter_map(|part| match part {
            BoolExpr::Fact(at) => Some(&definition.facts.get(usize::from(*at))?.what),
            _ => None,
        });
        Some(lists.map(|list| format!("{list:?}")).collect())
    };
    let (before, after) = (lists(both.old, was), lists(both.new, is));
    if before == after {
        return;
    }
    let effect = match (&before, &after) {
        (None, _) => Effect::Worse,
        (_, None) => Effect::Better,
        _ => Effect::Unclear,
    };
    let id = &is.id;
    found.say(
        format!("rewards.{id}.not_for"),
        effect,
        format!("{id}: whom it is not for has changed"),
        format!("{id}：不发放对象有改动"),
    );
}

fn kind(kind: RewardKind) -> &'static str {
    match kind {
        RewardKind::Points => "points",
        RewardKind::Coupon => "coupon",
        RewardKind::Code => "code",
        RewardKind::Physical => "physical",
        RewardKind::Cash => "cash",
        RewardKind::Entitlement => "entitlement",
        RewardKind::Nothing => "nothing",
    }
}
