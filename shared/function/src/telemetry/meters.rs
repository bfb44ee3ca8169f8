//! Metrics. Labels come from configs and from closed lists only: never from what a client sends.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

pub use metrics_exporter_prometheus::PrometheusHandle;

use crate::served::Served;

const REQUESTS: &str = "gala_http_requests_total";
const SECONDS: &str = "gala_http_request_seconds";
const REJECTIONS: &str = "gala_rejections_total";
const GRANTS: &str = "gala_grants_total";
const COMMIT_TRIES: &str = "gala_commit_tries_total";
const COMMIT_SECONDS: &str = "gala_commit_seconds";
const UNDER_WAY: &str = "gala_calls_under_way";
const FUNCTION_FAILURES: &str = "gala_function_failures_total";
const RELAYED: &str = "gala_relayed_total";
const RELAY_BEHIND: &str = "gala_relay_behind_rows";
const STOCK_LEFT: &str = "gala_stock_left";
const POOL_LEFT: &str = "gala_pool_left";
const BUDGET_LEFT: &str = "gala_budget_left";
const LOOKUPS: &str = "gala_lookups_total";
const LOOKUP_SECONDS: &str = "gala_lookup_seconds";
const PARKED: &str = "gala_parked_events";
const PARKED_DROPPED: &str = "gala_parked_events_dropped";
const POSTERS: &str = "gala_posters_total";
const POSTER_SECONDS: &str = "gala_poster_render_seconds";
const POSTER_QUEUE: &str = "gala_poster_queue";
const POSTER_WARNINGS: &str = "gala_poster_warnings_total";
const POSTER_PICTURES: &str = "gala_poster_pictures_total";

/// Upper bounds of the latency buckets, in seconds: fine where our promises are, coarse beyond.
const BUCKETS: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
];

/// Starts collecting metrics; the handle renders them. Can be called once in a process.
///
/// Call [`PrometheusHandle::run_upkeep`] from a timer, about every five seconds: without it histograms keep
/// each single value until the next scrape.
pub fn init_metrics() -> Result<PrometheusHandle, MetricsError> {
    let handle = builder()?
        .install_recorder()
        .map_err(|error| MetricsError(error.to_string()))?;
    describe();
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, MetricsError> {
    // By name and not for all: a histogram without buckets would silently become a summary, which cannot be added up.
    PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)
        })
        .map_err(|error| MetricsError(error.to_string()))
}

fn describe() {
    describe_counter!(REQUESTS, "Calls answered, by route and status.");
    describe_histogram!(SECONDS, "Seconds from the head of a request to its answer.");
    describe_counter!(REJECTIONS, "Calls that were told no, by code.");
    describe_counter!(GRANTS, "Rewards granted.");
    describe_counter!(COMMIT_TRIES, "Tries to commit, by outcome.");
    describe_histogram!(
        COMMIT_SECONDS,
        "Seconds that the store took for a try to commit, whatever its outcome."
    );
    describe_gauge!(
        UNDER_WAY,
        "Calls that the door let in and that are not answered yet."
    );
    describe_counter!(
        FUNCTION_FAILURES,
        "Tries to call a function elsewhere that had no answer, by kind."
    );
    describe_counter!(
        RELAYED,
        "Messages of one campaign that another listens for, by what became of them."
    );
    describe_gauge!(
        RELAY_BEHIND,
        "Rows of a source's ledger that are not yet relayed to a listener."
    );
    describe_counter!(
        LOOKUPS,
        "Facts that a tenant's service was to be asked for, in one call, by what came of it."
    );
    describe_histogram!(LOOKUP_SECONDS, "Seconds that calls for facts took.");
    describe_counter!(
        POSTERS,
        "Posters that were asked for, by what became of it."
    );
    describe_histogram!(
        POSTER_SECONDS,
        "Seconds that a thread took to draw and encode a poster, by format."
    );
    describe_gauge!(POSTER_QUEUE, "Posters that wait for a thread.");
    describe_counter!(
        POSTER_WARNINGS,
        "What posters had to go without, or could not show as it was said, by kind."
    );
    describe_counter!(
        POSTER_PICTURES,
        "Pictures that posters fetched from the network, by what came of it."
    );
    describe_gauge!(STOCK_LEFT, "Units of a reward that are left.");
    describe_gauge!(POOL_LEFT, "Codes of a pool that were not handed out.");
    describe_gauge!(
        BUDGET_LEFT,
        "What is left of a budget, in the tenant's currency."
    );
    describe_gauge!(PARKED, "Events that could not be delivered and are kept.");
    describe_gauge!(
        PARKED_DROPPED,
        "Events that could not be delivered and were let go because newer ones came."
    );
}

