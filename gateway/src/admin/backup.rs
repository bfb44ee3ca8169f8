//! A copy of the whole store, made while serving.
//!
//! It holds all tenants' data and goes where the caller says, so it is made only for callers on this very machine (no
//! forwarding in between) with a publisher's token. It changes no tenant's state and so stands in no audit: it is logged.

use std::path::PathBuf;

use axum::response::Response;
use function::idempotency::Key;
use function::problem::{Code, Problem, Words};
use serde::Deserialize;
use serde_json::json;

use super::gate::{SCAN_TIMEOUT, Visit, json as answer};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    dest: PathBuf,
}

/// Copies everything durable into an empty folder.
pub(super) async fn backup(visit: &Visit) -> Result<Response, Problem> {
    if !visit.is_local() {
        return Err(Problem::new(Code::Forbidden).saying(LOCAL));
    }
    // Asked for as of every write. A repeat meets a folder that is not empty any more, and changes nothing.
    Key::from_headers(&visit.parts.headers)?;
    let To { dest } = visit.body()?;
    if !dest.is_absolute() {
        let problem = Problem::new(Code::InvalidPayload).with("pointer", "/dest");
        return Err(problem.with("problem", "an absolute path on the server's machine"));
    }
    let store = visit.desk.store.clone();
    // In a task of its own: a caller that goes away leaves no half of a copy.
    let work = tokio::spawn(async move { store.backup(dest).await });
    let copied = tokio::time::timeout(SCAN_TIMEOUT * 10, work).await;
    let Ok(Ok(copied)) = copied else {
        return Err(Problem::new(Code::OutcomeUnknown));
    };
    let (request_id, tenant) = (&visit.request_id, visit.tenant_id());
    match copied {
        Ok(copied) => {
            tracing::info!(request_id, tenant, dest = %copied.dest.display(), bytes = copied.bytes,
                "a publisher of {tenant} had a backup made (request {request_id})");
            Ok(answer(
                &json!({ "dest": copied.dest, "last_change": copied.last_change, "bytes": copied.bytes }),
            ))
        }
        // The caller sits at this machine and named the folder: what is wrong with it is theirs to know.
        Err(store::Error::Read(why)) if visit.store().health().failure.is_none() => {
            Err(Problem::new(Code::NotPossible)
                .saying(NO_COPY)
                .with("problem", why))
        }
        Err(error) => Err(visit.store_failed(&error)),
    }
}

/// Who calls from elsewhere.
const LOCAL: Words = Words {
    en: "A backup is made only for callers on the server's own machine.",
    zh: "仅允许在服务器本机发起备份。",
};

/// What is wrong stands beside.
const NO_COPY: Words = Words {
    en: "The backup was not made.",
    zh: "备份未完成。",
};
