//! A profile's file, read against the campaign it is for: every event, field, claim and list must be one that exists.

use std::sync::Arc;

use machine::model::{Campaign, EventDecl, FactDecl, FactKind, Sender};
use machine::{Type, Value};

use super::{Arrivals, Claimed, Found, Profile, Returns, Share, Written};
use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Entry, Key, Keys, Node, Odds, Shape, parse};
use crate::read::context::constant;
use crate::simulate::dice::Rate;
use crate::simulate::{MOST_DAYS, MOST_USERS};
use crate::source::Source;

/// The most tries of one event in a visit.
const MOST_TRIES: i64 = 100;

/// The largest weight of an hour or a day.
const MOST_WEIGHT: i64 = 1_000_000_000;

/// The keys of a profile.
pub static KEYS: Keys = Keys {
    name: "profile",
    doc: "Who comes, how often, and what they do there.",
    keys: &[
        Key::optional(
            "users",
            Shape::Int(1, MOST_USERS as i64),
            "How many take part in all.",
        ),
        Key::optional(
            "days",
            Shape::Int(1, MOST_DAYS as i64),
            "For how many days.",
        ),
        Key::optional(
            "arrivals",
            Shape::Either(&[
                Shape::OneOf(&["launch", "even"]),
                Shape::List(&Shape::Int(0, MOST_WEIGHT)),
            ]),
            "When people come for the first time: `launch`, `even`, or a weight for each day.",
        ),
        Key::optional(
            "hours",
            Shape::List(&Shape::Int(0, MOST_WEIGHT)),
            "How visits spread over the day: 24 weights, from midnight.",
        ),
        Key::optional("returns", Shape::Keys(&RETURNS), "How people come back."),
        Key::optional(
            "presses_anyway",
            Shape::Odds,
            "The share of visits in which somebody presses a button that is not possible now.",
        ),
        Key::optional("share", Shape::Keys(&SHARE), "Passing it on."),
        Key::optional(
            "events",
            Shape::MapOf(&Shape::Keys(&HABIT)),
            "What users do, where it is not the usual.",
        ),
        Key::optional(
            "backend",
            Shape::MapOf(&Shape::Odds),
            "How often the back end sends an event: per visit.",
        ),
        Key::optional(
            "backend_else",
            Shape::Odds,
            "The same for the events that `backend` does not name.",
        ),
        Key::optional(
            "payload",
            Shape::MapOf(&Shape::MapOf(&Shape::List(&Shape::Any))),
            "What payload fields hold, by event and field: one of these, each with equal chance.",
        ),
        Key::optional(
            "claims",
            Shape::MapOf(&Shape::List(&Shape::Keys(&CLAIM))),
            "What people's claims hold: values with their shares, the rest the default.",
        ),
        Key::optional(
            "lists",
            Shape::MapOf(&Shape::Odds),
            "The share of people who are on a list.",
        ),
        Key::optional(
            "facts",
            Shape::MapOf(&Shape::Either(&[
                Shape::Odds,
                Shape::List(&Shape::Keys(&CLAIM)),
            ])),
            "The share of people for whom a fact holds, or values with their shares; one that is not here is unknown of everybody, and by first sight everybody is new.",
        ),
        Key::optional(
            "codes",
            Shape::MapOf(&Shape::Odds),
            "The share of the codes typed in that are of a kind, by its id; the others are wrong.",
        ),
    ],
};

static RETURNS: Keys = Keys {
    name: "returns",
    doc: "How people come back.",
    keys: &[
        Key::optional(
            "same_day",
            Shape::Odds,
            "Once more on the same day, after each visit.",
        ),
        Key::optional("next_day", Shape::Odds, "On the day after a visit."),
        Key::optional(
            "later",
            Shape::Odds,
            "On each later day, of those who stayed away.",
        ),
    ],
};

static SHARE: Keys = Keys {
    name: "share",
    doc: "Passing it on.",
    keys: &[
        Key::optional(
            "rate",
            Shape::Odds,
            "The share of visits in which somebody shares.",
        ),
        Key::optional(
            "brings",
            Shape::Odds,
            "The share of those that bring somebody new.",
        ),
    ],
};

static HABIT: Keys = Keys {
    name: "habit",
    doc: "What users do with an event.",
    keys: &[
        Key::optional(
            "rate",
            Shape::Odds,
            "The share of visits in which it is tried.",
        ),
        Key::optional(
            "tries",
            Shape::Int(1, MOST_TRIES),
            "How often at most in one visit.",
        ),
    ],
};

