//! A step of a story: from its map to what happens and what must come out.

use machine::calendar::Millis;
use machine::ids::Pseudonym;
use machine::input::Payload;
use machine::model::{Campaign, Phase, Sender, VarKind};
use machine::redeem::{FIELD, digest};
use machine::{Type, Value};
use serde_json::{Map, Value as Json, json};

use super::{Does, Drawn, Expects, SECRET, Step};
use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Fields, Key, Keys, Node, Shape};
use crate::read::context::constant;
use crate::read::events::{SENDER_WORDS, SENDERS};
use crate::tables::Placed;

/// The keys of a step.
pub(super) static STEP: Keys = Keys {
    name: "step",
    doc: "Something that happens, and what must come out. Without `event` and `view` time passes.",
    keys: &[
        Key::optional(
            "at",
            Shape::DateTime,
            "When; as the step before unless said, the first when the campaign opens.",
        ),
        Key::optional("after", Shape::Duration, "How long after the step before."),
        Key::optional("event", Shape::Id, "The event that is sent."),
        Key::optional(
            "from",
            Shape::OneOf(&SENDER_WORDS),
            "Who sends it; `user` unless said.",
        ),
        Key::optional(
            "raffle",
            Shape::OneOf(&DRAWN_WORDS),
            "What the draw from entries comes to for the participant: who is drawn depends on everybody, so a story says it.",
        ),
        Key::optional(
            "prize",
            Shape::Id,
            "Which prize is won; the first unless said.",
        ),
        Key::optional("payload", Shape::MapOf(&Shape::Any), "What it carries."),
        Key::optional(
            "rejected",
            Shape::Id,
            "The code it is rejected with; it must be taken unless said.",
        ),
        Key::optional("outcome", Shape::Id, "The outcome that a block raised."),
        Key::optional(
            "gives",
            Shape::List(&Shape::Id),
            "Exactly the rewards that are given, in any order.",
        ),
        Key::optional(
            "emits",
            Shape::List(&Shape::Id),
            "Exactly the messages that are sent, in any order.",
        ),
        Key::optional(
            "context",
            Shape::MapOf(&Shape::Any),
            "Variables afterwards; others may be anything.",
        ),
        Key::optional("state", Shape::Id, "The state afterwards."),
        Key::optional(
            "view",
            Shape::Keys(&VIEW),
            "What the page shows; nothing is committed.",
        ),
    ],
};

const DRAWN_WORDS: [&str; 4] = ["won", "alternate", "lapsed", "not-won"];

const PHASES: [(&str, Phase); 4] = [
    ("preview", Phase::Preview),
    ("open", Phase::Open),
    ("claiming", Phase::Claiming),
    ("ended", Phase::Ended),
];

const PHASE_WORDS: [&str; 4] = ["preview", "open", "claiming", "ended"];

static VIEW: Keys = Keys {
    name: "view",
    doc: "What a participant's page shows.",
    keys: &[
        Key::optional("phase", Shape::OneOf(&PHASE_WORDS), "The campaign's phase."),
        Key::optional("eligible", Shape::Bool, "Whether the user may take part."),
        Key::optional(
            "possible",
            Shape::List(&Shape::Id),
            "Exactly the events that are possible, in any order.",
        ),
        Key::optional(
            "context",
            Shape::MapOf(&Shape::Any),
            "Variables; others may be anything.",
        ),
        Key::optional("state", Shape::Id, "The state."),
    ],
};

/// Reads a step; `at` is the clock, which it moves.
pub(super) fn step(
    node: &Node,
    at: &mut Millis,
    campaign: &Campaign,
    out: &mut Diagnostics,
) -> Option<Step> {
    let fields = node.fields(&STEP, out)?;
    time(&fields, at, campaign, out)?;
    let does = does(&fields, campaign, out)?;
    let mut expects = expected(&fields, campaign, out);
    if let Some(view) = fields.get("view").and_then(|node| node.fields(&VIEW, out)) {
        let seen = expected(&view, campaign, out);
        expects.context.extend(seen.context);
        expects.state = seen.state.or(expects.state);
        expects.phase = word(&view, "phase", &PHASES, out);
        expects.eligible = view
            .get("eligible")
            .and_then(|node| placed(node, node.bool(out)));
        expects.possible = names(&view, "possible", out);
    }
    Some(Step {
        at: *at,
        does,
        expects,
        place: node.place.clone(),
    })
}

