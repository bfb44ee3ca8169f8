//! The admin API of a running server, called over HTTP.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use function::identity::Role;
use function::trace::RequestId;
use reqwest::blocking::{Client, Request, RequestBuilder, Response};
use reqwest::{Method, Url};
use serde_json::Value as Json;

use crate::failure::{Exit, Failure};
use crate::sign;

/// Where a command finds the server, and who it is there.
#[derive(Debug, Clone, Args)]
pub struct Server {
    /// The admin address of the running server
    #[arg(
        long,
        env = "GALA_ADMIN_URL",
        default_value = "http://127.0.0.1:8081",
        value_name = "URL"
    )]
    pub url: String,
    /// An admin token; without one, and with a server on this machine, one is made from the tenant's development key
    #[arg(long, env = "GALA_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// The folder with the tenants, to make that token from
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    pub configs: PathBuf,
}

/// How long a call may take. A whole ledger takes longer.
const CALL: Duration = Duration::from_secs(15);
const STREAM: Duration = Duration::from_hours(6);
const CONNECT: Duration = Duration::from_secs(3);

/// How often a call is made that the server asks to make again, with one key.
const TRIES: u32 = 3;

/// How long a server is given between two of them.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// A server, and a token for it.
#[derive(Debug)]
pub struct Api {
    client: Client,
    url: Url,
    token: String,
}

impl Server {
    /// Gets ready to call, as someone with this role.
    pub fn connect(&self, tenant: &str, role: Role) -> Result<Api, Failure> {
        let url = Url::parse(&self.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| {
            Failure::usage(format!(
                "`{}` is no address such as http://127.0.0.1:8081",
                self.url
            ))
        })?;
        let local = is_local(&url);
        let token = match &self.token {
            Some(token) => token.clone(),
            None if local => {
                let tenant = sign::tenant(&self.configs, tenant)?;
                sign::dev_admin(&self.configs, &tenant, role)?.ok_or_else(|| no_token(role))?
            }
            None => return Err(no_token(role)),
        };
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(CALL)
            // A token belongs to the address that was named, and to no other.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("gala/", env!("CARGO_PKG_VERSION")));
        // A proxy is for what is elsewhere.
        let client = if local { client.no_proxy() } else { client };
        let client = client
            .build()
            .map_err(|error| Failure::unreachable("http", error.to_string()))?;
        Ok(Api { client, url, token })
    }
}

fn no_token(role: Role) -> Failure {
    Failure::usage(format!(
        "a token with the role `{role}` is needed: give it in GALA_TOKEN or with --token (`gala token TENANT USER --role {role}` makes one)"
    ))
}

/// Whether an address is this very machine.
fn is_local(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

/// What is asked for: the parts of the path after `/admin/v1`, and the query.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The parts; any text may stand in one.
    pub path: &'a [&'a str],
    /// The query.
    pub query: &'a [(&'a str, Option<String>)],
}

/// A change: how it is asked for, under which key, with which further headers, and what it carries.
#[derive(Debug, Clone)]
pub struct Write<'a> {
    /// How.
    pub method: Method,
    /// The idempotency key; none: a new one.
    pub key: Option<&'a str>,
    /// Headers.
    pub headers: &'a [(&'static str, String)],
    /// The body.
    pub body: Option<&'a Json>,
}

impl Api {
    /// Reads something.
    pub fn get(&self, ask: Ask<'_>) -> Result<Response, Failure> {
        self.send(
            self.client
                .get(self.address(ask)?)
                .bearer_auth(&self.token)
                .build(),
        )
    }

    /// Reads something long.
    pub fn stream(&self, ask: Ask<'_>) -> Result<Response, Failure> {
        self.send(
            self.client
                .get(self.address(ask)?)
                .bearer_auth(&self.token)
                .timeout(STREAM)
                .build(),
        )
    }

