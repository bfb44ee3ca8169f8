//! An HTTP request as what is in front of a Lambda function tells it. Read leniently, and by hand: nothing that a gateway sends may
//! end the program or an invocation.
//!
//! Not by `lambda_http` (1.3.2 was tried): of two header maps it lets the one with single values win, so that one of two cookies is
//! lost; it refuses numbers in headers, panics at broken base64 and a bad Host, decodes a load balancer's query once too often,
//! puts the stage into the path, and makes addresses absolute. Each would have to be mended before its converters and again after
//! them, and four shapes are fewer lines than that.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::headers::address;
use crate::uri::{escape_path, escape_query, mend_query, origin};

/// What is in front, by the form of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// A REST API, and an HTTP API with payload 1.0.
    Rest,
    /// An HTTP API with payload 2.0.
    Http,
    /// A function URL.
    Url,
    /// A load balancer; whether its target group has multi-value headers.
    Alb { multi: bool },
}

impl Front {
    /// Which one sent this; none: it is no HTTP request.
    pub fn of(event: &Value) -> Option<Self> {
        let context = event.get("requestContext")?;
        if context.get("elb").is_some() {
            let multi = event.get("multiValueHeaders").is_some_and(Value::is_object);
            return Some(Self::Alb { multi });
        }
        if context.get("http").is_some_and(Value::is_object) {
            let domain = context.get("domainName").and_then(Value::as_str);
            let is_url = domain.is_some_and(|domain| domain.contains(".lambda-url."));
            return Some(if is_url { Self::Url } else { Self::Http });
        }
        event.get("httpMethod").map(|_| Self::Rest)
    }
}

/// The request; an error is what is wrong with it, for the client.
pub(super) fn read(front: Front, event: &Value) -> Result<Request, String> {
    let method = match front {
        Front::Rest | Front::Alb { .. } => event.get("httpMethod"),
        Front::Http | Front::Url => event.pointer("/requestContext/http/method"),
    };
    let method = method.and_then(Value::as_str).unwrap_or_default();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| "the method can't be read")?;
    let mut headers = headers(event)?;
    let body = body(event)?;
    headers.remove(header::TRANSFER_ENCODING);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let client = client(front, event, &headers).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let uri = uri(front, event)?;
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::new(client, 0)));
    Ok(request)
}

fn uri(front: Front, event: &Value) -> Result<Uri, String> {
    let (path, query) = match front {
        Front::Rest => (v1_path(event), pairs(event, true)),
        Front::Alb { .. } => (
            text(event, "/path").unwrap_or_default(),
            pairs(event, false),
        ),
        Front::Http | Front::Url => (v2_path(event), v2_query(event)),
    };
    let path = if path.is_empty() { "/" } else { path };
    let mut uri = escape_path(path);
    if !query.is_empty() {
        uri = format!("{uri}?{query}");
    }
    origin(&uri).ok_or_else(|| "the path can't be read".to_owned())
}

/// A REST API's path is without the stage, which only the context's has. With payload 1.0 an HTTP API has the stage in both.
fn v1_path(event: &Value) -> &str {
    let path = text(event, "/path").unwrap_or_default();
    if text(event, "/requestContext/path") == Some(path) {
        without_stage(event, path)
    } else {
        path
    }
}

fn v2_path(event: &Value) -> &str {
    let path = text(event, "/rawPath").or_else(|| text(event, "/requestContext/http/path"));
    without_stage(event, path.unwrap_or_default())
}

/// A named stage stands in front of the path; `$default` does not.
fn without_stage<'e>(event: &'e Value, path: &'e str) -> &'e str {
    let stage = text(event, "/requestContext/stage").filter(|stage| *stage != "$default");
    let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    rest.filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .unwrap_or(path)
}

/// The query as it came; events written by hand have only the parts.
fn v2_query(event: &Value) -> String {
    match text(event, "/rawQueryString") {
        Some(query) => mend_query(query),
        None => pairs(event, true),
    }
}

