//! What others say of a draft: good, or not like this. Who wrote in it approves nothing of it (the store says so); whether a
//! tenant's drafts need it stands in its `tenant.yaml`.

use axum::response::Response;
use function::idempotency::Key;
use function::problem::Problem;
use machine::world::DraftDeed;
use serde::Deserialize;

use super::draft::deed;
use super::gate::Visit;
use super::revise::{Nothing, sound_reason};
use super::write::invalid;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approve {
    draft: u64,
    comment: Option<String>,
}

/// Approves of the draft of just this version; an objection of the same person is taken back by that.
pub(super) async fn approve(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let Approve { draft, comment } = visit.body()?;
    let comment = words(comment)?;
    let approve = DraftDeed::Approve {
        version: draft,
        comment: comment.map(Into::into),
    };
    deed(visit, &key, "approve", approve, None).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    draft: u64,
    comment: Option<String>,
    #[serde(default)]
    lift: bool,
}

/// Asks for changes of the draft, or takes that back. What an edit changed is for whoever asked to judge.
pub(super) async fn object(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let Object {
        draft,
        comment,
        lift,
    } = visit.body()?;
    let comment = words(comment)?;
    if comment.is_some() == lift {
        let problem = "say which changes (`comment`), or `lift` what you asked for";
        return Err(invalid("/comment", problem));
    }
    let object = DraftDeed::Object {
        version: draft,
        comment: comment.map(Into::into),
    };
    deed(visit, &key, "object", object, None).await
}

fn words(comment: Option<String>) -> Result<Option<String>, Problem> {
    sound_reason(comment).map_err(|_| invalid("/comment", "1 to 500 characters"))
}