static CLAIM: Keys = Keys {
    name: "claim value",
    doc: "A claim's value and the share of people who have it.",
    keys: &[
        Key::required("value", Shape::Any, "The value."),
        Key::required("share", Shape::Odds, "The share of people who have it."),
    ],
};

/// Reads a profile over another: what it does not say stays as it is there. Nothing if there is an error.
pub fn read(
    source: &Arc<Source>,
    over: &Profile,
    campaign: &Campaign,
    out: &mut Diagnostics,
) -> Option<Profile> {
    let node = parse(source, out)?;
    let fields = node.fields(&KEYS, out)?;
    let mut profile = over.clone();
    for entry in fields.entries() {
        let node = &entry.value;
        match entry.name() {
            "users" => profile.users = whole(node, MOST_USERS, out),
            "days" => profile.days = whole(node, MOST_DAYS, out),
            "arrivals" => set(&mut profile.arrivals, arrivals(node, out)),
            "hours" => set(&mut profile.hours, hours(node, out)),
            "returns" => returns(node, &mut profile.returns, out),
            "presses_anyway" => set(&mut profile.presses_anyway, rate(node, out)),
            "share" => share(node, &mut profile.share, out),
            "events" => habits(node, &mut profile, campaign, out),
            "backend" => backend(node, &mut profile, campaign, out),
            "backend_else" => set(&mut profile.backend_else, rate(node, out)),
            "payload" => payload(node, &mut profile, campaign, out),
            "claims" => claims(node, &mut profile, campaign, out),
            "lists" => lists(node, &mut profile, campaign, out),
            "facts" => facts(node, &mut profile, campaign, out),
            "codes" => handed(node, &mut profile, campaign, out),
            _ => {}
        }
    }
    (!out.has_errors()).then_some(profile)
}

fn set<T>(to: &mut T, read: Option<T>) {
    if let Some(value) = read {
        *to = value;
    }
}

fn whole(node: &Node, most: u32, out: &mut Diagnostics) -> Option<u32> {
    node.int(1..=i64::from(most), out)
        .map(|number| number as u32)
}

/// A share: odds, without `rest`.
fn rate(node: &Node, out: &mut Diagnostics) -> Option<Rate> {
    match node.odds(out)? {
        Odds::Parts { num, den } => Some(Rate::new(num, den)),
        Odds::Rest => {
            out.error(
                codes::NOT_ODDS,
                &node.place,
                "a share is expected, not `rest`",
            )
            .help("write `35%` or `1/3`");
            None
        }
    }
}

fn weights(node: &Node, out: &mut Diagnostics) -> Option<Vec<u32>> {
    let items = node.list(out)?.iter();
    let weights: Option<Vec<u32>> = items
        .map(|item| item.int(0..=MOST_WEIGHT, out).map(|weight| weight as u32))
        .collect();
    let weights = weights?;
    if weights.iter().all(|weight| *weight == 0) {
        out.error(
            codes::INT_RANGE,
            &node.place,
            "all weights are 0: nobody would come",
        )
        .help("write at least one that is larger");
        return None;
    }
    Some(weights)
}

fn arrivals(node: &Node, out: &mut Diagnostics) -> Option<Arrivals> {
    if node.is_list() {
        return weights(node, out).map(Arrivals::Days);
    }
    Some(match node.one_of(&["launch", "even"], out)? {
        "even" => Arrivals::Even,
        _ => Arrivals::Launch,
    })
}

fn hours(node: &Node, out: &mut Diagnostics) -> Option<[u32; 24]> {
    let weights = weights(node, out)?;
    let found = weights.len();
    let hours = weights.try_into().ok();
    if hours.is_none() {
        out.error(
            codes::WRONG_SHAPE,
            &node.place,
            format!("a day has 24 hours, here are {found} weights"),
        );
    }
    hours
}

fn returns(node: &Node, to: &mut Returns, out: &mut Diagnostics) {
    let Some(fields) = node.fields(&RETURNS, out) else {
        return;
    };
    let mut one = |name: &str, to: &mut Rate| {
        set(to, fields.get(name).and_then(|node| rate(node, out)));
    };
    one("same_day", &mut to.same_day);
    one("next_day", &mut to.next_day);
    one("later", &mut to.later);
}

fn share(node: &Node, to: &mut Share, out: &mut Diagnostics) {
    let Some(fields) = node.fields(&SHARE, out) else {
        return;
    };
    set(
        &mut to.rate,
        fields.get("rate").and_then(|node| rate(node, out)),
    );
    set(
        &mut to.brings,
        fields.get("brings").and_then(|node| rate(node, out)),
    );
}

