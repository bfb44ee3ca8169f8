//! What operators see: logs on standard error, metrics for Prometheus. Neither holds personal data: no member
//! ids, addresses, tokens or bodies.

pub mod logs;
pub mod meters;

pub use logs::{Access, AccessLog, Format, LogError, init_logs};
pub use meters::{
    MetricsError, PrometheusHandle, RouteMetrics, Tried, budget_left, init_metrics, parked_events,
    pool_left, stock_left,
};