    /// The counters of the process, as Prometheus text.
    pub fn metrics(&self) -> Result<String, Failure> {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::usage(format!("`{}` is no address of a server", self.url)))?
            .pop_if_empty()
            .push("metrics");
        let response = self.send(self.client.get(url).build())?;
        response.text().map_err(|error| {
            Failure::unreachable(
                "cut-off",
                format!("the answer was cut off: {}", cause(&error)),
            )
        })
    }

    /// Changes something; again with the same key where the server asks for it.
    pub fn post(&self, ask: Ask<'_>, key: Option<&str>, body: &Json) -> Result<Json, Failure> {
        self.post_over(ask, key, None, body)
    }

    /// As [`Api::post`], only where the newest revision is still `seen`.
    pub fn post_over(
        &self,
        ask: Ask<'_>,
        key: Option<&str>,
        seen: Option<u32>,
        body: &Json,
    ) -> Result<Json, Failure> {
        let seen = seen.map(|seen| ("if-match", format!("\"{seen}\"")));
        let write = Write {
            method: Method::POST,
            key,
            headers: seen.as_slice(),
            body: Some(body),
        };
        self.write(ask, &write)
    }

    /// Changes something by any method; again with the same key where the server asks for it.
    pub fn write(&self, ask: Ask<'_>, write: &Write<'_>) -> Result<Json, Failure> {
        self.until_answered(write.key, |key| {
            let request = self
                .client
                .request(write.method.clone(), self.address(ask)?)
                .header("idempotency-key", key);
            let headers = write.headers.iter();
            let request = headers.fold(request, |request, (name, value)| {
                request.header(*name, value)
            });
            Ok(match write.body {
                Some(body) => request.json(body),
                None => request,
            })
        })
    }

    /// Puts a file; again with the same key where the server asks for it.
    pub fn put_file(&self, ask: Ask<'_>, key: Option<&str>, file: &Path) -> Result<Json, Failure> {
        self.send_file(&Method::PUT, ask, key, file)
    }

    /// [`Api::put_file`], of one that is added to what is there.
    pub fn post_file(&self, ask: Ask<'_>, key: Option<&str>, file: &Path) -> Result<Json, Failure> {
        self.send_file(&Method::POST, ask, key, file)
    }

    fn send_file(
        &self,
        method: &Method,
        ask: Ask<'_>,
        key: Option<&str>,
        file: &Path,
    ) -> Result<Json, Failure> {
        self.until_answered(key, |key| {
            let opened = std::fs::File::open(file).map_err(|error| {
                Failure::usage(format!("{} can't be read: {error}", file.display()))
            })?;
            let request = self.client.request(method.clone(), self.address(ask)?);
            Ok(request
                .header("idempotency-key", key)
                .header("content-type", "text/csv")
                .body(opened))
        })
    }

    /// Sends a request that is made anew for each try, all with one key: where it is not known whether it was done, or it is
    /// not done for now, the same key never does it twice.
    fn until_answered(
        &self,
        key: Option<&str>,
        make: impl Fn(&str) -> Result<RequestBuilder, Failure>,
    ) -> Result<Json, Failure> {
        let made = RequestId::new();
        let key = key.unwrap_or(made.as_str());
        let mut tried = 0;
        loop {
            tried += 1;
            let request = make(key)?.bearer_auth(&self.token).timeout(STREAM);
            match self.send(request.build()) {
                Ok(response) => return json(response),
                Err(failure)
                    if failure.exit == Exit::Unreachable
                        && failure.code != "unreachable"
                        && tried < TRIES =>
                {
                    std::thread::sleep(BETWEEN_TRIES);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn address(&self, ask: Ask<'_>) -> Result<Url, Failure> {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::usage(format!("`{}` is no address of a server", self.url)))?
            .pop_if_empty()
            .extend(["admin", "v1"])
            .extend(ask.path);
        for (name, value) in ask.query {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Ok(url)
    }

    fn send(&self, request: reqwest::Result<Request>) -> Result<Response, Failure> {
        let request = request.map_err(|error| {
            Failure::usage(format!("this can't be asked for: {}", cause(&error)))
        })?;
        let response = self
            .client
            .execute(request)
            .map_err(|error| self.away(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refused(response))
    }

    /// The words of a problem, and the exit code that belongs to it.
    fn refused(&self, response: Response) -> Failure {
        let status = response.status();
        let problem: Json = response.json().unwrap_or_default();
        let text = |name: &str| problem.get(name).and_then(Json::as_str);
        let Some(code) = text("code") else {
            return Failure::unreachable(
                "not-gala",
                format!(
                    "{} answered {status} and is no admin address of gala",
                    self.url
                ),
            );
        };
        let mut message = format!(
            "the server answered {status}: {}",
            text("message").unwrap_or(code)
        );
        let more = ["problem", "pointer", "reveals", "kept_until"]
            .into_iter()
            .filter_map(|name| Some((name, text(name)?)));
        message.extend(more.map(|(name, words)| format!(" ({name}: {words})")));
        if let Some(version) = problem["draft"]["version"].as_u64() {
            let by = problem["draft"]["by"].as_str().unwrap_or_default();
            message.extend([format!(" (the draft is at version {version}, by {by})")]);
        }
        message.extend(text("request_id").map(|id| format!(" [request {id}]")));
        let diagnostics = problem.get("diagnostics").and_then(Json::as_array);
        message.extend(diagnostics.into_iter().flatten().map(told));
        if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            Failure::unreachable(code, message)
        } else {
            Failure::check(code, message)
        }
    }

    fn away(&self, error: &reqwest::Error) -> Failure {
        Failure::unreachable(
            "unreachable",
            format!(
                "{} can't be reached ({}): is `gala serve` running? Name its admin address with --url",
                self.url,
                cause(error)
            ),
        )
    }
}

/// A diagnostic of the server's check, on a line of its own, as `gala check` writes it.
pub fn told(found: &Json) -> String {
    let text = |name: &str| found[name].as_str().unwrap_or_default();
    let help = found["help"].as_str();
    let help = help.map_or(String::new(), |help| {
        format!("\n  help: {}", help.replace('\n', "\n        "))
    });
    format!(
        "\n{}:{}:{}: {}[{}]: {}{help}",
        text("file"),
        found["line"],
        found["column"],
        text("severity"),
        text("code"),
        text("message")
    )
}

/// The body as JSON.
pub fn json(response: Response) -> Result<Json, Failure> {
    response.json().map_err(|error| {
        Failure::unreachable(
            "cut-off",
            format!("the answer was cut off: {}", cause(&error)),
        )
    })
}

/// The innermost cause; the outer ones repeat the address.
pub fn cause(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(next) = at.source() {
        at = next;
    }
    at.to_string()
}
