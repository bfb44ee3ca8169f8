//! A scenario from YAML, or all that is wrong with it, each with its place and the way out.

mod arrivals;
mod map;
mod steps;
mod tree;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use serde_saphyr::{Location, options};

use crate::limit::Limit;
use crate::scenario::{Ask, Campaign, Journey, Picked, Population, Provoke, Scenario, Step};
use map::{Map, listed};
use tree::{Kind, Node, Said, near};

pub use tree::{Mistake, Mistakes};

/// The most users of a population: ten thousand million.
const MOST_USERS: u64 = 10_000_000_000;
/// The most connections of one process.
const MOST_CONNECTIONS: u64 = 60_000;

const TOP: [&str; 11] = [
    "name",
    "title",
    "seed",
    "campaigns",
    "population",
    "journeys",
    "arrivals",
    "limits",
    "provoke",
    "patience",
    "connections",
];

/// Reads a scenario. `name` is the file's, without `.yaml`.
///
/// # Errors
/// All that is wrong.
pub fn read(name: &str, text: &str) -> Result<Scenario, Mistakes> {
    let mut said = Said::new(name, text);
    let scenario = match serde_saphyr::from_str_with_options::<Node>(text, options!()) {
        Ok(root) => Some(scenario(name, &root, &mut said)),
        Err(error) => {
            let error = error.without_snippet();
            let at = error.location().unwrap_or(Location::UNKNOWN);
            let what = format!("this is no YAML that can be read: {error}");
            said.wrong(at, what, "");
            None
        }
    };
    said.end()?;
    // Where nothing was wrong there is a scenario.
    scenario.ok_or_else(|| Mistakes {
        name: name.to_owned(),
        all: Vec::new(),
    })
}

fn scenario(name: &str, root: &Node, said: &mut Said) -> Scenario {
    let top = Map::of(root, "the scenario", &TOP, said);
    let campaigns = campaigns(&top, said);
    let population = population(&top, said);
    let names: Vec<&str> = campaigns.iter().map(|(name, _)| name.as_str()).collect();
    let journeys = journeys(&top, &names, said);
    groups(&top, &population, &journeys, said);
    let arrivals = arrivals::read(&top, said);
    let limits = limits(&top, &journeys, said);
    let provoke = top.get("provoke").map(|node| {
        let map = Map::of(node, "`provoke`", &["replay", "drop"], said);
        Provoke {
            replay: map.read("replay", words::share, said).unwrap_or(0.0),
            drop: map.read("drop", words::share, said).unwrap_or(0.0),
        }
    });
    let patience = top.read("patience", words::time, said);
    if patience.is_some_and(|patience| patience.is_zero()) {
        top.wrong(
            "patience",
            "nobody is as impatient as that",
            "write `5s`",
            said,
        );
    }
    Scenario {
        name: top.string("name", said).unwrap_or_else(|| name.to_owned()),
        title: top.required("title", said).unwrap_or_default(),
        seed: top.number("seed", 0, u64::MAX, said).unwrap_or(1),
        campaigns: campaigns
            .into_iter()
            .map(|(_, campaign)| campaign)
            .collect(),
        population,
        journeys,
        arrivals,
        limits,
        provoke: provoke.unwrap_or(Provoke {
            replay: 0.0,
            drop: 0.0,
        }),
        patience: patience.unwrap_or(Duration::from_secs(5)),
        connections: top
            .number("connections", 1, MOST_CONNECTIONS, said)
            .unwrap_or(256) as u32,
    }
}

fn campaigns(top: &Map<'_>, said: &mut Said) -> Vec<(String, Campaign)> {
    let mut campaigns = Vec::new();
    for entry in top.entries(
        "campaigns",
        "write `campaigns: { wheel: acme/spring-wheel }`",
        said,
    ) {
        let text = entry.value.text().unwrap_or_default();
        let ids = text.split_once('/');
        match ids.map(|(tenant, campaign)| (words::id(tenant), words::id(campaign))) {
            Some((Ok(tenant), Ok(campaign))) => {
                campaigns.push((entry.key.clone(), Campaign { tenant, campaign }));
            }
            _ => said.wrong(
                entry.value.at,
                format!("`{text}` names no campaign"),
                "write the tenant and the campaign: `acme/spring-wheel`",
            ),
        }
    }
    campaigns
}

