//! A campaign in figures: who takes part, what is left of stock and budget.

use std::sync::Arc;

use axum::response::Response;
use function::problem::{Code, Problem};
use machine::ids::Lane;
use machine::model::Phase;
use machine::world::{Counter, CounterKey, Live, Pause, share_percent};
use machine::{Definition, Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::find::{self, Definitions};
use super::gate::{Visit, json as answer};
use super::row::{money, utc};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    edition: Option<u32>,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Stats<'a> {
    campaign: &'a str,
    edition: u32,
    activity: &'a str,
    revision: u32,
    live: Vec<Json>,
    phase: Phase,
    paused: Option<Json>,
    /// Whether all of the tenant is paused.
    tenant_paused: Option<Json>,
    /// The rewards of which nothing is given in the live lane.
    stopped: &'a [Arc<str>],
    /// What users are told without a stop.
    notice: Option<Json>,
    /// Whether the store gives less than the campaign declares, so that its events are answered 503.
    under_durable: bool,
    now: String,
    lanes: Vec<LaneStats<'a>>,
}

/// One lane's part of it.
#[derive(Debug, Serialize)]
struct LaneStats<'a> {
    lane: Lane,
    participants: u64,
    rows: u64,
    clock_offset_secs: i64,
    seed_hash: String,
    stock: Vec<Stock<'a>>,
    budget: Option<Money<'a>>,
    budget_today: Option<Money<'a>>,
}

/// A reward's units.
#[derive(Debug, Serialize)]
struct Stock<'a> {
    reward: &'a str,
    issued: i64,
    ceiling: i64,
    /// How many wait for a later release.
    held: i64,
    /// When the next of them are released.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_release: Option<String>,
    /// How many are to be had now.
    left: i64,
    /// Whether the pool that its codes come from runs low.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    low: bool,
}

/// A budget.
#[derive(Debug, Serialize)]
struct Money<'a> {
    spent: String,
    ceiling: String,
    left: String,
    currency: &'a str,
}

/// Answers with a campaign's figures.
pub(super) async fn stats(visit: &Visit) -> Result<Response, Problem> {
    let asked: Asked = visit.query()?;
    let found = find::campaign(visit, visit.param("campaign"), asked.edition).await?;
    let definition = visit.soon(Definitions::new(visit).newest(&found)).await?;
    let definition = definition.ok_or_else(|| Problem::new(Code::Internal))?;
    let mut lanes = Vec::new();
    for lane in [Lane::Live, Lane::Test] {
        let held = visit
            .soon(visit.store().lane(&find::key(&found, lane)))
            .await?;
        let held = held.ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
        lanes.push((lane, held));
    }
    let lane_stats = lanes
        .iter()
        .map(|(lane, held)| lane_stats(*lane, held, &definition, visit.now))
        .collect();
    Ok(answer(&Stats {
        campaign: &found.campaign,
        edition: found.edition,
        activity: &definition.activity,
        revision: found.newest,
        live: shares(&found.live),
        phase: phase(&definition, visit.now, found.stop()),
        paused: found.pause.as_ref().map(told),
        tenant_paused: found.tenant_pause.as_ref().map(told),
        stopped: &found.stopped,
        notice: found
            .notice
            .as_ref()
            .map(|notice| json!({ "text": notice.text.0, "until": notice.until.map(utc) })),
        under_durable: visit.store().falls_short(definition.durability).is_some(),
        now: definition.calendar.rfc3339(visit.now),
        lanes: lane_stats,
    }))
}

fn lane_stats<'a>(
    lane: Lane,
    held: &'a store::Lane,
    definition: &'a Definition,
    now: Millis,
) -> LaneStats<'a> {
    let clock = now.saturating_add(held.clock_offset);
    let stock = held.counters.iter().filter_map(|(key, counter)| match key {
        CounterKey::Stock(reward) => Some(stock(reward, counter, definition, clock)),
        CounterKey::Budget
        | CounterKey::BudgetDay(_)
        | CounterKey::Quota(..)
        | CounterKey::Stopped(_)
        | CounterKey::Tally(..)
        | CounterKey::Code(_)
        | CounterKey::Entries(_) => None,
    });
    let counter = |wanted: CounterKey| {
        held.counters
            .iter()
            .find(|(key, _)| *key == wanted)
            .map(|(_, counter)| *counter)
    };
    let currency = &definition.currency;
    let shown = |counter: Counter| Money {
        spent: money(Some(currency), counter.issued),
        ceiling: money(Some(currency), counter.ceiling),
        left: money(Some(currency), left(&counter)),
        currency: &currency.code,
    };
    let per_day = definition.budget.as_ref().and_then(|budget| budget.per_day);
    let today = definition.calendar.day(clock);
    // A day's counter begins with its first grant; its bound is the config's.
    let today = per_day.map(|ceiling| {
        let issued = counter(CounterKey::BudgetDay(today)).map_or(0, |counter| counter.issued);
        shown(Counter {
            issued,
            ceiling,
            configured: ceiling,
            shortfall: 0,
        })
    });
    LaneStats {
        lane,
        participants: held.participants,
        rows: held.rows,
        clock_offset_secs: held.clock_offset / 1000,
        seed_hash: machine::ids::hex(&held.seed.commitment()),
        stock: stock.collect(),
        budget: counter(CounterKey::Budget).map(shown),
        budget_today: today,
    }
}

fn stock<'a>(id: &'a str, counter: &Counter, definition: &Definition, clock: Millis) -> Stock<'a> {
    let reward = definition.rewards.iter().find(|reward| *reward.id == *id);
    let held = reward.map_or(0, |reward| i64::from(reward.held(clock)));
    let release = reward.and_then(|reward| reward.release.as_ref());
    let next = release
        .filter(|_| held > 0)
        .and_then(|release| release.next(clock));
    let to_come = left(counter);
    let low_water = reward.and_then(|reward| reward.pool.as_ref()?.low_water);
    Stock {
        low: low_water.is_some_and(|low_water| to_come <= i64::from(low_water)),
        reward: id,
        issued: counter.issued,
        ceiling: counter.ceiling,
        held,
        next_release: next.map(|at| definition.calendar.rfc3339(at)),
        left: to_come.saturating_sub(held).max(0),
    }
}

/// How much of a counter is left; never negative.
pub(super) fn left(counter: &Counter) -> i64 {
    counter.ceiling.saturating_sub(counter.issued).max(0)
}

/// The live revisions with their shares of the users, in percent too.
pub(super) fn shares(live: &[Live]) -> Vec<Json> {
    let one = |live: &Live| {
        let percent = format!("{}%", share_percent(live.share));
        json!({ "revision": live.revision, "share": live.share, "percent": percent })
    };
    live.iter().map(one).collect()
}

/// The phase, stops included.
pub(super) fn phase(definition: &Definition, now: Millis, pause: Option<&Pause>) -> Phase {
    match definition.window.phase(now) {
        Phase::Open if pause.is_some_and(|pause| pause.event.is_none()) => Phase::Paused,
        phase => phase,
    }
}

/// A stop, as staff see it.
pub(super) fn told(pause: &Pause) -> Json {
    json!({
        "reason": pause.reason,
        "notice": pause.notice,
        "until": pause.until.map(utc),
        "event": pause.event,
    })
}
