//! A story played: each step on a stage, and what came out beside what was expected.

use machine::calendar::date;
use machine::ids::Pseudonym;
use machine::input::{Facts, Known, User};
use machine::ledger::{CODE_USED, Row, TEAM_DAY};
use machine::model::{Campaign, FactKind, Sender};
use machine::raffle::{Told, reward_of};
use machine::redeem::{Handed, RedeemFact, Standing, digest};
use machine::{Day, Type, Value};

use super::{Does, Drawn, Expects, SECRET, Step, Story};
use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::play::{Act, Played, Refused, Stage};
use crate::source::Place;
use crate::tables::Placed;
use crate::team::tallies;

/// Plays a story and reports where it came out differently. It ends with the first step that did: what follows would
/// only repeat it.
pub(super) fn tell(campaign: &Campaign, story: &Story, out: &mut Diagnostics) {
    let start = story
        .steps
        .first()
        .map_or(campaign.window.opens, |step| step.at);
    let mut stage = match Stage::open(campaign.definition(), story.seed, &story.stock, start) {
        Ok(stage) => stage,
        Err(error) => {
            out.error(codes::STORY, &story.place, error.to_string());
            return;
        }
    };
    for code in &story.used_codes {
        stage.use_up(*code);
    }
    for step in &story.steps {
        let before = out.len();
        play(&mut stage, campaign, story, step, out);
        if out.len() > before {
            return;
        }
    }
}

/// What is found out about the user of a story at a step, where an event is of this sender.
fn known(stage: &Stage, campaign: &Campaign, story: &Story, step: &Step, sender: Sender) -> Facts {
    let found = campaign.facts.iter().map(|fact| match &fact.what {
        FactKind::List(name) if story.lists.contains(name) => Known::Yes,
        FactKind::List(_) => Known::No,
        FactKind::Asked(asked) => match story.facts.get(&asked.name) {
            Some(value) => Known::Is(value.clone()),
            None => Known::Unknown,
        },
        // No token comes with what others send.
        FactKind::Team(_) if sender != Sender::User => Known::Unknown,
        FactKind::FirstSight(first) => match story.facts.get(&first.name) {
            Some(value) => Known::Is(value.clone()),
            None => Known::Yes,
        },
        FactKind::Team(team) => {
            let others = |day: Day| story.team.get(&day).copied().unwrap_or(0);
            let user = &story.user;
            tallies(stage.lane(), campaign, team, user, step.at, &others)
        }
        FactKind::Redeem(redeem) => handed(redeem, campaign, story, step),
    });
    Facts::settle(&campaign.facts, found)
}

/// What the code is that is typed in a step, if one is.
fn handed(redeem: &RedeemFact, campaign: &Campaign, story: &Story, step: &Step) -> Known {
    let Does::Event {
        code: Some(text), ..
    } = &step.does
    else {
        return Known::NotAsked;
    };
    let code = digest(&SECRET, text).unwrap_or(Pseudonym([0; 16]));
    let at_sight = redeem.at_sight(&campaign.tenant, &campaign.campaign, text);
    let on_list = || match story.codes.get(&code) {
        Some(kind) => Standing::Of(kind.clone()),
        None => Standing::Unknown,
    };
    Known::Handed(Handed {
        code,
        is: at_sight.unwrap_or_else(on_list),
    })
}

