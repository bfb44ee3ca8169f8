//! Stories: one participant's days, and what must come out of them. They run the real step and the real commit.

mod read;
mod reseed;
mod step;
mod tell;

use std::collections::BTreeMap;
use std::sync::Arc;

use machine::ids::Pseudonym;
use machine::input::{Payload, PayloadError, User};
use machine::model::{Campaign, Phase, Sender};
use machine::{Day, Millis, Value};

use crate::activity::{Activity, Example};
use crate::check::{Files, Input, check};
use crate::codec::link;
use crate::codes;
use crate::diagnostic::Diagnostics;
use crate::source::{Place, Source};
use crate::tables::Placed;
use crate::tenant::{self, Tenant};

pub use read::{KEYS, read};
pub use reseed::reseed;

/// A story.
#[derive(Debug, Clone)]
pub struct Story {
    /// Its name.
    pub name: String,
    user: User,
    lists: Vec<String>,
    facts: BTreeMap<String, Value>,
    team: BTreeMap<Day, u32>,
    /// The codes that stand on lists, each with its kind, and those that others have used.
    codes: BTreeMap<Pseudonym, Arc<str>>,
    used_codes: Vec<Pseudonym>,
    seed: u64,
    stock: BTreeMap<String, u32>,
    steps: Vec<Step>,
    place: Place,
}

/// A step of a story.
#[derive(Debug, Clone)]
struct Step {
    at: Millis,
    does: Does,
    expects: Expects,
    place: Place,
}

/// What a story's codes have their digests by: nobody's secret.
const SECRET: [u8; 32] = [0; 32];

/// What happens in a step.
#[derive(Debug, Clone)]
enum Does {
    /// Somebody sends an event.
    Event {
        event: u16,
        sender: Sender,
        payload: Result<Payload, PayloadError>,
        /// The code that somebody types, as they do; in the payload is its digest.
        code: Option<String>,
    },
    /// The draw from entries is made, or goes on, and this participant is told what it comes to for them.
    Drawn(Drawn),
    /// Time passes.
    Wait,
    /// The participant looks at their page; nothing is committed.
    Look,
}

/// What a draw from entries comes to for the participant. A story says it, as it says what others do: who is drawn depends on all.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Drawn {
    /// They won the unit of this slot, or come next and take it over.
    Won(u32),
    /// They come next.
    Alternate,
    /// They did not claim in time.
    Lapsed,
    /// They were not drawn, and are told nothing.
    NotWon,
}

/// What must come out; what is not said may be anything.
#[derive(Debug, Clone, Default)]
struct Expects {
    rejected: Option<Placed<String>>,
    outcome: Option<Placed<String>>,
    gives: Option<Placed<Vec<String>>>,
    emits: Option<Placed<Vec<String>>>,
    state: Option<Placed<String>>,
    context: Vec<(u16, Placed<Value>)>,
    phase: Option<Placed<Phase>>,
    eligible: Option<Placed<bool>>,
    possible: Option<Placed<Vec<String>>>,
}

/// How stories came out.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many were played.
    pub played: usize,
    /// The names of those that came out differently.
    pub failed: Vec<String>,
    /// What differed, each at its line.
    pub failures: Diagnostics,
}

/// Plays stories, each in a world of its own.
pub fn run(campaign: &Campaign, stories: &[Story]) -> Report {
    let mut report = Report::default();
    for story in stories {
        let before = report.failures.len();
        tell::tell(campaign, story, &mut report.failures);
        report.played += 1;
        if report.failures.len() > before {
            report.failed.push(story.name.clone());
        }
    }
    report
}

/// The tenant that activities' own stories play at.
const EXAMPLE_TENANT: &str = "
name: { zh-CN: 示例, en: Example }
timezone: Asia/Shanghai
currency: CNY
languages: [zh-CN, en]
keys: [{ kid: dev, alg: HS256, dev: true }]
claims:
  level: { type: int, default: 0 }
  tags: { type: list }
  signed_up: { type: time }
  class: { type: string }
  class_size: { type: int }
connectors: { crm: { kind: http, url: https://crm.example.com/gala/facts, secret: { env: CRM_SECRET } } }
";

/// The lists that this tenant has.
const EXAMPLE_LISTS: [&str; 3] = ["vip", "staff", "inner-test"];

/// The tenant that activities' own stories play at, with its lists.
pub fn example_tenant() -> Result<(Tenant, Files), Diagnostics> {
    let mut out = Diagnostics::new();
    let source = Source::new("the example tenant", EXAMPLE_TENANT);
    let tenant = tenant::read("example", &source, &mut out).filter(|_| !out.has_errors());
    let files = EXAMPLE_LISTS
        .iter()
        .map(|name| (format!("lists/{name}.csv"), Arc::from("")))
        .collect();
    tenant.map(|tenant| (tenant, files)).ok_or(out)
}

/// Checks an activity's own campaigns and plays their stories. What is wrong with a campaign comes back as an error.
pub fn examples(activity: &dyn Activity) -> Result<Report, Diagnostics> {
    let (tenant, files) = example_tenant()?;
    let mut all = Report::default();
    for example in activity.stories() {
        let report = one(activity, example, &tenant, &files)?;
        all.played += report.played;
        all.failed.extend(report.failed);
        all.failures.extend(report.failures);
    }
    Ok(all)
}

fn one(
    activity: &dyn Activity,
    example: &Example,
    tenant: &Tenant,
    files: &Files,
) -> Result<Report, Diagnostics> {
    let source = Source::new(format!("{}.yaml", example.name), example.campaign);
    let input = Input {
        campaign: example.name,
        source: source.clone(),
        tenant,
        files,
    };
    let checked = check(&input, &[activity]);
    let Some(definition) = checked.definition else {
        return Err(checked.diagnostics);
    };
    let mut out = Diagnostics::new();
    let campaign = link(definition, 1).map_err(|error| {
        out.error(codes::STORY, &Place::start_of(&source), error.to_string());
        std::mem::take(&mut out)
    })?;
    let stories = read(
        &Source::new(format!("{}.stories.yaml", example.name), example.stories),
        &campaign,
        &mut out,
    );
    if out.has_errors() {
        return Err(out.sorted());
    }
    Ok(run(&campaign, &stories))
}
