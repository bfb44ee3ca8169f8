//! Story files: from text to stories.

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::ids::Pseudonym;
use machine::input::User;
use machine::model::{Campaign, FactDecl, FactKind};
use machine::redeem::digest;
use machine::{Day, Type, Value};

use super::step::{STEP, step};
use super::{SECRET, Story};
use crate::codes;
use crate::diagnostic::{Diagnostics, meant};
use crate::document::{Key, Keys, Node, Shape, parse};
use crate::read::context::constant;
use crate::source::Source;

/// The keys of a story. A story file is a list of stories.
pub static KEYS: Keys = Keys {
    name: "story",
    doc: "One participant's days, and what must come out of them.",
    keys: &[
        Key::required("story", Shape::String, "Its name: what it shows."),
        Key::optional("user", Shape::MapOf(&Shape::Any), "The user's claims."),
        Key::optional(
            "lists",
            Shape::List(&Shape::String),
            "The tenant's lists that the user is on.",
        ),
        Key::optional(
            "facts",
            Shape::MapOf(&Shape::Any),
            "What is found out about the user, by fact: the others are unknown; by first sight they are new unless said.",
        ),
        Key::optional(
            "team",
            Shape::MapOf(&Shape::Int(0, 1_000_000)),
            "How many others of the user's team sign in on a day, by date.",
        ),
        Key::optional(
            "codes",
            Shape::MapOf(&Shape::List(&Shape::String)),
            "The codes that stand on the lists, by their kind; words the campaign has itself.",
        ),
        Key::optional(
            "used_codes",
            Shape::List(&Shape::String),
            "Those of the codes, and words, that others have used as often as they may be.",
        ),
        Key::optional(
            "seed",
            Shape::Int(0, i64::MAX),
            "What decides the draws; 0 unless said.",
        ),
        Key::optional(
            "stock",
            Shape::MapOf(&Shape::Int(0, u32::MAX as i64)),
            "Units of rewards, other than the campaign says.",
        ),
        Key::required(
            "steps",
            Shape::List(&Shape::Keys(&STEP)),
            "What happens, in order.",
        ),
    ],
};

/// Reads a story file against its campaign. What can't be read is reported, and its story left out.
pub fn read(source: &Arc<Source>, campaign: &Campaign, out: &mut Diagnostics) -> Vec<Story> {
    let Some(node) = parse(source, out) else {
        return Vec::new();
    };
    let Some(items) = node.list(out) else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| story(item, campaign, out))
        .collect()
}

fn story(node: &Node, campaign: &Campaign, out: &mut Diagnostics) -> Option<Story> {
    let mut own = Diagnostics::new();
    // One that can't be read as it stands would come out differently only because of that.
    let read = unjudged(node, campaign, &mut own).filter(|_| !own.has_errors());
    out.extend(own);
    read
}

fn unjudged(node: &Node, campaign: &Campaign, out: &mut Diagnostics) -> Option<Story> {
    let fields = node.fields(&KEYS, out)?;
    let name = fields.get("story")?.string(out)?.to_owned();
    let claims = fields.get("user").map(|node| claims(node, campaign, out));
    let lists = fields
        .get("lists")
        .map(|node| lists(node, campaign, out))
        .unwrap_or_default();
    let facts = fields
        .get("facts")
        .map(|node| facts(node, campaign, out))
        .unwrap_or_default();
    let team = fields
        .get("team")
        .map(|node| team(node, out))
        .unwrap_or_default();
    let codes = fields
        .get("codes")
        .map(|node| listed_codes(node, campaign, out))
        .unwrap_or_default();
    let used_codes = fields
        .get("used_codes")
        .map(|node| digests(node, out))
        .unwrap_or_default();
    let seed = fields
        .get("seed")
        .and_then(|node| node.int(0..=i64::MAX, out))
        .unwrap_or(0);
    let stock = fields
        .get("stock")
        .map(|node| stock(node, campaign, out))
        .unwrap_or_default();
    let mut at = campaign.window.opens;
    let mut steps = Vec::new();
    for item in fields.get("steps")?.list(out)? {
        let read = step(item, &mut at, campaign, out)?;
        steps.push(read);
    }
    let user = claims.unwrap_or_else(|| User::nobody(&campaign.claims));
    Some(Story {
        name,
        user,
        lists,
        facts,
        team,
        codes,
        used_codes,
        seed: seed as u64,
        stock,
        steps,
        place: node.place.clone(),
    })
}

