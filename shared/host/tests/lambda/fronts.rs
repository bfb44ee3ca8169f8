//! What stands in front of a Lambda function, played: a client's request becomes the event that the function gets, and the
//! function's answer what the client gets. Strict about answers: what the real one would refuse is a failed test.
//!
//! Events have the shapes of AWS's own samples (REST API and payload 1.0, payload 2.0, function URL, load balancer).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// A request as a client sends it: path and query are encoded.
#[derive(Debug, Clone, Default)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What the client gets. Names of headers are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What is in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// A REST API with this stage.
    Rest(&'static str),
    /// An HTTP API with this stage and payload 1.0.
    HttpV1(&'static str),
    /// An HTTP API with this stage and payload 2.0.
    Http(&'static str),
    /// A function URL.
    Url,
    /// A load balancer whose target group has multi-value headers on, or off.
    Alb { multi: bool },
}

pub const ALL: [Front; 8] = [
    Front::Rest("prod"),
    Front::HttpV1("$default"),
    Front::HttpV1("prod"),
    Front::Http("$default"),
    Front::Http("prod"),
    Front::Url,
    Front::Alb { multi: true },
    Front::Alb { multi: false },
];

/// Where all calls come from.
pub const CLIENT: &str = "203.0.113.7";

impl Call {
    pub fn get(address: &str) -> Self {
        Self::new("GET", address)
    }

    pub fn new(method: &str, address: &str) -> Self {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("Host".to_owned(), "example.org".to_owned())],
            body: Vec::new(),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn sending(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }
}

impl Answer {
    /// All values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).collect()
    }
}

impl Front {
    /// Whether it carries every value of a repeated request header or query key.
    pub fn repeats(self) -> bool {
        self != Self::Alb { multi: false }
    }

    /// The event that a function gets.
    pub fn event(self, call: &Call) -> Value {
        let mut headers = call.headers.clone();
        let seen = headers
            .iter_mut()
            .find(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-for"));
        match seen {
            Some((_, value)) => *value = format!("{value}, {CLIENT}"),
            None => headers.push(("X-Forwarded-For".to_owned(), CLIENT.to_owned())),
        }
        let is_text = |(name, value): &(String, String)| match name.to_ascii_lowercase().as_str() {
            "content-encoding" => false,
            "content-type" => ["text/", "json", "x-www-form"]
                .iter()
                .any(|t| value.contains(t)),
            _ => true,
        };
        let text = String::from_utf8(call.body.clone());
        let (body, encoded) = match text {
            Ok(text) if headers.iter().all(is_text) => (text, false),
            _ => (STANDARD.encode(&call.body), true),
        };
        let body = if body.is_empty() {
            Value::Null
        } else {
            body.into()
        };
        let mut event = match self {
            Self::Rest(stage) => v1(call, &headers, stage, ""),
            Self::HttpV1(stage) => v1(call, &headers, stage, stage),
            Self::Http(stage) => v2(
                call,
                &headers,
                stage,
                "a1b2.execute-api.us-east-1.amazonaws.com",
            ),
            Self::Url => v2(
                call,
                &headers,
                "$default",
                "a1b2.lambda-url.us-east-1.on.aws",
            ),
            Self::Alb { multi } => alb(call, &headers, multi),
        };
        event["isBase64Encoded"] = encoded.into();
        let is_v2 = matches!(self, Self::Http(_) | Self::Url);
        if !(is_v2 && body.is_null()) {
            // A load balancer writes no body as an empty one, payload 2.0 leaves it out.
            let is_alb = matches!(self, Self::Alb { .. });
            event["body"] = if is_alb && body.is_null() {
                "".into()
            } else {
                body
            };
        }
        event
    }

    /// What the client gets of a function's answer.
    pub fn answer(self, bytes: &[u8]) -> Answer {
        let told: Value = serde_json::from_slice(bytes).expect("an answer in JSON");
        let told = told.as_object().expect("an object");
        let known: &[&str] = match self {
            Self::Rest(_) | Self::HttpV1(_) => &["headers", "multiValueHeaders"],
            Self::Http(_) | Self::Url => &["headers", "cookies"],
            Self::Alb { multi: true } => &["multiValueHeaders", "statusDescription"],
            Self::Alb { multi: false } => &["headers", "statusDescription"],
        };
        for key in told.keys() {
            let always = ["statusCode", "body", "isBase64Encoded"];
            assert!(
                known.contains(&key.as_str()) || always.contains(&key.as_str()),
                "{self:?}: {key}"
            );
        }
        let status = told["statusCode"].as_u64().expect("a number") as u16;
        if matches!(self, Self::Alb { .. }) {
            let description = told["statusDescription"].as_str().expect("a text");
            assert!(
                description.starts_with(&format!("{status} ")),
                "{description}"
            );
        }
        let mut headers = Vec::new();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        for (name, value) in told
            .get("headers")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            headers.push((name.to_ascii_lowercase(), text(value)));
        }
        let lists = told.get("multiValueHeaders").and_then(Value::as_object);
        for (name, values) in lists.into_iter().flatten() {
            for value in values.as_array().expect("a list") {
                headers.push((name.to_ascii_lowercase(), text(value)));
            }
        }
        for cookie in told
            .get("cookies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            headers.push(("set-cookie".to_owned(), text(cookie)));
        }
        let body = text(&told["body"]);
        let body = if told["isBase64Encoded"].as_bool().expect("a boolean") {
            STANDARD.decode(body).expect("base64")
        } else {
            body.into_bytes()
        };
        Answer {
            status,
            headers,
            body,
        }
    }
}

fn v1(call: &Call, headers: &[(String, String)], stage: &str, in_path: &str) -> Value {
    let staged = |stage: &str| match stage {
        "" | "$default" => call.path.clone(),
        stage => format!("/{stage}{}", call.path),
    };
    let query = form_urlencoded::parse(call.query.as_bytes()).into_owned();
    let query: Vec<(String, String)> = query.collect();
    let is_http = !in_path.is_empty();
    let mut event = json!({
        "resource": "/{proxy+}",
        "path": staged(in_path),
        "httpMethod": call.method,
        "headers": singles(headers),
        "multiValueHeaders": lists(headers),
        "queryStringParameters": some(singles(&query)),
        "multiValueQueryStringParameters": some(lists(&query)),
        "pathParameters": { "proxy": call.path.trim_start_matches('/') },
        "stageVariables": null,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2",
            "httpMethod": call.method,
            "identity": { "sourceIp": CLIENT, "userAgent": "played", "accessKey": null },
            "path": staged(if is_http { in_path } else { stage }),
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6",
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
    });
    if is_http {
        event["version"] = "1.0".into();
    }
    event
}

fn v2(call: &Call, headers: &[(String, String)], stage: &str, domain: &str) -> Value {
    let path = match stage {
        "$default" => call.path.clone(),
        stage => format!("/{stage}{}", call.path),
    };
    let mut joined = Map::new();
    let mut cookies = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if name == "cookie" {
            cookies.extend(value.split(';').map(|cookie| Value::from(cookie.trim())));
            continue;
        }
        let before = joined.get(&name).and_then(Value::as_str);
        let value = before.map_or_else(|| value.clone(), |before| format!("{before},{value}"));
        joined.insert(name, value.into());
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": call.query,
        "headers": joined,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2",
            "domainName": domain,
            "http": {
                "method": call.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": CLIENT,
                "userAgent": "played",
            },
            "requestId": "c6af9ac6",
            "routeKey": "$default",
            "stage": stage,
            "timeEpoch": 1_583_348_638_390_u64,
        },
    });
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    event
}

