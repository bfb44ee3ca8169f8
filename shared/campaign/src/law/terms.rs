//! What the law wants to be so, or to be said, of a campaign that gives anything: as diagnostics. What a text says is read off
//! its placeholders, since a sentence that people wrote cannot be recognised; docs/LAW.md names the regulation behind each.

use blocks::{odds, wheel};
use machine::model::{Definition, Reward, RewardKind};

use super::Law;
use crate::check::Check;
use crate::codes;
use crate::rules::Rules;
use crate::source::Place;

/// The most that a prize of a draw may be worth in China, in yuan.
const CN_PRIZE_MOST: i64 = 50_000;

/// Holds a campaign against its tenant's law. What depends on its figures is only said where all of it is sound (`whole`).
pub(crate) fn check(check: &mut Check<'_>, definition: &Definition, rules: &Rules, whole: bool) {
    let Some(Law::Cn) = check.input.tenant.law.as_deref().and_then(Law::of) else {
        return;
    };
    let gives = |reward: &Reward| reward.kind != RewardKind::Nothing;
    if !definition.rewards.iter().any(gives) {
        return;
    }
    if !check.root.has("rules") {
        let place = check.root.key_place("title").clone();
        check
            .out
            .error(
                codes::LAW_NO_RULES,
                &place,
                "this campaign gives something, and has no `rules` that users could read",
            )
            .help(
                "write them, one file per language, and name them: `rules: rules/spring.{lang}.md`",
            );
    }
    if whole {
        prizes(check, definition);
        sentences(check, definition, rules);
    }
}

/// No prize of a draw above the cap.
fn prizes(check: &mut Check<'_>, definition: &Definition) {
    // Another currency's worth in yuan is not known here.
    if definition.currency.code != "CNY" {
        return;
    }
    let most =
        CN_PRIZE_MOST.saturating_mul(10_i64.pow(u32::from(definition.currency.digits.min(4))));
    for place in drawn(definition) {
        let Some(reward) = definition.rewards.get(usize::from(place)) else {
            continue;
        };
        let worth = reward.value.max(reward.cost);
        if worth <= most {
            continue;
        }
        let key = if reward.value == worth {
            "value"
        } else {
            "cost"
        };
        let at = of_reward(check, &reward.id, &[key, "cost", "amount"]);
        let money = |minor| definition.currency.decimal(minor);
        check
            .out
            .error(
                codes::LAW_PRIZE,
                &at,
                format!(
                    "`{}` is worth {} CNY: a prize that is drawn may be worth {} at most",
                    reward.id,
                    money(worth),
                    money(most)
                ),
            )
            .help("draw a smaller prize");
    }
}

/// The rewards that a draw can end in.
fn drawn(definition: &Definition) -> Vec<u16> {
    let lots = odds::lots(definition);
    let mut found: Vec<u16> = Vec::new();
    for (_, lot) in &lots {
        found.extend(lot.odds().parts().map(|(reward, _)| reward));
    }
    let spec = definition
        .blocks
        .iter()
        .find(|spec| spec.kind == wheel::KIND);
    let wheel = spec.and_then(|spec| serde_json::from_str::<wheel::Params>(&spec.params).ok());
    for odds in wheel.iter().flat_map(wheel::Params::all_odds) {
        found.extend(odds.parts().map(|(reward, _)| reward));
    }
    found.extend(wheel.and_then(|wheel| wheel.pity).map(|pity| pity.reward));
    let mut at = 0;
    while let Some(place) = found.get(at) {
        let reward = definition.rewards.get(usize::from(*place));
        let instead = reward.and_then(|reward| reward.when_gone);
        found.extend(instead);
        // A chain that leads back was told of already; here it must end.
        if found.len() > definition.rewards.len() * 2 {
            break;
        }
        at += 1;
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What may end or change a promise is said in the rules, in every language in which there are any.
fn sentences(check: &mut Check<'_>, definition: &Definition, rules: &Rules) {
    for reward in &definition.rewards {
        if reward.release.is_some() {
            let ways = ["release".to_owned(), format!("release.{}", reward.id)];
            if let Some(missing) = unsaid(rules, &ways) {
                let at = of_reward(check, &reward.id, &["release"]);
                let mut say = missing.say(check);
                say.error(
                    codes::LAW_RELEASE,
                    &at,
                    &format!("`{}` is set free bit by bit, and the rules", reward.id),
                    &ways[1],
                );
            }
        }
        if reward.when_gone.is_some() {
            let ways = ["when_gone".to_owned(), format!("when_gone.{}", reward.id)];
            if let Some(missing) = unsaid(rules, &ways) {
                let node = check.root.get("when_gone");
                let entry = node.and_then(|node| node.get(&reward.id));
                let at =
                    entry.map_or_else(|| check.root.node.place.clone(), |node| node.place.clone());
                let mut say = missing.say(check);
                say.warn(
                    codes::LAW_STANDS_IN,
                    &at,
                    &format!("something stands in for `{}`, and the rules", reward.id),
                    &ways[1],
                );
            }
        }
    }
    if definition.budget.is_some()
        && let Some(missing) = unsaid(rules, &["budget".to_owned()])
    {
        let at = check.root.key_place("budget").clone();
        let mut say = missing.say(check);
        say.error(
            codes::LAW_BUDGET,
            &at,
            "the budget can end the prizes, and the rules",
            "budget",
        );
    }
}

/// The texts that lack a sentence.
struct Unsaid {
    languages: Vec<String>,
    first: Place,
}

/// Which texts use none of these placeholders.
fn unsaid(rules: &Rules, ways: &[String]) -> Option<Unsaid> {
    let lacks = |language: &&String| {
        let says = rules.says.get(*language);
        says.is_some_and(|says| !ways.iter().any(|way| says.contains(way)))
    };
    let languages: Vec<String> = rules.says.keys().filter(lacks).cloned().collect();
    let first = rules.sources.get(languages.first()?)?;
    Some(Unsaid {
        first: Place::start_of(first),
        languages,
    })
}

impl Unsaid {
    fn say<'c, 'a>(self, check: &'c mut Check<'a>) -> Saying<'c, 'a> {
        Saying { of: self, check }
    }
}

struct Saying<'c, 'a> {
    of: Unsaid,
    check: &'c mut Check<'a>,
}

impl Saying<'_, '_> {
    fn error(&mut self, code: &'static str, at: &Place, what: &str, way: &str) {
        let message = self.message(what);
        self.check
            .out
            .error(code, at, message)
            .help(help(way))
            .related(&self.of.first, RULES_HERE);
    }

    fn warn(&mut self, code: &'static str, at: &Place, what: &str, way: &str) {
        let message = self.message(what);
        self.check
            .out
            .warn(code, at, message)
            .help(help(way))
            .related(&self.of.first, RULES_HERE);
    }

    fn message(&self, what: &str) -> String {
        format!("{what} do not say so in {}", self.of.languages.join(", "))
    }
}

const RULES_HERE: &str = "the rules are here";

fn help(way: &str) -> String {
    format!("put `{{{{ {way} }}}}` into the rules: it becomes the sentence")
}

/// Where one of these keys of a reward stands, else the reward.
fn of_reward(check: &Check<'_>, id: &str, keys: &[&str]) -> Place {
    let reward = check.root.get("rewards").and_then(|node| node.get(id));
    let key = reward.and_then(|reward| keys.iter().find_map(|key| reward.get(key)));
    let node = key.or(reward).unwrap_or(check.root.node);
    node.place.clone()
}
