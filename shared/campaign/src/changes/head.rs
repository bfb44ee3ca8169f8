//! Texts, times, who may take part, and the budget.

use machine::model::{Budget, Durability, FactDecl, FactKind};
use machine::{Definition, Millis, Text};

use super::{Both, Effect, Found, or};

pub(super) fn compare(both: Both<'_>, found: &mut Found) {
    texts(both, found);
    window(both, found);
    calendar(both, found);
    who(both, found);
    budget(both, found);
    messages(both, found);
    rest(both, found);
}

fn texts(Both { old, new }: Both<'_>, found: &mut Found) {
    // What the placeholders became is told with the figures themselves.
    let only_figures = old.rules_written.is_some() && old.rules_written == new.rules_written;
    let named = [
        ("title", "title", "标题", &old.title, &new.title),
        (
            "organizer",
            "organizer",
            "主办方",
            &old.organizer,
            &new.organizer,
        ),
        ("rules", "rules text", "规则正文", &old.rules, &new.rules),
    ];
    for (subject, en, zh, old, new) in named {
        for language in languages(old, new) {
            let (was, is) = (old.0.get(language), new.0.get(language));
            if was == is {
                continue;
            }
            let effect = if subject == "title" || (subject == "rules" && only_figures) {
                Effect::None
            } else {
                Effect::Unclear
            };
            let subject = format!("{subject}.{language}");
            match (was, is) {
                (Some(was), Some(is)) if was.lines().count() > 1 || is.lines().count() > 1 => {
                    let lines = lines_changed(was, is);
                    found.say(
                        subject,
                        effect,
                        format!("{en} ({language}): {lines} lines differ"),
                        format!("{zh}（{language}）：{lines} 行不同"),
                    );
                }
                _ => found.say(
                    subject,
                    effect,
                    format!(
                        "{en} ({language}) {} -> {}",
                        or(was.map(|text| quoted(text)), "none"),
                        or(is.map(|text| quoted(text)), "none")
                    ),
                    format!(
                        "{zh}（{language}）{} → {}",
                        or(was.map(|text| quoted(text)), "无"),
                        or(is.map(|text| quoted(text)), "无")
                    ),
                ),
            }
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn languages<'a>(old: &'a Text, new: &'a Text) -> std::collections::BTreeSet<&'a String> {
    old.0.keys().chain(new.0.keys()).collect()
}

/// How many lines stand in one of the two and not in the other; a line that moved counts as none.
fn lines_changed(old: &str, new: &str) -> usize {
    let mut counts = std::collections::BTreeMap::<&str, i64>::new();
    for line in old.lines() {
        *counts.entry(line).or_default() += 1;
    }
    for line in new.lines() {
        *counts.entry(line).or_default() -= 1;
    }
    let (mut gone, mut come) = (0, 0);
    for count in counts.values() {
        gone += (*count).max(0);
        come += (-*count).max(0);
    }
    usize::try_from(gone.max(come)).unwrap_or(usize::MAX)
}

fn window(Both { old, new }: Both<'_>, found: &mut Found) {
    let shown = |at: Millis| {
        let text = new.calendar.rfc3339(at);
        text.get(..16).unwrap_or(&text).replace('T', " ")
    };
    let (was, is) = (old.window, new.window);
    if was.opens != is.opens {
        let effect = Effect::less_is_better(&was.opens, &is.opens);
        let words = ("opens", "开始时间");
        found.figure("opens", effect, words, shown(was.opens), shown(is.opens));
    }
    if was.closes != is.closes {
        let effect = Effect::more_is_better(&was.closes, &is.closes);
        let words = ("closes", "结束时间");
        found.figure("closes", effect, words, shown(was.closes), shown(is.closes));
    }
    // Where nothing is said it follows `closes`: then that is the news.
    let moved = |until: Millis, closes: Millis| until - closes;
    if was.claim_until != is.claim_until
        && !(moved(was.claim_until, was.closes) == 0 && moved(is.claim_until, is.closes) == 0)
    {
        let effect = Effect::more_is_better(&was.claim_until, &is.claim_until);
        let words = ("claims are taken until", "领奖截止时间");
        found.figure(
            "claim_until",
            effect,
            words,
            shown(was.claim_until),
            shown(is.claim_until),
        );
    }
}

fn calendar(Both { old, new }: Both<'_>, found: &mut Found) {
    let (was, is) = (&old.calendar, &new.calendar);
    if was.timezone != is.timezone {
        found.figure(
            "timezone",
            Effect::Unclear,
            ("timezone", "时区"),
            was.timezone.name(),
            is.timezone.name(),
        );
    }
    if was.day_starts_secs != is.day_starts_secs {
        let clock = |secs: u32| format!("{:02}:{:02}", secs / 3600, secs / 60 % 60);
        found.figure(
            "day_starts",
            Effect::Unclear,
            ("a day starts at", "每日开始于"),
            clock(was.day_starts_secs),
            clock(is.day_starts_secs),
        );
    }
    let dates = |these: &[i32], without: &[i32]| -> Vec<String> {
        let only = these.iter().filter(|day| !without.contains(day));
        only.map(|day| machine::calendar::date(*day).to_string())
            .collect()
    };
    let come = dates(&is.skip_days, &was.skip_days);
    if !come.is_empty() {
        let days = come.join(", ");
        found.say(
            "skip_days",
            Effect::Better,
            format!("days that neither break nor count, added: {days}"),
            format!("新增不计入也不中断的日期：{days}"),
        );
    }
    let gone = dates(&was.skip_days, &is.skip_days);
    if !gone.is_empty() {
        let days = gone.join(", ");
        found.say(
            "skip_days",
            Effect::Worse,
            format!("days that count again: {days}"),
            format!("恢复计入的日期：{days}"),
        );
    }
}

/// What is found out about users, wherever a record keeps it.
fn found_out(definition: &Definition) -> Vec<FactDecl> {
    let mut facts = definition.facts.clone();
    for fact in &mut facts {
        if let FactKind::FirstSight(first) = &mut fact.what {
            first.kept = 0;
        }
    }
    facts
}

fn who(Both { old, new }: Both<'_>, found: &mut Found) {
    if old.audience != new.audience || found_out(old) != found_out(new) {
        let (effect, en, zh) = match (&old.audience, &new.audience) {
            (Some(_), None) => (
                Effect::Better,
                "everybody may take part now",
                "现在所有人都可参加",
            ),
            (None, Some(_)) => (
                Effect::Worse,
                "no longer everybody may take part",
                "不再是所有人都可参加",
            ),
            _ => (
                Effect::Unclear,
                "who may take part is decided in another way",
                "参与条件有改动",
            ),
        };
        found.say("audience", effect, en, zh);
    }
    if old.testers != new.testers {
        found.say(
            "testers",
            Effect::None,
            "who may test changed",
            "测试人员有改动",
        );
    }
}

fn budget(Both { old, new }: Both<'_>, found: &mut Found) {
    if old.budget == new.budget {
        return;
    }
    let (was, is) = (old.budget.as_ref(), new.budget.as_ref());
    let money = |minor: i64| new.currency.decimal(minor);
    let total = |budget: Option<&Budget>, none: &str| or(budget.map(|one| money(one.total)), none);
    if was.map(|one| one.total) != is.map(|one| one.total) {
        // What users were told is stock and odds; a budget that ends sooner may end the prizes sooner.
        let effect = match (was, is) {
            (Some(was), Some(is)) => Effect::more_is_better(&was.total, &is.total),
            (Some(_), None) => Effect::Better,
            _ => Effect::Worse,
        };
        found.say(
            "budget.total",
            effect,
            format!("budget {} -> {}", total(was, "none"), total(is, "none")),
            format!("预算 {} → {}", total(was, "不限"), total(is, "不限")),
        );
    }
    let day = |budget: Option<&Budget>| budget.and_then(|one| one.per_day);
    if day(was) != day(is) {
        let effect = match (day(was), day(is)) {
            (Some(was), Some(is)) => Effect::more_is_better(&was, &is),
            (Some(_), None) => Effect::Better,
            _ => Effect::Worse,
        };
        found.say(
            "budget.per_day",
            effect,
            format!(
                "budget a day {} -> {}",
                or(day(was).map(money), "none"),
                or(day(is).map(money), "none")
            ),
            format!(
                "每日预算 {} → {}",
                or(day(was).map(money), "不限"),
                or(day(is).map(money), "不限")
            ),
        );
    }
    let spent = |definition: &Definition| {
        let budget = definition.budget.as_ref();
        let reward = budget.and_then(|budget| budget.when_spent);
        reward
            .and_then(|reward| definition.rewards.get(usize::from(reward)))
            .map(|reward| reward.id.to_string())
    };
    if spent(old) != spent(new) {
        found.say(
            "budget.when_spent",
            Effect::Unclear,
            format!(
                "given when the budget is spent: {} -> {}",
                or(spent(old), "nothing"),
                or(spent(new), "nothing")
            ),
            format!(
                "预算用完后发放：{} → {}",
                or(spent(old), "无"),
                or(spent(new), "无")
            ),
        );
    }
}

fn messages(Both { old, new }: Both<'_>, found: &mut Found) {
    let codes: std::collections::BTreeSet<&String> =
        old.messages.keys().chain(new.messages.keys()).collect();
    for code in codes {
        let (was, is) = (old.messages.get(code), new.messages.get(code));
        if was == is {
            continue;
        }
        let (en, zh) = match (was, is) {
            (None, _) => ("added", "新增"),
            (_, None) => ("removed", "删除"),
            _ => ("reworded", "改写"),
        };
        found.say(
            format!("messages.{code}"),
            Effect::None,
            format!("message `{code}` {en}"),
            format!("提示语 `{code}` {zh}"),
        );
    }
}

fn rest(Both { old, new }: Both<'_>, found: &mut Found) {
    if old.activity != new.activity {
        found.figure(
            "activity",
            Effect::Unclear,
            ("activity", "活动类型"),
            &*old.activity,
            &*new.activity,
        );
    }
    if old.currency != new.currency {
        found.figure(
            "currency",
            Effect::Unclear,
            ("currency", "币种"),
            &old.currency.code,
            &new.currency.code,
        );
    }
    if old.durability != new.durability {
        let word = |durability: Durability| match durability {
            Durability::Strict => "strict",
            Durability::Standard => "standard",
        };
        found.figure(
            "durability",
            Effect::None,
            ("durability", "持久性"),
            word(old.durability),
            word(new.durability),
        );
    }
    if old.claims != new.claims {
        found.say(
            "claims",
            Effect::None,
            "what tokens may say about users changed (tenant.yaml)",
            "令牌中用户声明有改动（tenant.yaml）",
        );
    }
    if old.language != new.language {
        found.figure(
            "language",
            Effect::None,
            ("language to fall back to", "默认语言"),
            &old.language,
            &new.language,
        );
    }
}
