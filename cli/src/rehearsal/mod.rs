//! A rehearsal: a whole campaign in minutes, before it opens, on an empty store in this process and with a clock that runs fast. Invented
//! people ([`campaign::simulate`]) call the real door; what comes of it stands beside the forecast, and its books are judged.
//!
//! Reading order: `clock` and `disk`, `set` (what serves), `codes` (what is in its pools), `caller` (a user's calls), `play` (who comes when), `books` (what was given, and whether
//! that is true), `compare` (beside the forecast), `table`. Nothing here reaches a server that anybody uses.

mod books;
mod caller;
mod clock;
mod codes;
mod compare;
mod disk;
mod play;
mod set;
mod table;

use std::path::Path;

use campaign::simulate::{Forecast, Plan};
use campaign::tenant::Tenant;
use machine::model::FactKind;
use serde_json::{Value as Json, json};

use self::books::{Books, Truth};
use self::caller::Told;
use self::compare::Figure;
use crate::failure::Failure;
use crate::out::Out;

pub use self::table::table;

/// A rehearsal that was played.
#[derive(Debug)]
pub struct Rehearsal {
    forecast: Forecast,
    books: Books,
    truth: Truth,
    told: Told,
    figures: Vec<Figure>,
    before: Option<String>,
    after: Option<String>,
    /// How long it took, in seconds.
    secs: f64,
}

/// Rehearses what a plan says, and puts its forecast beside it.
pub fn rehearse(
    configs: &Path,
    tenant: &Tenant,
    forecast: Forecast,
    out: Out,
) -> Result<Rehearsal, Failure> {
    playable(&forecast.plan)?;
    let began = std::time::Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::unreachable("runtime", error.to_string()))?;
    runtime.block_on(async {
        let played = play::play(configs, tenant, &forecast.plan, out).await?;
        let (books, mut truth) =
            books::read(&*played.set.store, &forecast.plan.definition, &played.told).await?;
        for (when, code, right) in [
            ("before the opening", &played.before, "not-open"),
            ("after the end", &played.after, "closed"),
        ] {
            if let Some(code) = code
                && code != right
            {
                truth.failed += 1;
                truth.words.push(format!(
                    "a call {when} was answered `{code}`, not `{right}`"
                ));
            }
        }
        Ok(Rehearsal {
            figures: compare::figures(&forecast, &books, &played.told),
            forecast,
            books,
            truth,
            told: played.told,
            before: played.before,
            after: played.after,
            secs: began.elapsed().as_secs_f64(),
        })
    })
}

/// What a rehearsal can't play, it does not pretend to.
fn playable(plan: &Plan) -> Result<(), Failure> {
    let definition = &plan.definition;
    let why = |fact: &FactKind| match fact {
        FactKind::Asked(asked) => Some(format!(
            "it asks a service of the tenant for `{}`, and a rehearsal calls nobody",
            asked.name
        )),
        FactKind::Redeem(_) => Some("users type codes, and invented people have none".to_owned()),
        FactKind::List(name) if plan.profile.lists.contains_key(name) => Some(format!(
            "the profile puts people on the list `{name}`, and the rehearsal has the real list, with nobody invented on it: take `lists` out of the profile"
        )),
        FactKind::List(_) | FactKind::Team(_) | FactKind::FirstSight(_) => None,
    };
    match definition.facts.iter().find_map(|fact| why(&fact.what)) {
        Some(why) => Err(Failure::usage(format!(
            "{}/{} can't be rehearsed: {why}; `gala simulate` forecasts it",
            definition.tenant, definition.campaign
        ))),
        None => Ok(()),
    }
}

impl Rehearsal {
    /// Whether the books are true.
    pub fn is_true(&self) -> bool {
        self.truth.holds()
    }

    /// The figures that the forecast did not see coming.
    pub fn surprises(&self) -> impl Iterator<Item = &Figure> {
        self.figures.iter().filter(|figure| !figure.holds())
    }

    /// As JSON.
    pub fn to_json(&self) -> Json {
        let truth = &self.truth;
        let definition = &self.forecast.plan.definition;
        json!({
            "tenant": definition.tenant,
            "campaign": definition.campaign,
            "edition": definition.edition,
            "currency": definition.currency.code,
            "users": self.forecast.plan.users,
            "days": self.forecast.days.len(),
            "seed": self.forecast.plan.seed,
            "secs": self.secs,
            "calls": self.told.calls,
            "visits": self.told.visits,
            "people": self.told.people,
            "put_off": self.told.put_off,
            "replayed": self.told.replayed,
            "rows": self.books.rows,
            "draws": self.books.draws,
            "before_opening": self.before,
            "after_end": self.after,
            "figures": compare::as_json(&self.figures, &self.forecast),
            "truth": {
                "holds": truth.holds(),
                "oversold": truth.oversold,
                "doubles": truth.doubles,
                "over_budget": definition.currency.decimal(truth.over_budget),
                "missing": truth.missing,
                "differences": truth.differences,
                "failed": truth.failed,
                "words": truth.words,
            },
            "as_forecast": self.surprises().next().is_none(),
        })
    }
}
