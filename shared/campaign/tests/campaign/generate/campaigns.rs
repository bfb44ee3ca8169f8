//! Random campaigns, as the text of their files: the default machines with random parameters, and machines of several
//! shapes. Most of them pass the check.

use std::fmt::Write;

use super::dice::Dice;
use super::expressions::{self, Names};

/// A reward of a generated campaign.
struct Reward {
    id: String,
    odds: bool,
    points: bool,
}

/// A campaign's file.
pub fn campaign(dice: &mut Dice) -> String {
    let activity = dice.one(&[
        "custom",
        "custom",
        "custom",
        "custom",
        "lottery",
        "sign-in",
        "gift-pack",
    ]);
    let mut file = String::new();
    let mut line = |text: String| {
        let _ = writeln!(file, "{text}");
    };
    line(format!("activity: {activity}\ntitle: Test"));
    let zone = dice.one(&[
        "Asia/Shanghai",
        "America/New_York",
        "Africa/Cairo",
        "Pacific/Apia",
        "UTC",
    ]);
    line(format!(
        "timezone: {zone}\nopens: 2026-03-01 10:00\ncloses: 2026-12-15 22:00"
    ));
    if dice.once_in(2) {
        line("claim_until: 2027-01-15 22:00".to_owned());
    }
    if dice.once_in(3) {
        line("day_starts: \"04:00\"".to_owned());
    }
    if dice.once_in(3) {
        line("skip_days: [2026-03-05, 2026-03-06, 2026-04-24]".to_owned());
    }
    let drawn = activity == "lottery" || dice.once_in(2);
    let rewards = rewards(dice, drawn, &mut line);
    let signs = activity == "sign-in" || dice.once_in(2);
    let spends = activity == "lottery" || dice.once_in(2);
    let packs = activity == "gift-pack" || dice.once_in(2);
    if spends {
        let (first, daily, most) = (dice.below(4), dice.below(3), dice.below(10) + 4);
        let unused = dice.one(&["keep", "lost"]);
        line(format!(
            "chances: {{ first_visit: {first}, each_day: {daily}, hold_at_most: {most}, unused: {unused} }}"
        ));
        line(format!(
            "earn: {{ paid: {{ from: backend, chances: {}, per_day: 2 }} }}",
            dice.below(3) + 1
        ));
        if let Some(points) = rewards.iter().find(|reward| reward.points) {
            line(format!(
                "buy: {{ chances: 1, for: {{ {}: {} }}, per_day: 2 }}",
                points.id,
                dice.below(50) + 1
            ));
        }
    }
    if signs {
        let cycle = dice.one(&["none", "month", "7 days", "1 day"]);
        line(format!(
            "streak: {{ cycle: {cycle}, makeup: {{ days_back: {}, at_most: 2 }} }}",
            dice.below(5) + 1
        ));
        let promise = |dice: &mut Dice| rewards[dice.below(rewards.len())].id.clone();
        let (each, total) = (promise(dice), promise(dice));
        line(format!(
            "give: {{ each_day: {each}, streak: {{ 1: {} }}, total_days: {{ 2: {total} }} }}",
            promise(dice)
        ));
    }
    if packs && activity != "gift-pack" {
        line(format!("pack: [{}]", rewards[0].id));
    }
    line("context:\n  n: 0\n  flag: false\n  name: x\n  day: { type: date }\n  at: { type: time }\n  span: { type: duration, show: true }".to_owned());
    if activity == "custom" {
        line("facts:\n  fresh: { ask: crm, type: bool, when_unknown: true }\n  rank: { ask: crm, field: a.b, type: int, when_unknown: 7 }\n  city: { ask: crm, type: string, when_unknown: x }".to_owned());
        machine(
            dice,
            &rewards,
            Has {
                drawn,
                signs,
                spends,
                packs,
            },
            &mut line,
        );
    }
    file
}