fn claims(node: &Node, campaign: &Campaign, out: &mut Diagnostics) -> User {
    let mut user = User::nobody(&campaign.claims);
    for entry in node.map(out).unwrap_or(&[]) {
        let Some(at) = campaign
            .claims
            .iter()
            .position(|claim| claim.name == entry.name())
        else {
            let near = meant(
                entry.name(),
                campaign.claims.iter().map(|claim| claim.name.as_str()),
            );
            out.error(
                codes::STORY,
                &entry.key.place,
                format!("the tenant has no claim `{}`", entry.name()),
            )
            .maybe_help(near);
            continue;
        };
        let Some(claim) = campaign.claims.get(at) else {
            continue;
        };
        let value = if claim.ty == Type::Strs {
            let items = entry
                .value
                .one_or_list()
                .iter()
                .filter_map(|item| item.string(out).map(Arc::from));
            Some(Value::Strs(items.collect()))
        } else {
            constant(&entry.value, claim.ty, &campaign.calendar, out)
        };
        if let Some((slot, value)) = user.claims.get_mut(at).zip(value) {
            *slot = value;
        }
    }
    user
}

/// The lists as written. One that no rule of the campaign reads changes nothing, which a story may well show.
fn lists(node: &Node, campaign: &Campaign, out: &mut Diagnostics) -> Vec<String> {
    let known: Vec<&str> = campaign
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            FactKind::List(name) => Some(name.as_str()),
            FactKind::Asked(_)
            | FactKind::Team(_)
            | FactKind::Redeem(_)
            | FactKind::FirstSight(_) => None,
        })
        .collect();
    let mut found = Vec::new();
    for item in node.one_or_list() {
        let Some(name) = item.string(out) else {
            continue;
        };
        if !known.contains(&name) {
            let near = meant(name, known.iter().copied());
            out.warn(
                codes::STORY_LIST,
                &item.place,
                format!("no rule of this campaign reads the list `{name}`"),
            )
            .maybe_help(near);
        }
        found.push(name.to_owned());
    }
    found
}

fn facts(node: &Node, campaign: &Campaign, out: &mut Diagnostics) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for entry in node.map(out).unwrap_or(&[]) {
        let mut known = campaign.facts.iter();
        let fact = known.find(|fact| fact.declared() == Some(entry.name()));
        let Some(fact) = fact else {
            let known = campaign.facts.iter().filter_map(FactDecl::declared);
            let near = meant(entry.name(), known);
            out.error(
                codes::STORY,
                &entry.key.place,
                format!("the campaign has no fact `{}`", entry.name()),
            )
            .maybe_help(near);
            continue;
        };
        let value = constant(&entry.value, fact.ty(), &campaign.calendar, out);
        found.extend(value.map(|value| (entry.name().to_owned(), value)));
    }
    found
}

/// The codes by their digests, each with its kind.
fn listed_codes(
    node: &Node,
    campaign: &Campaign,
    out: &mut Diagnostics,
) -> BTreeMap<Pseudonym, Arc<str>> {
    let kinds: Vec<&Arc<str>> = campaign
        .redeem()
        .into_iter()
        .flat_map(|(_, redeem)| redeem.lists().map(|(kind, _)| kind))
        .collect();
    let mut found = BTreeMap::new();
    for entry in node.map(out).unwrap_or(&[]) {
        let Some(kind) = kinds.iter().find(|kind| ****kind == *entry.name()) else {
            let near = meant(entry.name(), kinds.iter().map(|kind| &***kind));
            out.error(
                codes::STORY,
                &entry.key.place,
                format!("the campaign takes no codes `{}` from a list", entry.name()),
            )
            .maybe_help(near);
            continue;
        };
        for code in digests(&entry.value, out) {
            found.entry(code).or_insert_with(|| (*kind).clone());
        }
    }
    found
}

fn digests(node: &Node, out: &mut Diagnostics) -> Vec<Pseudonym> {
    let mut found = Vec::new();
    for item in node.one_or_list() {
        let Some(text) = item.string(out) else {
            continue;
        };
        match digest(&SECRET, text) {
            Some(code) => found.push(code),
            None => {
                out.error(codes::STORY, &item.place, "this is no code");
            }
        }
    }
    found
}

fn team(node: &Node, out: &mut Diagnostics) -> BTreeMap<Day, u32> {
    let mut found = BTreeMap::new();
    for entry in node.map(out).unwrap_or(&[]) {
        let day = entry.key.date(out);
        let others = entry.value.int(0..=1_000_000, out);
        found.extend(day.zip(others.map(|others| others as u32)));
    }
    found
}

fn stock(node: &Node, campaign: &Campaign, out: &mut Diagnostics) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for entry in node.map(out).unwrap_or(&[]) {
        let limited = campaign
            .rewards
            .iter()
            .filter(|reward| reward.stock.is_some())
            .map(|reward| &*reward.id);
        if !limited.clone().any(|id| id == entry.name()) {
            let near = meant(entry.name(), limited);
            out.error(
                codes::STORY,
                &entry.key.place,
                format!("there is no reward `{}` with limited stock", entry.name()),
            )
            .maybe_help(near);
        }
        if let Some(units) = entry.value.int(0..=i64::from(u32::MAX), out) {
            found.insert(entry.name().to_owned(), units as u32);
        }
    }
    found
}
