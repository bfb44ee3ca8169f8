//! Reads the target's own books, over HTTP: its ledger line by line, a campaign's figures, its public page, a user's grants. What is read
//! here is judged in `reckon`.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use serde::de::DeserializeOwned;

use super::Error;
use super::row::{Grants, LaneStats, Public, Revision, Row, Stats};

/// How many rows are asked for at once: an answer has an end, and one that is cut off is asked for again from where it ended.
const PAGE: u64 = 20_000;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often one call is tried.
const TRIES: u32 = 5;

/// Makes the token for a tenant's admin API; of the role `finance` or `support`, who may read the ledger.
pub type StaffToken<'a> = &'a dyn Fn(&str) -> Result<String, Error>;

/// Makes the token of a user, by number, in a tenant.
pub type UserToken<'a> = &'a dyn Fn(&str, u64) -> Result<String, Error>;

/// A target that is asked.
pub struct Target {
    client: Client,
    url: String,
}

impl Target {
    /// One at an address, with or without a slash at its end.
    pub fn new(url: &str) -> Result<Self, Error> {
        let client = Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(Duration::from_secs(10))
            .build();
        let client = client.map_err(|source| Error::Unreachable {
            url: url.to_owned(),
            source,
        })?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { client, url })
    }

    /// A campaign's public page.
    pub fn public(&self, tenant: &str, campaign: &str) -> Result<Public, Error> {
        self.read(&format!("/v1/{tenant}/{campaign}/public?lang=en"), None)
    }

    /// The ids of all that a user was given.
    pub fn grants(&self, tenant: &str, campaign: &str, token: &str) -> Result<Vec<String>, Error> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/{tenant}/{campaign}/grants{after}");
            let page: Grants = self.read(&path, Some(token))?;
            all.extend(page.grants.into_iter().map(|shown| shown.id));
            match page.next {
                Some(next) => after = format!("?after={next}"),
                None => return Ok(all),
            }
        }
    }

    /// A campaign's figures: the edition, its revision, and those of the live lane.
    pub fn stats(
        &self,
        tenant: &str,
        campaign: &str,
        token: &str,
    ) -> Result<(Stats, LaneStats), Error> {
        let path = format!("/admin/v1/{tenant}/campaigns/{campaign}/stats");
        let stats: Stats = self.read(&path, Some(token))?;
        let live = stats.lanes.iter().find(|lane| lane.lane == "live").cloned();
        let live = live.ok_or_else(|| self.unread(&path, "it has no live lane"))?;
        Ok((stats, live))
    }

    /// What a revision says.
    pub fn revision(
        &self,
        tenant: &str,
        campaign: &str,
        revision: u32,
        token: &str,
    ) -> Result<Revision, Error> {
        let path = format!("/admin/v1/{tenant}/campaigns/{campaign}/revisions/{revision}");
        self.read(&path, Some(token))
    }

    /// Every row of a campaign's live ledger, in order, up to the last one that there is as the first page is asked for. Returns how many.
    pub fn ledger(
        &self,
        (tenant, campaign, edition): (&str, &str, u32),
        token: StaffToken<'_>,
        each: &mut dyn FnMut(&Row<'_>),
    ) -> Result<u64, Error> {
        let of =
            format!("/admin/v1/{tenant}/ledger?campaign={campaign}&edition={edition}&limit={PAGE}");
        let (mut next, mut end, mut cut_off) = (0_u64, None, 0);
        loop {
            let path = match next {
                0 => of.clone(),
                next => format!("{of}&after={}", next - 1),
            };
            // A token of its own for each page: a long ledger outlives one.
            let response = self.get(&path, Some(&token(tenant)?))?;
            let rows = response.headers().get("gala-rows");
            let rows = rows.and_then(|rows| rows.to_str().ok()?.parse().ok());
            let rows = rows.ok_or_else(|| self.unread(&path, "it has no header `gala-rows`"))?;
            let end = *end.get_or_insert(rows);
            let began = next;
            self.page(response, &path, end, &mut next, each)?;
            if next >= end {
                return Ok(end);
            }
            // A page is full, or its answer was broken off.
            cut_off = if next == began { cut_off + 1 } else { 0 };
            if cut_off == TRIES {
                return Err(Error::CutOff {
                    url: format!("{}{path}", self.url),
                    row: next,
                    rows: end,
                });
            }
        }
    }

    /// One page, as far as it comes. A line without its end is no row.
    fn page(
        &self,
        response: Response,
        path: &str,
        end: u64,
        next: &mut u64,
        each: &mut dyn FnMut(&Row<'_>),
    ) -> Result<(), Error> {
        let (mut lines, mut line) = (BufReader::with_capacity(1 << 16, response), Vec::new());
        while *next < end {
            line.clear();
            match lines.read_until(b'\n', &mut line) {
                Ok(_) if line.ends_with(b"\n") => {}
                Ok(_) | Err(_) => break,
            }
            let row: Row<'_> = serde_json::from_slice(&line)
                .map_err(|error| self.unread(path, &format!("row {next}: {error}")))?;
            if row.number != *next {
                let why = format!("row {} comes where row {next} must", row.number);
                return Err(self.unread(path, &why));
            }
            each(&row);
            *next += 1;
        }
        Ok(())
    }

    fn read<T: DeserializeOwned>(&self, path: &str, token: Option<&str>) -> Result<T, Error> {
        let body = self.get(path, token)?.bytes();
        let body = body.map_err(|source| self.unreachable(path, source))?;
        serde_json::from_slice(&body).map_err(|error| self.unread(path, &error.to_string()))
    }

    /// A 200. A target that is still busy with what the run left is waited for.
    fn get(&self, path: &str, token: Option<&str>) -> Result<Response, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut request = self.client.get(format!("{}{path}", self.url));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let response = request
                .send()
                .map_err(|source| self.unreachable(path, source))?;
            let status = response.status();
            let busy = status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::SERVICE_UNAVAILABLE;
            if status == StatusCode::OK {
                return Ok(response);
            }
            if !busy || tries == TRIES {
                return Err(Error::Refused {
                    url: format!("{}{path}", self.url),
                    status: status.as_u16(),
                    said: said(response),
                });
            }
            let wait = response.headers().get("retry-after");
            let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
            std::thread::sleep(Duration::from_secs(wait.unwrap_or(1).clamp(1, 10)));
        }
    }

    fn unreachable(&self, path: &str, source: reqwest::Error) -> Error {
        Error::Unreachable {
            url: format!("{}{path}", self.url),
            source: source.without_url(),
        }
    }

    fn unread(&self, path: &str, why: &str) -> Error {
        Error::Unread {
            url: format!("{}{path}", self.url),
            why: why.to_owned(),
        }
    }
}

/// The code and message of a problem, or the beginning of whatever it is.
fn said(response: Response) -> String {
    #[derive(serde::Deserialize)]
    struct Problem {
        code: String,
        message: String,
    }
    let body = response.bytes().unwrap_or_default();
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => format!("{}: {}", problem.code, problem.message),
        Err(_) => String::from_utf8_lossy(&body).chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests;