/// Moves the clock to the step's time.
fn time(
    fields: &Fields<'_>,
    at: &mut Millis,
    campaign: &Campaign,
    out: &mut Diagnostics,
) -> Option<()> {
    let next = match (fields.get("at"), fields.get("after")) {
        (Some(node), None) => node.datetime(campaign.calendar.timezone, out)?.at,
        (None, Some(node)) => at.saturating_add(node.duration(out)?),
        (None, None) => *at,
        (Some(_), Some(node)) => {
            out.error(
                codes::STORY,
                &node.place,
                "a step has `at` or `after`, not both",
            );
            return None;
        }
    };
    // Only the first step may be before the opening, where the clock starts.
    if next < *at && *at != campaign.window.opens {
        out.error(
            codes::STORY,
            fields.key_place("at"),
            "this is before the step before it: time does not run backwards",
        );
    }
    *at = next;
    Some(())
}

fn does(fields: &Fields<'_>, campaign: &Campaign, out: &mut Diagnostics) -> Option<Does> {
    if let Some(node) = fields.get("raffle") {
        return drawn(node, fields, campaign, out).map(Does::Drawn);
    }
    let Some(node) = fields.get("event") else {
        for key in ["from", "payload", "rejected", "outcome"]
            .into_iter()
            .filter(|key| fields.has(key))
        {
            out.error(
                codes::STORY,
                fields.key_place(key),
                format!("`{key}` is about an event, and none is sent"),
            );
        }
        return Some(if fields.has("view") {
            Does::Look
        } else {
            Does::Wait
        });
    };
    let name = node.string(out)?;
    let Some(event) = campaign.event(name) else {
        let near = meant(name, campaign.events.iter().map(|event| &*event.name));
        out.error(
            codes::UNKNOWN_EVENT,
            &node.place,
            format!("the campaign has no event `{name}`"),
        )
        .maybe_help(near);
        return None;
    };
    let sender = word(fields, "from", &SENDERS, out).map_or(Sender::User, |from| from.what);
    let declared = campaign.events.get(usize::from(event))?;
    let mut body = Map::new();
    for entry in fields
        .get("payload")
        .and_then(|node| node.map(out))
        .unwrap_or(&[])
    {
        let ty = declared
            .payload
            .iter()
            .find(|field| field.name == entry.name())
            .map(|field| field.ty);
        body.insert(entry.name().to_owned(), as_json(&entry.value, ty, campaign));
    }
    let code = campaign.redeem().and_then(|(_, redeem)| {
        let code = body
            .get_mut(FIELD)
            .filter(|_| redeem.event == declared.name)?;
        let text = code.as_str()?.to_owned();
        let digest = digest(&SECRET, &text).unwrap_or(Pseudonym([0; 16]));
        *code = json!(digest.to_string());
        Some(text)
    });
    Some(Does::Event {
        event,
        sender,
        payload: Payload::read(declared, &body),
        code,
    })
}

/// What the draw comes to, as the story says.
fn drawn(
    node: &Node,
    fields: &Fields<'_>,
    campaign: &Campaign,
    out: &mut Diagnostics,
) -> Option<Drawn> {
    let word = node.one_of(&DRAWN_WORDS, out)?;
    let raffle = blocks::raffle::of(campaign);
    let Some((params, _)) = raffle else {
        out.error(codes::STORY, &node.place, "the campaign has no raffle");
        return None;
    };
    for key in ["event", "from", "payload", "rejected", "outcome"] {
        if fields.has(key) {
            let message = format!("`{key}` is about an event, and this is the draw");
            out.error(codes::STORY, fields.key_place(key), message);
        }
    }
    let prize = fields.get("prize");
    let wanted = prize.and_then(|node| node.string(out));
    let mut slot = 1;
    for (id, winners) in params.named(campaign) {
        if wanted.is_none_or(|wanted| *wanted == *id) {
            return Some(match word {
                "won" => Drawn::Won(slot),
                "alternate" => Drawn::Alternate,
                "lapsed" => Drawn::Lapsed,
                _ => Drawn::NotWon,
            });
        }
        slot += winners;
    }
    let node = prize.unwrap_or(node);
    out.error(codes::STORY, &node.place, "the raffle has no such prize");
    None
}

