//! An HTTP request as SCF's triggers tell it: function URL, API gateway, CLB. Read leniently: samples and captured events differ
//! from the pages in which fields are there and of which type, and nothing that a gateway sends may end the program.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::headers::{SCF_REMOTE_ADDR, address};
use crate::uri::{escape_path, escape_query, origin};

/// Whether an event is a request: a function URL's or a gateway's has `httpMethod`, one of CLB says it in a header.
pub(super) fn is_one(event: &Value) -> bool {
    event.get("httpMethod").is_some()
        || event
            .get("headers")
            .is_some_and(|headers| named(headers, "x-method").is_some())
}

/// The request; an error is what is wrong with it, for the client.
pub(super) fn read(event: &Value) -> Result<Request, String> {
    let mut headers = headers(event.get("headers"))?;
    let (method, uri, body) = match event.get("httpMethod") {
        Some(method) => {
            let method = method.as_str().unwrap_or_default().to_owned();
            (
                method,
                uri(event)?,
                body(event.get("body"), event.get("isBase64Encoded"))?,
            )
        }
        None => by_clb(event, &mut headers)?,
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| "the method can't be read")?;
    headers.remove(header::TRANSFER_ENCODING);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let client = client(event, &headers);
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::new(client, 0)));
    Ok(request)
}

/// CLB tells method and address in headers, and the body as `payload`: an object where it is JSON, else text in base64.
fn by_clb(event: &Value, headers: &mut HeaderMap) -> Result<(String, Uri, Vec<u8>), String> {
    let mut take = |name: &str| {
        let value = headers.remove(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let method = take("x-method").unwrap_or_default();
    let address = take("x-uri").unwrap_or_else(|| "/".to_owned());
    let (path, query) = address
        .split_once('?')
        .map_or((&*address, None), |(path, query)| (path, Some(query)));
    let path = escape_path(path);
    let text = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let uri = origin(&text).ok_or("the path can't be read")?;
    let body = match event.get("payload") {
        Some(payload @ (Value::Object(_) | Value::Array(_))) => payload.to_string().into_bytes(),
        payload => body(payload, event.get("isBase64Encoded"))?,
    };
    Ok((method, uri, body))
}

fn uri(event: &Value) -> Result<Uri, String> {
    let path = event.get("path").and_then(Value::as_str).unwrap_or("/");
    let mut text = escape_path(path);
    let query = query(event.get("queryString"));
    if !query.is_empty() {
        text = format!("{text}?{query}");
    }
    origin(&text).ok_or_else(|| "the path can't be read".to_owned())
}

/// The whole query. `queryString` is decoded; a value is a text, a list of them, or `true` for a name without a value. (What the
/// gateway calls `queryStringParameters` is only the part that was declared there.)
fn query(told: Option<&Value>) -> String {
    match told {
        Some(Value::Object(pairs)) => {
            let mut query = String::new();
            for (name, value) in pairs {
                match value {
                    Value::Array(values) => values
                        .iter()
                        .for_each(|value| pair(&mut query, name, value)),
                    value => pair(&mut query, name, value),
                }
            }
            query
        }
        Some(Value::String(query)) => query.trim_start_matches('?').to_owned(),
        _ => String::new(),
    }
}

fn pair(query: &mut String, name: &str, value: &Value) {
    if !query.is_empty() {
        query.push('&');
    }
    escape_query(name, query);
    let text = match value {
        Value::Bool(true) | Value::Null => return,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    query.push('=');
    escape_query(&text, query);
}

/// Headers, whatever the type of their values. A name or value that no header can have is an error of the request.
fn headers(told: Option<&Value>) -> Result<HeaderMap, String> {
    let empty = Map::new();
    let told = match told {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(told)) => told,
        Some(_) => return Err("the headers can't be read".to_owned()),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in told {
        let read = || format!("the header `{}` can't be read", name.escape_debug());
        let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| read())?;
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.trim().to_owned(),
                other => other.to_string(),
            };
            headers.append(
                field.clone(),
                HeaderValue::from_bytes(text.as_bytes()).map_err(|_| read())?,
            );
        }
    }
    Ok(headers)
}

/// The body's bytes. Gateways write the flag as a boolean, CLB as text.
fn body(told: Option<&Value>, encoded: Option<&Value>) -> Result<Vec<u8>, String> {
    let encoded = encoded.is_some_and(|flag| {
        *flag == Value::Bool(true)
            || flag
                .as_str()
                .is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
    });
    match told {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) if encoded => STANDARD
            .decode(text)
            .map_err(|_| "the body is said to be base64 and is not".to_owned()),
        Some(Value::String(text)) => Ok(text.clone().into_bytes()),
        Some(other) => Ok(other.to_string().into_bytes()),
    }
}

/// Who called: what SCF saw, in its header or the gateway's context; CLB writes it at the end of `X-Forwarded-For`.
fn client(event: &Value, headers: &HeaderMap) -> IpAddr {
    let seen = headers
        .get(SCF_REMOTE_ADDR)
        .and_then(|value| value.to_str().ok());
    let context = event
        .pointer("/requestContext/sourceIp")
        .and_then(Value::as_str);
    let by_clb = || {
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back()?;
        event
            .get("payload")
            .or_else(|| event.get("httpMethod").is_none().then_some(event))?;
        forwarded.to_str().ok()?.rsplit(',').next()
    };
    seen.or(context)
        .or_else(by_clb)
        .and_then(address)
        .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// A header's text, however its name is written.
fn named<'v>(headers: &'v Value, name: &str) -> Option<&'v str> {
    let all = headers.as_object()?;
    let found = all
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.and_then(|(_, value)| value.as_str())
}