fn play(stage: &mut Stage, campaign: &Campaign, story: &Story, step: &Step, out: &mut Diagnostics) {
    const WHO: Pseudonym = Pseudonym([1; 16]);
    let sender = match &step.does {
        Does::Event { sender, .. } => *sender,
        Does::Drawn(_) | Does::Wait => Sender::Timer,
        Does::Look => Sender::User,
    };
    let before = known(stage, campaign, story, step, sender);
    let nobodys_claims = User::nobody(&campaign.claims);
    let mut act = Act {
        who: WHO,
        user: &story.user,
        facts: &before,
        sender: Sender::User,
        event: None,
        now: step.at,
    };
    match &step.does {
        Does::Event {
            payload: Err(error),
            ..
        } => {
            let code = Some("invalid-payload".to_owned());
            refused(
                code.as_deref(),
                &step.expects,
                step,
                &error.to_string(),
                out,
            );
        }
        Does::Event {
            event,
            sender,
            payload: Ok(payload),
            ..
        } => {
            act.event = Some((*event, payload));
            act.sender = *sender;
            if *sender != Sender::User {
                act.user = &nobodys_claims;
            }
            came_out(stage.play(&act), step, out);
        }
        Does::Drawn(Drawn::NotWon) | Does::Look => {}
        Does::Drawn(drawn) => {
            act.sender = Sender::Timer;
            act.user = &nobodys_claims;
            told(stage, campaign, drawn, &act, step, out);
        }
        Does::Wait => {
            act.sender = Sender::Timer;
            act.user = &nobodys_claims;
            came_out(stage.play(&act), step, out);
        }
    }
    // Who looks afterwards is asked about anew.
    let after = known(stage, campaign, story, step, Sender::User);
    act.facts = &after;
    act.event = None;
    act.user = &story.user;
    act.sender = Sender::User;
    seen(stage, campaign, &act, &step.expects, step, out);
}

/// Tells the participant what the draw comes to for them.
fn told(
    stage: &mut Stage,
    campaign: &Campaign,
    drawn: &Drawn,
    act: &Act<'_>,
    step: &Step,
    out: &mut Diagnostics,
) {
    let Some((params, _)) = blocks::raffle::of(campaign) else {
        return;
    };
    let prizes = params.named(campaign);
    let until = params.claim_within.map(|within| {
        let end = campaign.window.claim_until;
        act.now.saturating_add(within).min(end)
    });
    let told = match drawn {
        Drawn::Won(slot) => Told::Won {
            slot: *slot,
            reward: reward_of(&prizes, *slot).map_or("", |reward| reward),
            until,
        },
        Drawn::Alternate => Told::Alternate { place: 1 },
        Drawn::Lapsed | Drawn::NotWon => Told::Lapsed,
    };
    match stage.tell(act, &told).transpose() {
        Some(result) => came_out(result, step, out),
        None => failed(
            &step.place,
            "the draw to be news",
            "the participant knew it, or can't be told it now",
            out,
        ),
    }
}

/// What a step decided, beside what was expected of it.
fn came_out(result: Result<Played, Refused>, step: &Step, out: &mut Diagnostics) {
    let expects = &step.expects;
    let played = match result {
        Ok(played) => played,
        Err(Refused::Rejected(rejection)) => {
            return refused(Some(rejection.code()), expects, step, rejection.code(), out);
        }
        Err(other) => return refused(None, expects, step, &other.to_string(), out),
    };
    if let Some(code) = &expects.rejected {
        let given = list(&played.rewards());
        failed(
            &code.place,
            &format!("a rejection with `{}`", code.what),
            &format!("it was taken, and gave {given}"),
            out,
        );
        return;
    }
    if let Some(outcome) = &expects.outcome {
        let got = played.decision.outcome.unwrap_or("none");
        if got != outcome.what {
            failed(
                &outcome.place,
                &format!("the outcome `{}`", outcome.what),
                &format!("`{got}`"),
                out,
            );
        }
    }
    if let Some(gives) = &expects.gives {
        same_names("", gives, &played.rewards(), out);
    }
    if let Some(emits) = &expects.emits {
        let messages = played.decision.rows.iter().filter_map(|row| match row {
            Row::Message(message) if [TEAM_DAY, CODE_USED].contains(&&*message.message) => None,
            Row::Message(message) => Some(&*message.message),
            _ => None,
        });
        same_names("the messages ", emits, &messages.collect::<Vec<_>>(), out);
    }
}