/// A load balancer decodes nothing of the query.
fn alb(call: &Call, headers: &[(String, String)], multi: bool) -> Value {
    let parts = call.query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.to_owned(), value.to_owned())
    };
    let query: Vec<(String, String)> = parts.map(pair).collect();
    let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
    let headers: Vec<(String, String)> = headers.iter().map(lower).collect();
    let target = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/played/1";
    let mut event = json!({
        "requestContext": { "elb": { "targetGroupArn": target } },
        "httpMethod": call.method,
        "path": call.path,
    });
    if multi {
        event["multiValueQueryStringParameters"] = lists(&query).into();
        event["multiValueHeaders"] = lists(&headers).into();
    } else {
        event["queryStringParameters"] = singles(&query).into();
        event["headers"] = singles(&headers).into();
    }
    event
}

/// The last value of each name.
fn singles(pairs: &[(String, String)]) -> Map<String, Value> {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect()
}

fn lists(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut lists = Map::new();
    for (name, value) in pairs {
        let list = lists.entry(name.clone()).or_insert_with(|| json!([]));
        list.as_array_mut()
            .expect("a list")
            .push(value.clone().into());
    }
    lists
}

fn some(map: Map<String, Value>) -> Value {
    if map.is_empty() {
        Value::Null
    } else {
        map.into()
    }
}