fn rewards(dice: &mut Dice, drawn: bool, line: &mut impl FnMut(String)) -> Vec<Reward> {
    line("rewards:".to_owned());
    let mut all = Vec::new();
    for at in 0..=dice.below(4) {
        let id = format!("r{at}");
        let points = dice.once_in(3);
        let odds = drawn && dice.once_in(2);
        let mut text = format!("  {id}: {{ title: R{at}");
        if points {
            let _ = write!(text, ", kind: points, amount: {}", dice.below(100) + 1);
        } else {
            text.push_str(", kind: coupon");
            if dice.once_in(2) {
                let _ = write!(text, ", stock: {}", dice.below(5) + 1);
                if dice.once_in(3) {
                    let (each, hour) = (dice.below(2) + 1, dice.below(24));
                    let _ = write!(
                        text,
                        ", release: {{ each_day: {each}, at: \"{hour:02}:00\" }}"
                    );
                }
            }
        }
        if dice.once_in(2) {
            let _ = write!(text, ", cost: {}.50", dice.below(9));
        }
        if dice.once_in(3) {
            let most = dice.below(3) + 1;
            let _ = match dice.below(3) {
                0 => write!(text, ", per_user: {{ day: {most}, edition: {} }}", most + 2),
                1 => write!(text, ", per_user: {{ week: {most} }}"),
                _ => write!(text, ", per_user: {most}"),
            };
        }
        if dice.once_in(6) {
            text.push_str(", not_for: [{ list: vip }]");
        }
        if dice.once_in(3) {
            text.push_str(", expires: 30 days");
        }
        if odds {
            let _ = write!(text, ", odds: 1/{}", 6 + dice.below(7));
        }
        line(format!("{text} }}"));
        all.push(Reward { id, odds, points });
    }
    let gone: Vec<String> = (1..all.len())
        .filter(|_| dice.once_in(2))
        .map(|at| format!("r{}: r{at}", at - 1))
        .collect();
    if drawn {
        line(format!(
            "  nothing: {{ title: Next time, odds: rest }}\nwhen_gone: {{ {} }}",
            gone.join(", ")
        ));
        if dice.once_in(2) {
            let starts = dice.one(&["any-win", "this-reward"]);
            line(format!(
                "pity: {{ losses_in_a_row: {}, then_give: r0, starts_over_after: {starts} }}",
                dice.below(4) + 1
            ));
        }
        let odds: Vec<&str> = all
            .iter()
            .filter(|reward| reward.odds)
            .map(|reward| &*reward.id)
            .collect();
        if let Some(first) = odds.first().filter(|_| dice.once_in(2)) {
            let (one, two) = (dice.below(3) + 1, dice.below(5) + 4);
            line(format!(
                "tiers: [{{ first_draws: {one}, odds: {{ {first}: 1/2 }} }}, {{ first_draws: {two}, odds: {{ {first}: 10%, nothing: rest }} }}]"
            ));
        }
        if !odds.is_empty() && dice.once_in(2) {
            let (day, edition) = (dice.below(20) + 10, dice.below(20) + 30);
            line(format!(
                "draws: {{ at_once: {}, at_most: {{ day: {day}, edition: {edition} }} }}\nlook: wheel",
                dice.below(8) + 2
            ));
        }
    } else {
        line(format!("when_gone: {{ {} }}", gone.join(", ")));
    }
    if dice.once_in(2) {
        let spent = if drawn && dice.once_in(2) {
            ", when_spent: nothing"
        } else {
            ""
        };
        line(format!(
            "budget: {{ total: {}.00, per_day: 50.00{spent} }}",
            100 + dice.below(100)
        ));
    }
    all
}

/// What sections a campaign has.
#[derive(Clone, Copy)]
struct Has {
    drawn: bool,
    signs: bool,
    spends: bool,
    packs: bool,
}

/// What a list of actions may name.
#[derive(Clone, Copy)]
struct Here<'a> {
    names: Names<'a>,
    rewards: &'a [Reward],
    has: Has,
}

fn machine(dice: &mut Dice, rewards: &[Reward], has: Has, line: &mut impl FnMut(String)) {
    let ids: Vec<String> = rewards.iter().map(|reward| reward.id.clone()).collect();
    let mut ints: Vec<String> = rewards
        .iter()
        .filter(|reward| reward.points)
        .map(|reward| reward.id.clone())
        .collect();
    for (there, name) in [
        (has.drawn, "misses"),
        (has.signs, "streak"),
        (has.signs, "total_days"),
        (has.spends, "chances"),
    ] {
        if there {
            ints.push(name.to_owned());
        }
    }
    if has.drawn && rewards.iter().any(|reward| reward.odds) {
        ints.extend(["draws_left()".to_owned(), "draws_made()".to_owned()]);
    }
    let names = Names {
        event: true,
        user: true,
        rewards: &ids,
        ints: &ints,
        streak: has.signs,
    };
    let here = Here {
        names,
        rewards,
        has,
    };
    let states = dice.below(4) + 2;
    line("events:".to_owned());
    for event in 0..4 {
        let from = dice.one(&[
            "user",
            "backend",
            "[user, backend]",
            "[user, timer, { campaign: another }]",
        ]);
        let span = dice.one(&[
            "at_least: -9223372036854775808, at_most: 9223372036854775807",
            "at_most: 500",
        ]);
        let taken = dice.one(&["[open]", "[open, claiming]"]);
        line(format!(
            "  e{event}: {{ from: {from}, while: {taken}, payload: {{ words: {{ type: int, default: 3, {span} }}, note: {{ type: string, default: hi }}, right: {{ type: bool, default: true }}, day: {{ type: date, default: 2026-03-04 }} }} }}"
        ));
    }
    line(format!(
        "machine:\n  initial: s{}\n  events:\n    e3: {}\n  states:",
        dice.below(states),
        transitions(dice, here, states)
    ));
    for state in 0..states {
        line(format!("    s{state}:"));
        if state + 1 == states && dice.once_in(3) {
            line("      final: true".to_owned());
            continue;
        }
        line("      events:".to_owned());
        for event in 0..3 {
            line(format!(
                "        e{event}: {}",
                transitions(dice, here, states)
            ));
        }
        let alone = Here {
            names: Names {
                event: false,
                user: false,
                ..names
            },
            ..here
        };
        if state + 1 < states && dice.once_in(3) {
            // Onward only, so that it ends.
            let to = state + 1 + dice.below(states - state - 1);
            line(format!(
                "      always: [{{ when: \"{}\", to: s{to}{} }}]",
                expressions::bool(dice, alone.names, 2),
                quiet(dice, alone)
            ));
        }
        if dice.once_in(2) {
            let delay = dice.one(&["1 minute", "3 hours", "20 days"]);
            let onward = delay == "20 days" || state + 1 == states;
            let to = if onward {
                dice.below(states)
            } else {
                state + 1
            };
            let delay = if onward { "20 days" } else { delay };
            line(format!(
                "      after: [{{ in: {delay}, when: \"{}\", to: s{to}{} }}, {{ in: 2 days, do: [{{ set: {} }}] }}]",
                expressions::bool(dice, alone.names, 1),
                quiet(dice, alone),
                expressions::set(dice, alone.names)
            ));
        }
        if dice.once_in(3) {
            line(format!(
                "      entry: [{{ set: {} }}]",
                expressions::set(dice, alone.names)
            ));
        }
        if dice.once_in(3) {
            line(format!(
                "      exit: [{{ emit: {{ message: left, with: {{ n: \"{}\" }} }} }}]",
                expressions::int(dice, alone.names, 1)
            ));
        }
    }
}