/// The query of two maps: all values of the one that has lists, and of the other what is not there. A load balancer hands names
/// and values over as they came, gateways decode them.
fn pairs(event: &Value, decoded: bool) -> String {
    let mut query = String::new();
    let mut write = |text: &str| {
        if decoded {
            escape_query(text, &mut query);
        } else {
            query.push_str(&mend_query(text));
        }
        std::mem::take(&mut query)
    };
    let told = fields(
        event,
        "multiValueQueryStringParameters",
        "queryStringParameters",
        |one, other| one == other,
    );
    let told = told.iter().map(|(name, value)| {
        let name = write(name);
        value
            .as_ref()
            .map_or_else(|| name.clone(), |value| format!("{name}={}", write(value)))
    });
    told.collect::<Vec<_>>().join("&")
}

/// Headers, whatever the type of their values. A name or value that no header can have is an error of the request.
fn headers(event: &Value) -> Result<HeaderMap, String> {
    for map in ["multiValueHeaders", "headers"] {
        let told = event.get(map).unwrap_or(&Value::Null);
        if !told.is_object() && !told.is_null() {
            return Err("the headers can't be read".to_owned());
        }
    }
    let mut headers = HeaderMap::new();
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    for (name, value) in fields(event, "multiValueHeaders", "headers", same) {
        let read = || format!("the header `{}` can't be read", name.escape_debug());
        let Some(value) = value else { continue };
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| read())?,
            HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| read())?,
        );
    }
    if let Some(cookies) = event.get("cookies").and_then(Value::as_array) {
        let cookies: Vec<&str> = cookies.iter().filter_map(Value::as_str).collect();
        if !cookies.is_empty() {
            let cookies = HeaderValue::try_from(cookies.join("; "));
            let cookies = cookies.map_err(|_| "the cookies can't be read")?;
            headers.insert(header::COOKIE, cookies);
        }
    }
    Ok(headers)
}

/// What two maps say: all values of the one that has lists, and of the one that has single values what the first does not name.
/// Numbers and booleans are read as they are written; none is a name without a value.
fn fields(
    event: &Value,
    lists: &str,
    singles: &str,
    same: impl Fn(&str, &str) -> bool,
) -> Vec<(String, Option<String>)> {
    let read = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let map = |name| event.get(name).and_then(Value::as_object);
    let mut all = Vec::new();
    for (name, values) in map(lists).into_iter().flatten() {
        let values = match values {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        all.extend(values.iter().map(|value| (name.clone(), read(value))));
    }
    let named = all.len();
    for (name, value) in map(singles).into_iter().flatten() {
        let listed = all.iter().take(named).any(|(known, _)| same(known, name));
        if !listed {
            all.push((name.clone(), read(value)));
        }
    }
    all
}

/// The body's bytes.
fn body(event: &Value) -> Result<Vec<u8>, String> {
    let encoded = event.get("isBase64Encoded") == Some(&Value::Bool(true));
    match event.get("body") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) if encoded => STANDARD
            .decode(text)
            .map_err(|_| "the body is said to be base64 and is not".to_owned()),
        Some(Value::String(text)) => Ok(text.clone().into_bytes()),
        Some(other) => Ok(other.to_string().into_bytes()),
    }
}

/// Who called: what the gateway saw. A load balancer tells it only at the end of `X-Forwarded-For`, after what the client wrote there.
fn client(front: Front, event: &Value, headers: &HeaderMap) -> Option<IpAddr> {
    match front {
        Front::Rest => address(text(event, "/requestContext/identity/sourceIp")?),
        Front::Http | Front::Url => address(text(event, "/requestContext/http/sourceIp")?),
        Front::Alb { .. } => {
            let last = headers.get_all("x-forwarded-for").iter().next_back()?;
            address(last.to_str().ok()?.rsplit(',').next()?)
        }
    }
}

fn text<'e>(event: &'e Value, pointer: &str) -> Option<&'e str> {
    event.pointer(pointer).and_then(Value::as_str)
}