/// The event that a key names, if somebody of `from` may send it.
fn event<'c>(
    entry: &Entry,
    from: Option<&[Sender]>,
    campaign: &'c Campaign,
    out: &mut Diagnostics,
) -> Option<&'c EventDecl> {
    let may = |event: &&EventDecl| {
        from.is_none_or(|from| event.from.iter().any(|sender| from.contains(sender)))
    };
    let found = campaign
        .events
        .iter()
        .find(|event| *event.name == *entry.name());
    let Some(event) = found else {
        let near = meant(
            entry.name(),
            campaign.events.iter().filter(may).map(|event| &*event.name),
        );
        out.error(
            codes::UNKNOWN_EVENT,
            &entry.key.place,
            format!("the campaign has no event `{}`", entry.name()),
        )
        .maybe_help(near);
        return None;
    };
    if may(&event) {
        return Some(event);
    }
    let (who, other) = if from.is_some_and(|from| from.contains(&Sender::User)) {
        ("users", "backend")
    } else {
        ("the back end", "events")
    };
    out.error(
        codes::UNKNOWN_EVENT,
        &entry.key.place,
        format!("`{}` is not sent by {who}", event.name),
    )
    .help(format!("write it under `{other}`"));
    None
}

fn habits(node: &Node, profile: &mut Profile, campaign: &Campaign, out: &mut Diagnostics) {
    for entry in node.map(out).unwrap_or(&[]) {
        let Some(event) = event(entry, Some(&[Sender::User]), campaign, out) else {
            continue;
        };
        let Some(fields) = entry.value.fields(&HABIT, out) else {
            continue;
        };
        let mut habit = crate::simulate::habits::usual(campaign, event, profile.share.rate);
        set(
            &mut habit.rate,
            fields.get("rate").and_then(|node| rate(node, out)),
        );
        let tries = fields
            .get("tries")
            .and_then(|node| node.int(1..=MOST_TRIES, out));
        set(&mut habit.tries, tries.map(|tries| tries as u32));
        profile.events.insert(event.name.to_string(), habit);
    }
}

fn backend(node: &Node, profile: &mut Profile, campaign: &Campaign, out: &mut Diagnostics) {
    for entry in node.map(out).unwrap_or(&[]) {
        let found = event(
            entry,
            Some(&[Sender::Backend, Sender::Campaign]),
            campaign,
            out,
        );
        let rate = rate(&entry.value, out);
        if let Some((event, rate)) = found.zip(rate) {
            profile.backend.insert(event.name.to_string(), rate);
        }
    }
}

fn payload(node: &Node, profile: &mut Profile, campaign: &Campaign, out: &mut Diagnostics) {
    for entry in node.map(out).unwrap_or(&[]) {
        let Some(event) = event(entry, None, campaign, out) else {
            continue;
        };
        for entry in entry.value.map(out).unwrap_or(&[]) {
            let field = event
                .payload
                .iter()
                .find(|field| field.name == entry.name());
            let Some(field) = field else {
                let near = meant(
                    entry.name(),
                    event.payload.iter().map(|field| field.name.as_str()),
                );
                let words = format!("event `{}` has no field `{}`", event.name, entry.name());
                out.error(codes::UNKNOWN_KEY, &entry.key.place, words)
                    .maybe_help(near);
                continue;
            };
            let mut values = Vec::new();
            for item in entry.value.one_or_list() {
                let Some(written) = value(item, field.ty, campaign, out) else {
                    continue;
                };
                let range = field.at_least..=field.at_most;
                if let (Type::Int, Value::Int(number)) = (field.ty, &written.value)
                    && !range.contains(number)
                {
                    let (low, high) = (field.at_least, field.at_most);
                    let words = format!("`{}` takes {low} to {high}, not {number}", field.name);
                    out.error(codes::INT_RANGE, &item.place, words);
                }
                values.push(written);
            }
            if values.is_empty() {
                continue;
            }
            let fields = profile.payload.entry(event.name.to_string()).or_default();
            fields.insert(field.name.clone(), values);
        }
    }
}

fn claims(node: &Node, profile: &mut Profile, campaign: &Campaign, out: &mut Diagnostics) {
    for entry in node.map(out).unwrap_or(&[]) {
        let claim = campaign
            .claims
            .iter()
            .find(|claim| claim.name == entry.name());
        let Some(claim) = claim else {
            let near = meant(
                entry.name(),
                campaign.claims.iter().map(|claim| claim.name.as_str()),
            );
            let words = format!("the tenant has no claim `{}`", entry.name());
            out.error(codes::UNKNOWN_KEY, &entry.key.place, words)
                .maybe_help(near);
            continue;
        };
        let values = shared_out(&entry.value, &claim.name, claim.ty, campaign, out);
        profile.claims.insert(claim.name.clone(), values);
    }
}