/// A value as a client would send it; one that is not of its type goes out as text, to be refused.
fn as_json(node: &Node, ty: Option<Type>, campaign: &Campaign) -> Json {
    let text = node.scalar().unwrap_or("");
    let mut ignored = Diagnostics::new();
    let value = ty.and_then(|ty| constant(node, ty, &campaign.calendar, &mut ignored));
    match (ty, value) {
        (Some(Type::Bool), Some(Value::Bool(value))) => json!(value),
        (Some(Type::Int), Some(Value::Int(value))) => json!(value),
        (Some(Type::Time), Some(Value::Int(value))) => json!(campaign.calendar.rfc3339(value)),
        (Some(Type::Duration), Some(Value::Int(value))) => json!(value / 1000),
        _ => json!(text),
    }
}

fn expected(fields: &Fields<'_>, campaign: &Campaign, out: &mut Diagnostics) -> Expects {
    let state = one_name(fields, "state", out);
    if let Some(state) = state
        .as_ref()
        .filter(|state| campaign.state(&state.what).is_none())
    {
        let near = meant(
            &state.what,
            campaign.machine.states.iter().map(|state| &*state.name),
        );
        out.error(
            codes::UNKNOWN_STATE,
            &state.place,
            format!("there is no state `{}`", state.what),
        )
        .maybe_help(near);
    }
    let gives = names(fields, "gives", out);
    for id in gives.iter().flat_map(|gives| &gives.what) {
        if campaign.reward(id).is_none()
            && let Some(node) = fields.get("gives")
        {
            let near = meant(id, campaign.rewards.iter().map(|reward| &*reward.id));
            out.error(
                codes::UNKNOWN_REWARD,
                &node.place,
                format!("there is no reward `{id}`"),
            )
            .maybe_help(near);
        }
    }
    Expects {
        rejected: one_name(fields, "rejected", out),
        outcome: one_name(fields, "outcome", out),
        gives,
        emits: names(fields, "emits", out),
        state,
        context: variables(fields, campaign, out),
        ..Expects::default()
    }
}

fn variables(
    fields: &Fields<'_>,
    campaign: &Campaign,
    out: &mut Diagnostics,
) -> Vec<(u16, Placed<Value>)> {
    let mut found = Vec::new();
    for entry in fields
        .get("context")
        .and_then(|node| node.map(out))
        .unwrap_or(&[])
    {
        let visible = campaign
            .vars
            .iter()
            .filter(|var| var.kind != VarKind::Hidden);
        let at = campaign
            .vars
            .iter()
            .position(|var| var.kind != VarKind::Hidden && var.name == entry.name());
        let Some((at, var)) = at.and_then(|at| campaign.vars.get(at).map(|var| (at, var))) else {
            let near = meant(entry.name(), visible.map(|var| var.name.as_str()));
            out.error(
                codes::UNKNOWN_VAR,
                &entry.key.place,
                format!("there is no variable `{}`", entry.name()),
            )
            .maybe_help(near);
            continue;
        };
        let value = constant(&entry.value, var.ty, &campaign.calendar, out);
        found.extend(placed(&entry.value, value).map(|value| (at as u16, value)));
    }
    found
}

fn placed<T>(node: &Node, what: Option<T>) -> Option<Placed<T>> {
    what.map(|what| Placed {
        what,
        place: node.place.clone(),
    })
}

fn one_name(fields: &Fields<'_>, key: &str, out: &mut Diagnostics) -> Option<Placed<String>> {
    let node = fields.get(key)?;
    placed(node, node.string(out).map(str::to_owned))
}

fn names(fields: &Fields<'_>, key: &str, out: &mut Diagnostics) -> Option<Placed<Vec<String>>> {
    let node = fields.get(key)?;
    let items = node.list(out)?;
    placed(
        node,
        items
            .iter()
            .map(|item| item.string(out).map(str::to_owned))
            .collect(),
    )
}

fn word<T: Copy>(
    fields: &Fields<'_>,
    key: &str,
    words: &[(&str, T)],
    out: &mut Diagnostics,
) -> Option<Placed<T>> {
    let node = fields.get(key)?;
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let found = node.one_of(&known, out)?;
    placed(
        node,
        words
            .iter()
            .find(|(word, _)| *word == found)
            .map(|(_, what)| *what),
    )
}
