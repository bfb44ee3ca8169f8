//! The tenant's lists: put from a file, whole or not at all; shown with where each comes from; taken away.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use function::fingerprint::Fingerprint;
use function::idempotency::Key;
use function::problem::{Code, Problem, Words};
use futures_util::StreamExt as _;
use machine::ids::{hex, is_id};
use machine::world::{Action, Admin, AdminOutcome, Done};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::gate::{Visit, json as answer};
use super::ledger::reader;
use super::row::utc;
use super::write::{IDEMPOTENCY_REPLAYED, change_because, invalid, refused};

use read::{Kind, Reading};

mod read;

/// How long the next piece of a file may take.
const PIECE: Duration = Duration::from_secs(30);

/// How long the store may take to have all of it.
const WHOLE: Duration = Duration::from_mins(5);

/// How many bytes a line may have, on average: what bounds a file, with how many members a list may have.
const LINE_BYTES: u64 = 300;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    of: Kind,
    #[serde(default)]
    empty: bool,
}

/// Puts a list: the file is read as it comes, and then the list is another, or nothing has changed.
pub(super) async fn put(visit: &Visit, body: Body) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let asked: Asked = visit.query()?;
    let name = visit.param("list");
    if !is_id(name) {
        return Err(invalid("/list", "1 to 64 of `a-z`, `0-9` and `-`"));
    }
    // A file may take hundreds of megabytes in memory: few at once.
    let _permit = reader(visit)?;
    let most = u64::from(visit.tenant.tenant.quotas.list_members);
    let too_much = || {
        Problem::new(Code::PayloadTooLarge)
            .saying(TOO_MUCH)
            .with("list_members", most)
    };
    let mut reading = Reading::new(asked.of, &visit.tenant.secret.0);
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    let mut pieces = body.into_data_stream();
    loop {
        let piece = tokio::time::timeout(PIECE, pieces.next()).await;
        let piece = match piece {
            Ok(None) => break,
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) | Err(_) => return Err(Problem::new(Code::BadRequest).saying(CUT_OFF)),
        };
        bytes += piece.len() as u64;
        hash.update(&piece);
        reading.take(&piece);
        if reading.rows() > most || bytes > most.saturating_mul(LINE_BYTES) {
            return Err(too_much());
        }
    }
    let sha256: [u8; 32] = hash.finalize().into();
    let read = tokio::task::spawn_blocking(move || reading.end()).await;
    let read = read.map_err(|_| Problem::new(Code::Internal))?;
    if read.members.is_empty() && !(asked.empty && read.lines.rejected == 0) {
        let rejects = &read.rejects;
        return Err(Problem::new(Code::InvalidPayload)
            .saying(NOBODY)
            .with("rejected", read.lines.rejected)
            .with("rejects", json!(rejects)));
    }
    let said = json!({
        "list": name,
        "of": asked.of.as_str(),
        "rows": read.lines.rows,
        "added": read.members.len(),
        "duplicates": read.lines.duplicates,
        "rejected": read.lines.rejected,
        "rejects": read.rejects,
        "sha256": hex(&sha256),
    });
    let what: Map<String, Json> = [
        ("sha256".to_owned(), json!(hex(&sha256))),
        ("of".to_owned(), json!(asked.of.as_str())),
    ]
    .into_iter()
    .collect();
    let fingerprint = Fingerprint::of(&format!("list {name}"), &what);
    let admin = Admin {
        tenant: visit.tenant_id().into(),
        by: visit.by.as_str().into(),
        at: visit.now,
        key: Some((key.as_str().into(), *fingerprint.as_bytes())),
        action: Action::PutList {
            list: name.into(),
            // Both are the store's to say.
            version: "".into(),
            members: 0,
            lines: read.lines,
            sha256,
        },
        why: None,
    };
    // In a task of its own: a caller that goes away stops nothing half-way.
    let (store, registry) = (visit.desk.store.clone(), visit.desk.registry.clone());
    let members = read.members;
    let work = tokio::spawn(async move {
        let outcome = store.put_list(Box::new(admin), members).await?;
        if matches!(outcome, AdminOutcome::Done(_))
            && let Err(error) = registry.refresh().await
        {
            tracing::warn!(%error, "a list that was put is not looked at by this process yet");
        }
        Ok::<_, store::Error>(outcome)
    });
    let Ok(Ok(outcome)) = tokio::time::timeout(WHOLE, work).await else {
        return Err(Problem::new(Code::OutcomeUnknown));
    };
    let with_entry = |done: &Done| {
        let mut said = said.clone();
        said["audit"] = json!(done.audit);
        answer(&said)
    };
    match outcome.map_err(|error| visit.store_failed(&error))? {
        AdminOutcome::Done(done) => Ok(with_entry(&done)),
        AdminOutcome::Replayed(body) => {
            let done: Done =
                serde_json::from_slice(&body).map_err(|_| Problem::new(Code::Internal))?;
            let mut response = with_entry(&done);
            response.headers_mut().insert(
                IDEMPOTENCY_REPLAYED,
                axum::http::HeaderValue::from_static("true"),
            );
            Ok(response)
        }
        AdminOutcome::Already => Ok(answer(&said)),
        AdminOutcome::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
        AdminOutcome::Refused(no) => Err(refused(&no)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// All lists, and where each comes from: what is in the store stands above a file of the folder.
pub(super) async fn all(visit: &Visit) -> Result<Response, Problem> {
    let Nothing {} = visit.query()?;
    let stored = visit.soon(visit.store().lists(visit.tenant_id())).await?;
    let files = visit.tenant.lists.iter();
    let mut lists: BTreeMap<String, Json> = files
        .map(|(name, members)| {
            let told = json!({ "list": name, "from": "file", "members": members.len() });
            (name.clone(), told)
        })
        .collect();
    for (name, list) in stored {
        let told = json!({
            "list": name,
            "from": "store",
            "members": list.members,
            "sha256": hex(&list.sha256),
            "at": utc(list.at),
            "by": list.by,
            "hides_file": lists.contains_key(&*name),
        });
        lists.insert(name.to_string(), told);
    }
    let lists: Vec<Json> = lists.into_values().collect();
    Ok(answer(&json!({ "lists": lists })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

/// Takes a list out of the store: a file of that name counts again, if there is one.
pub(super) async fn drop(visit: &Visit) -> Result<Response, Problem> {
    let key = Key::from_headers(&visit.parts.headers)?;
    let Nothing {} = visit.query()?;
    let Why { reason } = visit.body()?;
    let reason = super::revise::sound_reason(reason)?;
    let name = visit.param("list");
    let action = Action::DropList { list: name.into() };
    change_because(visit, &key, &format!("drop-list {name}"), action, reason).await
}

const TOO_MUCH: Words = Words {
    en: "The file is larger than this tenant's lists may be (`quotas.list_members`). Nothing was changed.",
    zh: "文件超过该租户名单的上限（quotas.list_members），未作任何更改。",
};

const CUT_OFF: Words = Words {
    en: "The file did not come to its end. Nothing was changed.",
    zh: "文件未完整上传，未作任何更改。",
};

const NOBODY: Words = Words {
    en: "No line of this file names anybody: is it the right file? `of=pseudonyms` reads pseudonyms, `empty=true` means an empty list. Nothing was changed.",
    zh: "文件中没有有效的成员，请确认文件；提交化名请使用 of=pseudonyms，确需空名单请使用 empty=true。未作任何更改。",
};