/// Why metrics did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("metrics did not start: {0}")]
pub struct MetricsError(String);

/// The statuses that an answer of ours can have; a proxy's others are counted together.
const STATUSES: [u16; 22] = [
    200, 204, 206, 302, 304, 400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 415, 422, 429, 500,
    502, 503, 504,
];

/// The metrics of one route of one campaign, looked up once: recording a call is two atomic writes.
#[derive(Debug)]
pub struct RouteMetrics {
    labels: [(&'static str, String); 3],
    seconds: Histogram,
    /// One per status, then one for all others; made when first used, so that no series stands at zero.
    requests: [OnceLock<Counter>; STATUSES.len() + 1],
}

impl RouteMetrics {
    /// The metrics of `route`: the route's name (`event`, `view`), never a path. Make it after [`init_metrics`].
    pub fn new(tenant: &str, campaign: &str, route: &'static str) -> Self {
        let labels = [
            ("tenant", tenant.to_owned()),
            ("campaign", campaign.to_owned()),
            ("route", route.to_owned()),
        ];
        Self {
            seconds: histogram!(SECONDS, &labels),
            labels,
            requests: [const { OnceLock::new() }; STATUSES.len() + 1],
        }
    }

    /// Counts one call.
    pub fn record(&self, status: u16, took: Duration) {
        let at = STATUSES
            .iter()
            .position(|known| *known == status)
            .unwrap_or(STATUSES.len());
        let counter = self.requests[at].get_or_init(|| {
            let status = STATUSES
                .get(at)
                .map_or_else(|| "other".to_owned(), u16::to_string);
            let [tenant, campaign, route] = self.labels.clone();
            counter!(REQUESTS, &[tenant, campaign, route, ("status", status)])
        });
        counter.increment(1);
        self.seconds.record(took.as_secs_f64());
    }
}

/// What became of one try to commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Written.
    Committed,
    /// Done before; its answer was given again.
    Replayed,
    /// The key had been used for something else.
    KeyReused,
    /// The participant had moved on.
    Stale,
    /// A counter had reached its bound.
    Exhausted,
    /// Another revision is live.
    Superseded,
    /// The campaign is paused.
    Paused,
    /// A counter is missing.
    Frozen,
    /// The store says that nothing was written.
    NotWritten,
    /// The store cannot say.
    Unknown,
}

impl Tried {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Replayed => "replayed",
            Self::KeyReused => "key-reused",
            Self::Stale => "stale",
            Self::Exhausted => "exhausted",
            Self::Superseded => "superseded",
            Self::Paused => "paused",
            Self::Frozen => "frozen",
            Self::NotWritten => "not-written",
            Self::Unknown => "unknown",
        }
    }
}

/// Counts a call that was told no. `code` is one of ours or the config's own.
pub fn rejection(tenant: &str, campaign: &str, code: &str) {
    let labels = [
        ("tenant", tenant.to_owned()),
        ("campaign", campaign.to_owned()),
        ("code", code.to_owned()),
    ];
    counter!(REJECTIONS, &labels).increment(1);
}

/// Counts a reward that was granted.
pub fn grant(tenant: &str, campaign: &str, reward: &str) {
    let labels = [
        ("tenant", tenant.to_owned()),
        ("campaign", campaign.to_owned()),
        ("reward", reward.to_owned()),
    ];
    counter!(GRANTS, &labels).increment(1);
}

/// Counts a try to commit.
pub fn commit_try(tried: Tried) {
    counter!(COMMIT_TRIES, "outcome" => tried.as_str()).increment(1);
}

/// Notes how long the store took for a try to commit, also for one that failed.
pub fn commit_took(took: Duration) {
    histogram!(COMMIT_SECONDS).record(took.as_secs_f64());
}

/// How many calls are under way at the door, looked up once.
#[derive(Debug, Clone)]
pub struct UnderWay(Gauge);

impl UnderWay {
    /// Make it after [`init_metrics`].
    pub fn new() -> Self {
        Self(gauge!(UNDER_WAY))
    }

    /// Counts a call until what is given back is dropped.
    pub fn enter(&self) -> Entered<'_> {
        self.0.increment(1.0);
        Entered(&self.0)
    }
}

impl Default for UnderWay {
    fn default() -> Self {
        Self::new()
    }
}