/// What a transition does that nobody's event brings.
fn quiet(dice: &mut Dice, here: Here<'_>) -> String {
    match dice.below(4) {
        0 => format!(
            ", do: [{{ give: {{ reward: {}, rule: by-time, every: day, at_most: 2 }} }}]",
            here.rewards[0].id
        ),
        1 if here.has.spends => ", do: [{ take: { chances: 2 } }]".to_owned(),
        2 if here.has.drawn && here.rewards.iter().any(|reward| reward.odds) => dice
            .one(&[
                ", do: [{ draw: wheel }]",
                ", do: [{ draw: { of: wheel, times: 3 } }]",
            ])
            .to_owned(),
        _ => String::new(),
    }
}

fn transitions(dice: &mut Dice, here: Here<'_>, states: usize) -> String {
    let mut all = Vec::new();
    if dice.once_in(2) {
        all.push(format!(
            "{{ when: \"{}\", reject: no-{} }}",
            expressions::bool(dice, here.names, 2),
            dice.below(3)
        ));
    }
    if dice.once_in(2) {
        all.push(format!(
            "{{ when: \"{}\", {} }}",
            expressions::bool(dice, here.names, 1),
            done(dice, here, states)
        ));
    }
    all.push(format!("{{ {} }}", done(dice, here, states)));
    format!("{{ transitions: [{}] }}", all.join(", "))
}

fn done(dice: &mut Dice, here: Here<'_>, states: usize) -> String {
    let mut actions = Vec::new();
    if dice.once_in(2) {
        actions.push(format!("{{ set: {} }}", expressions::set(dice, here.names)));
    }
    if here.has.spends && dice.once_in(3) {
        let how = dice.one(&["take", "add"]);
        actions.push(format!(
            "{{ {how}: {{ chances: \"{}\" }} }}",
            expressions::int(dice, here.names, 1)
        ));
    }
    if dice.once_in(3) {
        let at = dice.below(here.rewards.len());
        let every = dice.one(&["day", "week", "month"]);
        let give = format!(
            "{{ reward: {}, rule: {every}-{at}, every: {every}, at_most: 2 }}",
            here.rewards[at].id
        );
        actions.push(format!("{{ give: {give} }}"));
    }
    let mut then = String::new();
    let to = format!("to: s{}", dice.below(states));
    let branch = format!(
        "{{ {to}, do: [{{ set: {} }}] }}",
        expressions::set(dice, here.names)
    );
    match dice.below(6) {
        0 if here.has.drawn && here.rewards.iter().any(|reward| reward.odds) => {
            actions.push("{ draw: wheel }".to_owned());
            then = format!(", then: {{ won: {branch}, missed: {{}} }}");
        }
        1 if here.has.signs => {
            actions.push("{ sign: streak }".to_owned());
            then = format!(", then: {{ signed: {branch} }}");
        }
        2 if here.has.signs => {
            actions.push("{ make_up: { of: streak, day: event.day } }".to_owned());
            then = format!(", then: {{ made-up: {branch} }}");
        }
        3 if here.has.packs => actions.push("{ claim: pack }".to_owned()),
        _ => {}
    }
    let to = if dice.once_in(2) {
        format!(", {to}")
    } else {
        String::new()
    };
    format!("do: [{}]{then}{to}", actions.join(", "))
}