/// A step was refused: with a code, or because something failed.
fn refused(code: Option<&str>, expects: &Expects, step: &Step, why: &str, out: &mut Diagnostics) {
    match &expects.rejected {
        Some(expected) if Some(expected.what.as_str()) == code => {}
        Some(expected) => failed(
            &expected.place,
            &format!("a rejection with `{}`", expected.what),
            why,
            out,
        ),
        None => failed(
            &step.place,
            "it to be taken",
            &format!("rejected: {why}"),
            out,
        ),
    }
}

/// What the page shows after the step.
fn seen(
    stage: &Stage,
    campaign: &Campaign,
    act: &Act<'_>,
    expects: &Expects,
    step: &Step,
    out: &mut Diagnostics,
) {
    let looked = stage.look(act, |view| {
        if let Some(state) = &expects.state {
            let got = campaign
                .machine
                .states
                .get(usize::from(view.turn.core.state))
                .map_or("", |state| &state.name);
            if got != state.what {
                failed(
                    &state.place,
                    &format!("the state `{}`", state.what),
                    &format!("`{got}`"),
                    out,
                );
            }
        }
        for (slot, expected) in &expects.context {
            let (Some(got), Some(var)) = (
                view.turn.core.vars.get(usize::from(*slot)),
                campaign.vars.get(usize::from(*slot)),
            ) else {
                continue;
            };
            if *got != expected.what {
                let say = |value| shown(value, var.ty, campaign);
                failed(
                    &expected.place,
                    &format!("`{}` to be {}", var.name, say(&expected.what)),
                    &say(got),
                    out,
                );
            }
        }
        if let Some(eligible) = expects
            .eligible
            .as_ref()
            .filter(|eligible| eligible.what != view.eligible)
        {
            failed(
                &eligible.place,
                &format!("eligible to be {}", eligible.what),
                &view.eligible.to_string(),
                out,
            );
        }
        if let Some(possible) = &expects.possible {
            let got = view.events.iter().filter(|event| event.no.is_none());
            let got = got
                .filter_map(|event| campaign.events.get(usize::from(event.event)))
                .map(|event| &*event.name);
            same_names(
                "these to be possible: ",
                possible,
                &got.collect::<Vec<_>>(),
                out,
            );
        }
    });
    if let Err(error) = looked {
        out.error(
            codes::STORY_FAILED,
            &step.place,
            format!("the page could not be shown: {error}"),
        );
    }
    if let Some(phase) = &expects.phase {
        let got = campaign.window.phase(act.now);
        if got != phase.what {
            failed(
                &phase.place,
                &format!("the phase `{}`", phase.what),
                &format!("`{got}`"),
                out,
            );
        }
    }
}

fn same_names(what: &str, expected: &Placed<Vec<String>>, got: &[&str], out: &mut Diagnostics) {
    let mut wanted: Vec<&str> = expected.what.iter().map(String::as_str).collect();
    let mut sorted = got.to_vec();
    wanted.sort_unstable();
    sorted.sort_unstable();
    if wanted != sorted {
        failed(
            &expected.place,
            &format!("{what}{}", list(&wanted)),
            &list(&sorted),
            out,
        );
    }
}

fn failed(place: &Place, expected: &str, got: &str, out: &mut Diagnostics) {
    out.error(
        codes::STORY_FAILED,
        place,
        format!("expected {expected}, got {got}"),
    );
}

fn list(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        _ => names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// A value as a config writes it.
fn shown(value: &Value, ty: Type, campaign: &Campaign) -> String {
    match (value, ty) {
        (Value::Int(day), Type::Date) => {
            i32::try_from(*day).map_or_else(|_| day.to_string(), |day| date(day).to_string())
        }
        (Value::Int(at), Type::Time) => campaign.calendar.rfc3339(*at),
        (Value::Int(span), Type::Duration) => format!("{} seconds", span / 1000),
        (Value::Int(number), _) => number.to_string(),
        (Value::Bool(value), _) => value.to_string(),
        (Value::Str(text), _) => format!("`{text}`"),
        (Value::Strs(items), _) => list(&items.iter().map(|item| &**item).collect::<Vec<_>>()),
        (Value::Days(days), _) => format!("{} days", days.len()),
    }
}