fn population(top: &Map<'_>, said: &mut Said) -> Population {
    const KEYS: [&str; 6] = ["users", "picked", "bots", "addresses", "mark", "claims"];
    let mut population = Population {
        users: 1,
        picked: Picked::Evenly,
        bots: 0.0,
        addresses: None,
        mark: "load".to_owned(),
        claims: BTreeMap::new(),
    };
    let Some(node) = top.need("population", "write `population: { users: 10000 }`", said) else {
        return population;
    };
    let map = Map::of(node, "`population`", &KEYS, said);
    if map
        .need("users", "write how many there are: `users: 10000`", said)
        .is_some()
    {
        population.users = map.number("users", 1, MOST_USERS, said).unwrap_or(1);
    }
    if let Some(node) = map.get("picked") {
        let zipf = match &node.kind {
            Kind::Map(_) => Map::of(node, "`picked`", &["zipf"], said)
                .get("zipf")
                .and_then(|node| node.text()?.parse::<f64>().ok())
                .filter(|exponent| *exponent > 0.0 && *exponent <= 10.0),
            _ => None,
        };
        population.picked = match (node.text().as_deref(), zipf) {
            (Some("in-turn"), _) => Picked::InTurn,
            (Some("evenly"), _) => Picked::Evenly,
            (_, Some(exponent)) => Picked::Zipf(exponent),
            _ => {
                said.wrong(
                    node.at,
                    "this is no way to pick users",
                    "write `in-turn` (everybody comes), `evenly`, or `{ zipf: 1.1 }` (few come all the time; above 0, up to 10)",
                );
                Picked::Evenly
            }
        };
    }
    population.bots = map.read("bots", words::share, said).unwrap_or(0.0);
    population.addresses = map
        .number("addresses", 1, u64::from(crate::engine::ADDRESSES), said)
        .map(|many| many as u32);
    if let Some(mark) = map.read("mark", words::id, said) {
        population.mark = mark;
    }
    if let Some(node) = map.get("claims") {
        match node.json() {
            Value::Object(claims) => population.claims = claims.into_iter().collect(),
            _ => said.wrong(node.at, "claims have names", "write `claims: { level: 3 }`"),
        }
    }
    population
}

fn journeys(top: &Map<'_>, campaigns: &[&str], said: &mut Said) -> Vec<Journey> {
    const KEYS: [&str; 4] = ["share", "campaign", "bots", "steps"];
    let mut journeys = Vec::new();
    let example = "write `journeys: { play: { campaign: wheel, steps: [view, { event: draw }] } }`";
    let entries = top.entries("journeys", example, said);
    for entry in entries {
        let what = format!("the journey `{}`", entry.key);
        let map = Map::of(&entry.value, &what, &KEYS, said);
        let share = map.read(
            "share",
            |text| {
                text.trim_end_matches('%')
                    .trim()
                    .parse::<f64>()
                    .map_err(|_| "a number is expected, such as `80`")
            },
            said,
        );
        let share = share.unwrap_or(1.0);
        if !(share > 0.0 && share.is_finite()) {
            map.wrong(
                "share",
                format!("nobody takes {what}: its share is not above 0"),
                "give it a share above 0, or take it out",
                said,
            );
        }
        let named = map.required("campaign", said);
        let campaign = named
            .as_ref()
            .and_then(|name| campaigns.iter().position(|known| known == name));
        if let (Some(name), None) = (&named, campaign) {
            let way_out = near(name, campaigns.iter().copied()).map_or_else(
                || format!("`campaigns` has {}", listed(campaigns)),
                |near| format!("did you mean `{near}`?"),
            );
            map.wrong(
                "campaign",
                format!("no campaign is called `{name}` here"),
                way_out,
                said,
            );
        }
        let steps = map.need(
            "steps",
            "write what they do: `steps: [view, { event: draw }]`",
            said,
        );
        let steps = steps
            .map(|node| steps::read(node, said))
            .unwrap_or_default();
        if let Some(node) = map.get("steps")
            && !calls(&steps)
            && said.is_sound()
        {
            said.wrong(
                node.at,
                format!("{what} asks for nothing"),
                "give it a call, such as `view`",
            );
        }
        journeys.push(Journey {
            name: entry.key.clone(),
            share,
            campaign: campaign.unwrap_or(0),
            bots: map
                .read(
                    "bots",
                    |text| {
                        text.parse::<bool>()
                            .map_err(|_| "`true` or `false` is expected")
                    },
                    said,
                )
                .unwrap_or(false),
            steps,
        });
    }
    journeys
}

