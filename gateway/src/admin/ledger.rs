//! The ledger as a stream of NDJSON: however long it is, a page at a time is in memory.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use function::problem::{Code, Problem};
use futures_util::stream::try_unfold;
use machine::ids::{CampaignKey, Lane};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::find::{self, Definitions};
use super::gate::{SCAN_TIMEOUT, Visit};
use super::row::Line;

/// How many rows are read at once.
const PAGE: u64 = 1000;

/// How many rows the ledger had when the answer began; a stream that ends before its last row was cut off.
const GALA_ROWS: HeaderName = HeaderName::from_static("gala-rows");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    campaign: String,
    edition: Option<u32>,
    #[serde(default)]
    lane: Lane,
    after: Option<u64>,
    limit: Option<u64>,
}

/// Sends the rows after number `after`, at most `limit`, up to the last one there was when the call came in.
pub(super) async fn ledger(visit: Visit) -> Result<Response, Problem> {
    let asked: Asked = visit.query()?;
    let found = find::campaign(&visit, &asked.campaign, asked.edition).await?;
    let key = find::key(&found, asked.lane);
    let lane = visit
        .soon(visit.store().lane(&key))
        .await?
        .ok_or_else(|| Problem::new(Code::NoSuchCampaign))?;
    let next = asked.after.map_or(0, |after| after.saturating_add(1));
    let end = lane
        .rows
        .min(next.saturating_add(asked.limit.unwrap_or(u64::MAX)));
    let permit = reader(&visit)?;
    let pages = Pages {
        definitions: Definitions::new(&visit),
        visit,
        key,
        next,
        end,
        _permit: permit,
    };
    let mut response = Response::new(Body::from_stream(try_unfold(pages, Pages::page)));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    headers.insert(GALA_ROWS, HeaderValue::from(lane.rows));
    Ok(response)
}

/// A place among those who read the log.
pub(super) fn reader(visit: &Visit) -> Result<OwnedSemaphorePermit, Problem> {
    visit
        .desk
        .readers
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::new(Code::Overloaded))
}

/// Rows still to be sent.
struct Pages {
    visit: Visit,
    definitions: Definitions,
    key: CampaignKey,
    next: u64,
    end: u64,
    _permit: OwnedSemaphorePermit,
}

impl Pages {
    async fn page(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if self.next >= self.end {
            return Ok(None);
        }
        let most = PAGE.min(self.end - self.next) as usize;
        let read = self.visit.store().ledger(&self.key, self.next, most);
        let rows = tokio::time::timeout(SCAN_TIMEOUT, read)
            .await
            .map_err(io::Error::other)?;
        let rows = rows.map_err(|error| self.cut_off(&error.to_string()))?;
        let Some(last) = rows.last() else {
            return Err(self.cut_off("rows are missing that were there when the answer began"));
        };
        self.next = last.number.saturating_add(1);
        let mut out = Vec::with_capacity(rows.len() * 512);
        for row in &rows {
            let definition = self
                .definitions
                .of(&row.campaign.campaign, row.campaign.edition, row.revision)
                .await;
            let definition = definition.map_err(|error| self.cut_off(&error.to_string()))?;
            serde_json::to_writer(&mut out, &Line::new(row, definition.as_deref()))?;
            out.push(b'\n');
        }
        Ok(Some((Bytes::from(out), self)))
    }

    /// The answer is under way: all that is left is to break it off, so that nobody takes a part for the whole.
    fn cut_off(&self, error: &str) -> io::Error {
        let request_id = &self.visit.request_id;
        tracing::error!(request_id, campaign = %self.key, error, "a ledger was cut off at row {}", self.next);
        io::Error::other("the ledger could not be read to its end")
    }
}