/// Values with their shares.
fn shared_out(
    node: &Node,
    name: &str,
    ty: Type,
    campaign: &Campaign,
    out: &mut Diagnostics,
) -> Vec<Claimed> {
    let mut values = Vec::new();
    for item in node.list(out).unwrap_or(&[]) {
        let Some(fields) = item.fields(&CLAIM, out) else {
            continue;
        };
        let written = fields
            .get("value")
            .and_then(|node| value(node, ty, campaign, out));
        let share = fields.get("share").and_then(|node| rate(node, out));
        values.extend(
            written
                .zip(share)
                .map(|(value, share)| Claimed { value, share }),
        );
    }
    let all: u64 = values.iter().fold(0, |sum, claimed| {
        sum.saturating_add(claimed.share.of_whole())
    });
    if all > Rate::ALWAYS.of_whole() {
        let words = format!("the shares of `{name}` are more than all people");
        out.error(codes::ODDS_RANGE, &node.place, words)
            .help("they add up to at most 100%; who is in none of them has the default");
    }
    values
}

fn value(node: &Node, ty: Type, campaign: &Campaign, out: &mut Diagnostics) -> Option<Written> {
    if ty == Type::Strs {
        let items = node.one_or_list().iter();
        let items: Option<Arc<[Arc<str>]>> =
            items.map(|item| item.string(out).map(Arc::from)).collect();
        return items.map(|items| Written {
            value: Value::Strs(items),
            text: String::new(),
        });
    }
    let value = constant(node, ty, &campaign.calendar, out)?;
    Some(Written {
        value,
        text: node.scalar().unwrap_or("").to_owned(),
    })
}

fn lists(node: &Node, profile: &mut Profile, campaign: &Campaign, out: &mut Diagnostics) {
    let known = || {
        campaign.facts.iter().filter_map(|fact| match &fact.what {
            FactKind::List(name) => Some(name.as_str()),
            FactKind::Asked(_)
            | FactKind::Team(_)
            | FactKind::Redeem(_)
            | FactKind::FirstSight(_) => None,
        })
    };
    for entry in node.map(out).unwrap_or(&[]) {
        let share = rate(&entry.value, out);
        if !known().any(|name| name == entry.name()) {
            let words = format!("no rule of this campaign reads the list `{}`", entry.name());
            out.warn(codes::STORY_LIST, &entry.key.place, words)
                .maybe_help(meant(entry.name(), known()));
            continue;
        }
        profile
            .lists
            .extend(share.map(|share| (entry.name().to_owned(), share)));
    }
}

fn facts(node: &Node, profile: &mut Profile, campaign: &Campaign, out: &mut Diagnostics) {
    let known = || campaign.facts.iter().filter_map(FactDecl::declared);
    for entry in node.map(out).unwrap_or(&[]) {
        let mut facts = campaign.facts.iter();
        let fact = facts.find(|fact| fact.declared() == Some(entry.name()));
        let Some(fact) = fact else {
            let words = format!("the campaign asks for no fact `{}`", entry.name());
            out.warn(codes::STORY_LIST, &entry.key.place, words)
                .maybe_help(meant(entry.name(), known()));
            continue;
        };
        let found = if fact.ty() == Type::Bool && entry.value.scalar().is_some() {
            rate(&entry.value, out).map(Found::Holds)
        } else {
            let values = shared_out(&entry.value, entry.name(), fact.ty(), campaign, out);
            Some(Found::OneOf(values))
        };
        let name = entry.name().to_owned();
        profile.facts.extend(found.map(|found| (name, found)));
    }
}

fn handed(node: &Node, profile: &mut Profile, campaign: &Campaign, out: &mut Diagnostics) {
    let known = || {
        let redeem = campaign.redeem().into_iter();
        redeem.flat_map(|(_, redeem)| redeem.kinds.iter().map(|kind| &*kind.id))
    };
    for entry in node.map(out).unwrap_or(&[]) {
        let share = rate(&entry.value, out);
        if !known().any(|name| name == entry.name()) {
            let words = format!("the campaign takes no codes `{}`", entry.name());
            out.warn(codes::STORY_LIST, &entry.key.place, words)
                .maybe_help(meant(entry.name(), known()));
            continue;
        }
        profile
            .codes
            .extend(share.map(|share| (entry.name().to_owned(), share)));
    }
}