/// A call that is under way; over when dropped, also where its client went away.
#[derive(Debug)]
pub struct Entered<'a>(&'a Gauge);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Counts a try to call a function elsewhere that had no answer. `address` is the config's, `kind` from a closed list.
pub fn function_failure(activity: &'static str, address: &str, kind: &'static str) {
    let labels = [
        ("activity", activity.to_owned()),
        ("address", address.to_owned()),
        ("kind", kind.to_owned()),
    ];
    counter!(FUNCTION_FAILURES, &labels).increment(1);
}

/// What became of a message that a campaign listens for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relayed {
    /// It had its effect.
    Taken,
    /// It had had it before, or is not listened for under this user's revision.
    Repeated,
    /// The rules said no, for good.
    Rejected,
    /// It could never be taken, and is parked.
    Parked,
    /// It waits, and what comes after it with it.
    Held,
}

impl Relayed {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Repeated => "repeated",
            Self::Rejected => "rejected",
            Self::Parked => "parked",
            Self::Held => "held",
        }
    }
}

/// Counts a message from `source` to a campaign.
pub fn relayed(listener: &Served, source: &str, became: Relayed) {
    let labels = [
        ("tenant", listener.tenant.to_string()),
        ("campaign", listener.campaign.to_string()),
        ("source", source.to_owned()),
        ("outcome", became.as_str().to_owned()),
    ];
    counter!(RELAYED, &labels).increment(1);
}

/// Shows how far a listener is behind what a source has emitted.
pub fn relay_behind(tenant: &str, campaign: &str, source: &str, rows: u64) {
    let labels = [
        ("tenant", tenant.to_owned()),
        ("campaign", campaign.to_owned()),
        ("source", source.to_owned()),
    ];
    gauge!(RELAY_BEHIND, &labels).set(rows as f64);
}

/// What came of asking a tenant's service for facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It said all that was asked for.
    Answered,
    /// It answered, and something of it was missing or of another type.
    Partly,
    /// It had said so a moment ago.
    Kept,
    /// It did not answer in time.
    Late,
    /// It could not be reached, or its answer could not be used.
    Failed,
    /// As many calls as may be were under way.
    Busy,
    /// It had failed several times in a row and is left alone.
    Resting,
}

impl Found {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Partly => "partly",
            Self::Kept => "kept",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::Resting => "resting",
        }
    }
}

/// Counts what came of asking a tenant's service; where it was called, how long that took.
pub fn looked_up(tenant: &str, connector: &str, found: Found, took: Duration) {
    let labels = [
        ("tenant", tenant.to_owned()),
        ("connector", connector.to_owned()),
    ];
    if !took.is_zero() {
        histogram!(LOOKUP_SECONDS, &labels).record(took.as_secs_f64());
    }
    let [tenant, connector] = labels;
    let labels = [tenant, connector, ("result", found.as_str().to_owned())];
    counter!(LOOKUPS, &labels).increment(1);
}

/// What became of a poster that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// It was drawn.
    Rendered,
    /// It had been drawn before, or was being drawn for somebody else.
    Cached,
    /// The client had it.
    NotModified,
    /// Too many were asked for.
    Refused,
    /// It could not be drawn.
    Failed,
}