fn calls(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Think(..) => false,
        Step::Call(_) => true,
        Step::Repeat(_, most, steps) => *most > 0 && calls(steps),
    })
}

/// Bots and people both need somebody, and somewhere to go.
fn groups(top: &Map<'_>, population: &Population, journeys: &[Journey], said: &mut Said) {
    let bots = (population.users as f64 * population.bots).round() as u64;
    let (of_bots, of_people) = (
        journeys.iter().any(|journey| journey.bots),
        journeys.iter().any(|journey| !journey.bots),
    );
    let people = population.users.saturating_sub(bots);
    let (what, way_out) = match (bots, of_bots, people, of_people) {
        (0, true, ..) => (
            "a journey is for bots, and there are none",
            "write `bots: 2 %`",
        ),
        (1.., false, ..) => (
            "there are bots, and no journey is theirs",
            "write `bots: true` in a journey",
        ),
        (_, _, 0, true) => (
            "a journey is for people, and all users are bots",
            "lower `bots`",
        ),
        _ => return,
    };
    top.wrong("population", what, way_out, said);
}

fn limits(top: &Map<'_>, journeys: &[Journey], said: &mut Said) -> Vec<Limit> {
    let Some(node) = top.get("limits") else {
        return Vec::new();
    };
    let Kind::List(items) = &node.kind else {
        said.wrong(
            node.at,
            "limits are a list",
            "write `limits: [\"p99 < 50 ms\", \"errors < 0.1 %\"]`",
        );
        return Vec::new();
    };
    let mut names = Vec::new();
    for journey in journeys {
        named(&journey.steps, &mut names);
    }
    let mut limits = Vec::new();
    for item in items {
        let text = item.text().unwrap_or_default();
        match Limit::read(&text) {
            Ok(limit) => {
                if let Some(of) = limit.of.as_deref().filter(|of| !names.contains(of)) {
                    let way_out = near(of, names.iter().copied()).map_or_else(
                        || format!("they make {}", listed(&names)),
                        |near| format!("did you mean `{near}`?"),
                    );
                    said.wrong(
                        item.at,
                        format!("no journey makes a call named `{of}`"),
                        way_out,
                    );
                }
                limits.push(limit);
            }
            Err(unread) => said.wrong(item.at, unread.to_string(), ""),
        }
    }
    limits
}

fn named<'a>(steps: &'a [Step], names: &mut Vec<&'a str>) {
    for step in steps {
        let name = match step {
            Step::Think(..) => continue,
            Step::Repeat(_, _, steps) => {
                named(steps, names);
                continue;
            }
            Step::Call(ask) => ask.name(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

impl Ask {
    /// What a call is called in reports and limits: `page`, `view`, `grants`, `poster`, `preflight`, or the event's id.
    pub fn name(&self) -> &str {
        match self {
            Self::Page => "page",
            Self::View => "view",
            Self::Event { event, .. } => event,
            Self::Grants => "grants",
            Self::Poster { .. } => "poster",
            Self::Preflight { .. } => "preflight",
        }
    }
}
