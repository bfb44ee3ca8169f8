//! Plays a scenario while the target's metrics are looked at: once, or again and again in search of the highest rate that holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use loadtest::engine;
use loadtest::find::{self, Found, Search, Tried};
use loadtest::judge::Book;
use loadtest::live::Live;
use loadtest::run::Run;
use loadtest::scenario::{Phase, Scenario, Shape};
use loadtest::server::{Server, Watch};

use super::play::Play;
use crate::failure::Failure;
use crate::out::Out;

/// How scenarios are played here.
pub struct Player<'a> {
    /// Where, and as whom.
    pub ask: &'a engine::Ask,
    /// Where the target's metrics are.
    pub admin: Option<&'a str>,
    /// Set when a run is to end.
    pub stop: Arc<AtomicBool>,
    /// Whom to tell how it goes.
    pub out: Out,
}

/// What was played.
pub struct Played {
    /// What was measured; of a search, at the rate that the report is about.
    pub run: Run,
    /// What the target's metrics said meanwhile.
    pub server: Option<Server>,
    /// All that was answered; of a search, at all rates.
    pub book: Book,
    /// When the first call was due, RFC 3339; of a search, the first of all.
    pub began_at: String,
}

impl Player<'_> {
    /// Plays it once.
    pub fn play(&self, scenario: &Scenario) -> Result<Played, Failure> {
        self.play_as(scenario, self.ask)
    }

    fn play_as(&self, scenario: &Scenario, ask: &engine::Ask) -> Result<Played, Failure> {
        let watch = self
            .admin
            .map(|admin| Watch::start(admin, None))
            .transpose();
        let watch = watch.map_err(|error| Failure::unreachable("metrics", error.to_string()))?;
        let began = Instant::now() + ask.lead(SystemTime::now());
        let mut live = Live::new();
        let books = |_| Book::new(scenario);
        let played = engine::play(scenario, ask, &self.stop, books, &mut |tick| {
            if !self.out.json {
                live.show(tick);
            }
        });
        let (run, books) = played.map_err(|error| failed(&error))?;
        Ok(Played {
            server: watch.map(|watch| watch.stop(began)),
            book: Book::join(books).unwrap_or_else(|| Book::new(scenario)),
            began_at: run.began_at.clone(),
            run,
        })
    }
}

/// Searches the highest rate that holds. The report is about the highest that did, or about the last one tried.
pub fn search(
    scenario: &Scenario,
    player: &Player<'_>,
    args: &Play,
) -> Result<(Played, Found), Failure> {
    let mut books = Vec::new();
    let (mut began_at, mut came) = (None, 0_u64);
    let mut best: Option<(bool, f64, Run, Option<Server>)> = None;
    let mut found = find::search(Search::from(f64::from(args.find_from)), |rate| {
        if player.stop.load(Ordering::Relaxed) {
            return Err(Failure::check("stopped", "the search was stopped by hand"));
        }
        player.out.note(format!(
            "{} journeys a second",
            loadtest::limit::short(rate)
        ));
        // Users who have drawn all their chances at one rate would make the next one look easy: others come.
        let ask = engine::Ask {
            after: came,
            ..player.ask.clone()
        };
        let played = player.play_as(&at(scenario, rate, args.find_secs), &ask)?;
        came += (rate * args.find_secs as f64).ceil() as u64;
        let tried = Tried::of(rate, &played.run, played.server.as_ref(), &scenario.limits);
        began_at.get_or_insert(played.began_at);
        books.push(played.book);
        let held = tried.held();
        let better = best
            .as_ref()
            .is_none_or(|(was, most, ..)| if held { !was || rate > *most } else { !was });
        if better {
            best = Some((held, rate, played.run, played.server));
        }
        Ok(tried)
    })?;
    if came > scenario.population.users {
        found.because = format!(
            "{} The {came} journeys of the search were those of {} users, some of whom came again: name more, or answers that cost little are measured.",
            found.because, scenario.population.users
        );
    }
    let (_, _, run, server) =
        best.ok_or_else(|| Failure::check("nothing-tried", "no rate was tried"))?;
    let played = Played {
        server,
        book: Book::join(books).unwrap_or_else(|| Book::new(scenario)),
        began_at: began_at.unwrap_or_else(|| run.began_at.clone()),
        run,
    };
    Ok((played, found))
}

/// The scenario at one rate, in journeys a second.
fn at(scenario: &Scenario, rate: f64, secs: u64) -> Scenario {
    let shape = Shape::Ramp {
        from: rate,
        to: rate,
        lasts: Duration::from_secs(secs),
    };
    Scenario {
        arrivals: vec![Phase {
            name: format!("{}/s", loadtest::limit::short(rate)),
            shape,
        }],
        ..scenario.clone()
    }
}

fn failed(error: &engine::Error) -> Failure {
    let said = error.to_string();
    match error {
        engine::Error::Target { .. } | engine::Error::Part(..) => Failure::usage(said),
        engine::Error::Mint { .. } => Failure::check("no-signing-key", said),
        engine::Error::Unreachable { .. } | engine::Error::Tls { .. } => {
            Failure::unreachable("target", said)
        }
        engine::Error::Files { .. } | engine::Error::Io { .. } | engine::Error::Thread => {
            Failure::unreachable("generator", said)
        }
    }
}