impl Drawn {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rendered => "rendered",
            Self::Cached => "cached",
            Self::NotModified => "not-modified",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Counts a poster that was asked for.
pub fn poster(tenant: &str, campaign: &str, became: Drawn) {
    let labels = [
        ("tenant", tenant.to_owned()),
        ("campaign", campaign.to_owned()),
        ("outcome", became.as_str().to_owned()),
    ];
    counter!(POSTERS, &labels).increment(1);
}

/// Notes how long a thread took for a poster.
pub fn poster_took(format: &'static str, took: Duration) {
    histogram!(POSTER_SECONDS, "format" => format).record(took.as_secs_f64());
}

/// Shows how many posters wait for a thread.
pub fn poster_queue(waiting: usize) {
    gauge!(POSTER_QUEUE).set(waiting as f64);
}

/// Counts what a poster had to go without. `kind` is from a closed list.
pub fn poster_warning(tenant: &str, campaign: &str, kind: &'static str) {
    let labels = [
        ("tenant", tenant.to_owned()),
        ("campaign", campaign.to_owned()),
        ("kind", kind.to_owned()),
    ];
    counter!(POSTER_WARNINGS, &labels).increment(1);
}

/// Counts a picture that was to be fetched for a poster. `result` is from a closed list.
pub fn poster_picture(tenant: &str, result: &'static str) {
    let labels = [("tenant", tenant.to_owned())];
    let [tenant] = labels;
    counter!(POSTER_PICTURES, &[tenant, ("result", result.to_owned())]).increment(1);
}

/// Shows how many units of a reward are left.
pub fn stock_left(tenant: &str, campaign: &str, lane: &'static str, reward: &str, units: u64) {
    let labels = [
        ("tenant", tenant.to_owned()),
        ("campaign", campaign.to_owned()),
        ("lane", lane.to_owned()),
        ("reward", reward.to_owned()),
    ];
    gauge!(STOCK_LEFT, &labels).set(units as f64);
}

/// Shows how many codes of a pool were not handed out.
pub fn pool_left(tenant: &str, pool: &str, codes: u64) {
    let labels = [("tenant", tenant.to_owned()), ("pool", pool.to_owned())];
    gauge!(POOL_LEFT, &labels).set(codes as f64);
}

/// Shows what is left of a budget, in units of the tenant's currency. For a curve only: money is counted elsewhere.
pub fn budget_left(tenant: &str, campaign: &str, lane: &'static str, amount: f64) {
    let labels = [
        ("tenant", tenant.to_owned()),
        ("campaign", campaign.to_owned()),
        ("lane", lane.to_owned()),
    ];
    gauge!(BUDGET_LEFT, &labels).set(amount);
}

/// Shows how many of a tenant's events are parked, and how many were let go because newer ones came.
pub fn parked_events(tenant: &str, kept: usize, dropped: u64) {
    let labels = [("tenant", tenant.to_owned())];
    gauge!(PARKED, &labels).set(kept as f64);
    gauge!(PARKED_DROPPED, &labels).set(dropped as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(record: impl FnOnce()) -> String {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            record();
        });
        handle.render()
    }

    #[test]
    fn histograms_not_summaries() {
        let text = rendered(|| {
            let route = RouteMetrics::new("acme", "spring", "event");
            route.record(200, Duration::from_micros(700));
            route.record(200, Duration::from_millis(3));
            route.record(503, Duration::from_secs(9));
            route.record(299, Duration::ZERO);
        });
        for line in [
            "# TYPE gala_http_request_seconds histogram",
            r#"gala_http_requests_total{tenant="acme",campaign="spring",route="event",status="200"} 2"#,
            r#"gala_http_requests_total{tenant="acme",campaign="spring",route="event",status="503"} 1"#,
            r#"gala_http_requests_total{tenant="acme",campaign="spring",route="event",status="other"} 1"#,
            r#"gala_http_request_seconds_bucket{tenant="acme",campaign="spring",route="event",le="0.001"} 2"#,
            r#"gala_http_request_seconds_bucket{tenant="acme",campaign="spring",route="event",le="+Inf"} 4"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(
            !text.contains("quantile") && !text.contains(r#"status="404""#),
            "{text}"
        );
    }

    #[test]
    fn what_operators_watch() {
        let text = rendered(|| {
            rejection("acme", "spring", "sold-out");
            grant("acme", "spring", "coupon");
            commit_try(Tried::Stale);
            commit_try(Tried::Committed);
            commit_took(Duration::from_millis(3));
            let door = UnderWay::new();
            drop(door.enter());
            // Still under way when the text is made.
            std::mem::forget(door.enter());
            stock_left("acme", "spring", "live", "coupon", 41);
            budget_left("acme", "spring", "live", 12.5);
        });
        for line in [
            r#"gala_rejections_total{tenant="acme",campaign="spring",code="sold-out"} 1"#,
            r#"gala_grants_total{tenant="acme",campaign="spring",reward="coupon"} 1"#,
            r#"gala_commit_tries_total{outcome="stale"} 1"#,
            r#"gala_commit_seconds_bucket{le="0.002"} 0"#,
            r#"gala_commit_seconds_bucket{le="0.005"} 1"#,
            "gala_commit_seconds_count 1",
            "gala_calls_under_way 1",
            r#"gala_stock_left{tenant="acme",campaign="spring",lane="live",reward="coupon"} 41"#,
            r#"gala_budget_left{tenant="acme",campaign="spring",lane="live"} 12.5"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    /// `cargo test --release -p function -- --ignored --nocapture cost`
    #[test]
    #[ignore = "a measurement, not a test"]
    fn cost_of_a_record() {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let route = RouteMetrics::new("acme", "spring", "event");
            let start = std::time::Instant::now();
            for _ in 0..1_000_000 {
                route.record(200, Duration::from_micros(700));
            }
            println!(
                "route record: {} ns",
                start.elapsed().as_nanos() / 1_000_000
            );
        });
    }
}
