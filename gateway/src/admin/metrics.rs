//! `/metrics`: the counters as they are, the gauges of stock, budget and parked events as the store has them at this moment, and how the
//! process itself does (`process`).

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use function::http::{CALL_TIMEOUT, edge_problem};
use function::problem::{Code, Problem};
use function::telemetry::{budget_left, parked_events, pool_left, stock_left};
use machine::ids::Lane;
use machine::world::CounterKey;

use super::Desk;
use super::figures::left;

/// Answers a scrape.
pub(super) async fn scrape(State(desk): State<Arc<Desk>>) -> Response {
    let Some(handle) = &desk.metrics else {
        return edge_problem(Problem::new(Code::NotFound), &axum::http::HeaderMap::new());
    };
    // A store that is away must not take the other metrics with it.
    if tokio::time::timeout(CALL_TIMEOUT, refresh(&desk))
        .await
        .is_err()
    {
        tracing::warn!(
            "the gauges of stock and budget are as old as the last scrape: the store did not answer in time"
        );
    }
    let store = if desk.store.is_remote() {
        "redis"
    } else {
        "embedded"
    };
    let text = handle.render() + &super::process::lines(store);
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn refresh(desk: &Desk) {
    let snapshot = desk.registry.snapshot();
    for tenant in snapshot.tenants.keys() {
        match desk.store.parking(tenant).await {
            Ok(parking) => parked_events(tenant, parking.events.len(), parking.dropped),
            Err(error) => {
                tracing::warn!(%error, "the gauges of the store are as old as the last scrape");
                return;
            }
        }
        if let Err(error) = pools(desk, tenant).await {
            tracing::warn!(%error, "the gauges of pools are as old as the last scrape");
        }
    }
    for served in snapshot
        .tenants
        .values()
        .flat_map(|tenant| tenant.campaigns.values())
    {
        let digits = served
            .newest()
            .map_or(2, |campaign| campaign.currency.digits);
        for (lane, word) in [(Lane::Live, "live"), (Lane::Test, "test")] {
            let held = match desk.store.lane(&served.key(lane)).await {
                Ok(Some(held)) => held,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(%error, "the gauges of stock and budget are as old as the last scrape");
                    return;
                }
            };
            for (key, counter) in &held.counters {
                let left = left(counter);
                match key {
                    CounterKey::Stock(reward) => {
                        stock_left(
                            &served.tenant,
                            &served.campaign,
                            word,
                            reward,
                            left.unsigned_abs(),
                        );
                    }
                    CounterKey::Budget => {
                        let units = left as f64 / 10_f64.powi(i32::from(digits));
                        budget_left(&served.tenant, &served.campaign, word, units);
                    }
                    // A label per day would grow for ever.
                    CounterKey::BudgetDay(_)
                    | CounterKey::Quota(..)
                    | CounterKey::Stopped(_)
                    | CounterKey::Tally(..)
                    | CounterKey::Code(_)
                    | CounterKey::Entries(_) => {}
                }
            }
        }
    }
}

/// What is left in a tenant's pools of codes.
async fn pools(desk: &Desk, tenant: &str) -> Result<(), store::Error> {
    for (name, pool) in desk.store.pools(tenant).await? {
        let gone = match pool.owner() {
            Some(owner) => super::codes::gone(&*desk.store, tenant, owner).await?,
            None => 0,
        };
        pool_left(tenant, &name, pool.codes().saturating_sub(gone));
    }
    Ok(())
}
