//! A forecast of a draft, of a text, or of the file in the server's folder: what `gala simulate --json` says of it. Small
//! enough for a process that serves: one at a time, on a thread that may block, within bounds.

use std::time::{Duration, Instant};

use axum::response::Response;
use campaign::simulate::profile::{Profile, read};
use campaign::simulate::{Asked, Forecast, Plan};
use campaign::{Diagnostics, Source};
use function::problem::{Code, Problem, Words};
use function::registry::{Checked, Sent};
use machine::Definition;
use machine::calendar::day_number;
use serde::Deserialize;

use super::gate::{Visit, json as answer};
use super::revise::{NO_FILE, Nothing, checked, told, unsound};
use super::write::invalid;

/// The most people, days and runs, and people in all runs together.
const MOST_USERS: u32 = 200_000;
const MOST_DAYS: u32 = 92;
const MOST_RUNS: u32 = 50;
const MOST_PEOPLE: u64 = 2_000_000;

/// How many people, and in how many runs, where nobody says.
const USERS: u32 = 20_000;
const RUNS: u32 = 10;

/// After how long no further run is begun.
const MOST_TIME: Duration = Duration::from_secs(30);

/// When to come again while another forecast is made, in seconds.
const AGAIN_SECS: u32 = 5;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The draft of this version.
    draft: Option<u64>,
    /// Or this text.
    document: Option<String>,
    users: Option<u32>,
    days: Option<u32>,
    from: Option<chrono::NaiveDate>,
    seed: Option<u64>,
    runs: Option<u32>,
    /// A profile, as a file of `gala simulate --profile` says it.
    profile: Option<String>,
}

/// Forecasts.
pub(super) async fn simulate(visit: &Visit) -> Result<Response, Problem> {
    let Nothing {} = visit.query()?;
    let wanted: Wanted = visit.body()?;
    let busy = |_| {
        Problem::new(Code::Overloaded)
            .saying(BUSY)
            .retry_after(AGAIN_SECS)
    };
    let forecasts = visit.desk.forecasts.clone();
    let place = forecasts.try_acquire_owned().map_err(busy)?;
    let definition = definition(visit, &wanted).await?;
    let plan = plan(visit, definition, &wanted)?;
    // Whoever asked may go away: the place is taken until the last run that was begun has ended.
    let work = tokio::task::spawn_blocking(move || {
        let _place = place;
        make(&plan)
    });
    let made = work.await.map_err(|_| Problem::new(Code::Internal))?;
    Ok(answer(&made?.to_json()))
}

/// What is to be played.
async fn definition(visit: &Visit, wanted: &Wanted) -> Result<Definition, Problem> {
    let sent = match (wanted.draft, &wanted.document) {
        (Some(_), Some(_)) => return Err(invalid("/document", "a `draft` or a `document`")),
        (None, document) => Sent {
            document: document.clone().map(Into::into),
            ..Sent::default()
        },
        (Some(version), None) => {
            let draft = visit
                .store()
                .draft(visit.tenant_id(), visit.param("campaign"));
            let draft = visit.soon(draft).await?;
            let draft = draft.filter(|draft| draft.version == version);
            Sent::from(&*draft.ok_or_else(|| Problem::new(Code::StalePage))?.text)
        }
    };
    // No stories: they say what must come out, and a forecast what will.
    let sent = Sent {
        stories: Some(Vec::new()),
        ..sent
    };
    let published = visit.soon(visit.store().published()).await?;
    match checked(visit, &published, sent).await? {
        Checked::Sound(definition, ..) => Ok(*definition),
        Checked::Unsound(found) => Err(unsound(visit, &found)),
        Checked::Missing => Err(Problem::new(Code::NoSuchCampaign).saying(NO_FILE)),
    }
}

fn plan(visit: &Visit, definition: Definition, wanted: &Wanted) -> Result<Plan, Problem> {
    let profile = profile(visit, &definition, wanted)?;
    let users = wanted.users.or(profile.users).unwrap_or(USERS);
    let runs = wanted.runs.unwrap_or(RUNS);
    let rows = [
        ("/users", users, MOST_USERS),
        ("/days", wanted.days.unwrap_or(1), MOST_DAYS),
        ("/runs", runs, MOST_RUNS),
    ];
    for (pointer, number, most) in rows {
        if !(1..=most).contains(&number) {
            return Err(invalid(
                pointer,
                &format!("1 to {most} here; `gala simulate` plays more"),
            ));
        }
    }
    if u64::from(users) * u64::from(runs) > MOST_PEOPLE {
        let problem =
            format!("users times runs is at most {MOST_PEOPLE} here; `gala simulate` plays more");
        return Err(invalid("/runs", &problem));
    }
    let asked = Asked {
        users: Some(users),
        days: wanted.days.or(profile.days).map(|days| days.min(MOST_DAYS)),
        first: wanted.from.map(day_number),
        seed: wanted.seed.unwrap_or(1),
        runs: Some(runs),
    };
    Plan::new(definition, profile, &asked).map_err(|error| invalid("/from", &error.to_string()))
}

/// The assumptions.
fn profile(visit: &Visit, definition: &Definition, wanted: &Wanted) -> Result<Profile, Problem> {
    let Some(text) = &wanted.profile else {
        return Ok(Profile::default());
    };
    let campaign = campaign::link(definition.clone(), 1)
        .map_err(|error| invalid("/document", &error.to_string()))?;
    let mut said = Diagnostics::new();
    let source = Source::new("profile.yaml", text.as_str());
    let found = read(&source, &Profile::default(), &campaign, &mut said);
    found.ok_or_else(|| {
        invalid("/profile", "the profile has errors")
            .with("diagnostics", told(visit, &said.sorted()))
    })
}

fn make(plan: &Plan) -> Result<Forecast, Problem> {
    let begun = Instant::now();
    let mut runs = Vec::new();
    for number in 0..plan.runs {
        if begun.elapsed() > MOST_TIME {
            let problem = Problem::new(Code::NotPossible).saying(LONG);
            return Err(problem.with("runs_made", number));
        }
        let run = plan.run(number, || {});
        runs.push(run.map_err(|error| {
            tracing::warn!(%error, "a forecast came to no end");
            Problem::new(Code::RuleFailed).with("problem", error.to_string())
        })?);
    }
    Ok(Forecast::of(plan, &runs))
}

const BUSY: Words = Words {
    en: "Another forecast is being made; try again in a moment.",
    zh: "另一项预测正在进行，请稍后重试。",
};

const LONG: Words = Words {
    en: "This forecast takes too long here: ask for fewer users, days or runs, or make it with `gala simulate`.",
    zh: "该预测耗时过长，请减少人数、天数或次数，或使用 gala simulate。",
};
