//! A call of a router that ends: by its answer, by its time, or by a handler that broke.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt;
use tower::ServiceExt;

use crate::trouble::Trouble;

/// Calls the router; a handler that panics or is late is trouble, and neither ends the program.
pub(crate) async fn call(
    router: &Router,
    request: Request,
    deadline: Option<Instant>,
) -> Result<Response, Trouble> {
    let answered = router.clone().oneshot(request);
    in_time(answered, deadline)
        .await
        .map(|answered| match answered {
            Ok(response) => response,
            Err(never) => match never {},
        })
}

/// Waits for what may break or be late.
pub(crate) async fn in_time<T>(
    work: impl Future<Output = T>,
    deadline: Option<Instant>,
) -> Result<T, Trouble> {
    // A handler shares nothing with the next call but what has locks of its own.
    let work = AssertUnwindSafe(work).catch_unwind();
    let done = match deadline {
        Some(deadline) => match tokio::time::timeout_at(deadline.into(), work).await {
            Ok(done) => done,
            Err(_) => return Err(Trouble::Late),
        },
        None => work.await,
    };
    done.map_err(|_| Trouble::Panicked)
}
