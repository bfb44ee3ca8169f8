//! Hosts that hand calls over as JSON: the triggers of an SCF event function.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use host::event::Event;
use host::scf;
use serde_json::{Map, Value, json};
use testbed::{ScfManner, ScfOutcome, ScfRuntime};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{CLIENT, Front, Inbox, app};
use crate::call::{Answer, Call};

/// Which trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Url,
    Gateway,
    Clb,
}

/// The app on SCF's runtime interface.
pub struct ScfEvents {
    form: Form,
    api: ScfRuntime,
    inbox: Inbox,
    _runtime: Runtime,
    _stop: oneshot::Sender<()>,
}

impl ScfEvents {
    pub fn start(form: Form, below: &str) -> Self {
        let api = ScfRuntime::start();
        let inbox = Inbox::default();
        let settings = scf::Settings {
            api: format!("127.0.0.1:{}", api.port()),
        };
        let app = app(&inbox, below);
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        runtime.spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            scf::run(app, &settings, stopped).await
        });
        api.ready();
        Self {
            form,
            api,
            inbox,
            _runtime: runtime,
            _stop: stop,
        }
    }

    /// What the function answers to an event.
    pub fn invoke(&self, event: &Value) -> ScfOutcome {
        self.api.invoke(event.to_string())
    }

    /// Answers that came to an event that was answered before.
    pub fn late_answers(&self) -> u64 {
        self.api.late_answers()
    }
}

impl Front for ScfEvents {
    fn name(&self) -> &'static str {
        match self.form {
            Form::Url => "SCF URL",
            Form::Gateway => "SCF gateway",
            Form::Clb => "SCF CLB",
        }
    }

    fn carries_bytes(&self) -> bool {
        // No flag is documented for a function URL.
        self.form != Form::Url
    }

    fn delivered(&self) -> Vec<Event> {
        self.inbox.taken()
    }

    fn set_time_limit(&self, millis: u64) -> bool {
        self.api.set(ScfManner {
            time_limit_ms: millis,
            ..ScfManner::default()
        });
        true
    }

    fn call(&self, call: &Call) -> Answer {
        self.raw(&self.event(call).unwrap())
    }

    fn event(&self, call: &Call) -> Option<Value> {
        Some(match self.form {
            Form::Url => url(call),
            Form::Gateway => gateway(call),
            Form::Clb => clb(call),
        })
    }

    fn raw(&self, event: &Value) -> Answer {
        match self.invoke(event) {
            ScfOutcome::Response(bytes) => read(&bytes),
            ScfOutcome::Error(why) => panic!("{} failed: {why}", self.name()),
        }
    }
}

/// A text for each name: what comes more than once is joined, as the page says.
fn headers(call: &Call, more: &[(&str, &str)]) -> Map<String, Value> {
    let mut headers = Map::new();
    headers.insert("Host".to_owned(), json!("example.com"));
    let given = call.headers.iter().copied().chain(more.iter().copied());
    for (name, value) in given {
        let known = headers
            .keys()
            .find(|known| known.eq_ignore_ascii_case(name))
            .cloned();
        let joined = match known.as_ref().and_then(|known| headers.get(known)) {
            Some(Value::String(before)) if !name.eq_ignore_ascii_case("host") => {
                let comma = if name.eq_ignore_ascii_case("cookie") {
                    "; "
                } else {
                    ", "
                };
                format!("{before}{comma}{value}")
            }
            _ => value.to_owned(),
        };
        headers.insert(known.unwrap_or_else(|| name.to_owned()), json!(joined));
    }
    headers
}

fn query(call: &Call) -> Map<String, Value> {
    let mut query: Map<String, Value> = Map::new();
    for (name, value) in call.pairs() {
        let value = value.map_or(json!(true), Value::from);
        match query.get_mut(&name) {
            Some(Value::Array(all)) => all.push(value),
            Some(one) => *one = json!([one.take(), value]),
            None => {
                query.insert(name, value);
            }
        }
    }
    query
}

/// The client's own `x-scf-*` do not survive the platform.
fn without_scf(call: &Call) -> Call {
    let mut call = call.clone();
    call.headers
        .retain(|(name, _)| !name.to_ascii_lowercase().starts_with("x-scf-"));
    call
}

fn url(call: &Call) -> Value {
    let scf = [
        ("x-scf-remote-addr", CLIENT),
        ("x-scf-secret-key", "the platform's own"),
    ];
    json!({
        "body": String::from_utf8_lossy(&call.body),
        "headers": headers(&without_scf(call), &scf),
        "httpMethod": call.method,
        "path": call.path,
        "queryString": query(call),
    })
}

fn gateway(call: &Call) -> Value {
    let text = std::str::from_utf8(&call.body);
    let mut event = json!({
        "requestContext": {
            "serviceId": "service-f94sy04v", "path": "/{path}", "httpMethod": "ANY", "identity": {},
            "sourceIp": CLIENT, "stage": "release",
        },
        "headerParameters": {},
        "pathParameters": {},
        "queryStringParameters": {},
        "stageVariables": { "stage": "release" },
        "headers": headers(&without_scf(call), &[("x-scf-secret-key", "the platform's own")]),
        "httpMethod": call.method,
        "path": call.path,
        "queryString": query(call),
        "body": text.unwrap_or_default(),
    });
    if text.is_err() {
        event["body"] = json!(STANDARD.encode(&call.body));
        event["isBase64Encoded"] = json!(true);
    }
    event
}

fn clb(call: &Call) -> Value {
    let query = if call.query.is_empty() {
        String::new()
    } else {
        format!("?{}", call.query)
    };
    let mut told = headers(&without_scf(call), &[("X-Forwarded-For", CLIENT)]);
    told.insert("X-Method".to_owned(), json!(call.method));
    told.insert("X-Uri".to_owned(), json!(format!("{}{query}", call.path)));
    let kind = call
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map_or("", |(_, kind)| kind);
    // An object as it is, text as it is; all else in base64, and the flag as text.
    let (payload, encoded) = match serde_json::from_slice::<Value>(&call.body) {
        Ok(object @ Value::Object(_)) if kind == "application/json" => (object, "false"),
        _ if kind.starts_with("text/") => (json!(String::from_utf8_lossy(&call.body)), "false"),
        _ => (json!(STANDARD.encode(&call.body)), "true"),
    };
    json!({ "headers": told, "payload": payload, "isBase64Encoded": encoded })
}

/// The integrated response, as the platform reads it.
fn read(bytes: &[u8]) -> Answer {
    let told: Value = serde_json::from_slice(bytes).expect("JSON");
    let names: Vec<&String> = told.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["body", "headers", "isBase64Encoded", "statusCode"]);
    let body = told["body"].as_str().expect("a body");
    let encoded = told["isBase64Encoded"].as_bool().expect("a flag");
    let body = if encoded {
        STANDARD.decode(body).expect("base64")
    } else {
        body.as_bytes().to_vec()
    };
    let mut headers = Vec::new();
    for (name, value) in told["headers"].as_object().expect("headers") {
        let all = match value {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        headers.extend(
            all.iter()
                .map(|one| (name.clone(), one.as_str().expect("a text").to_owned())),
        );
    }
    Answer {
        status: told["statusCode"].as_u64().expect("a status") as u16,
        headers,
        body,
    }
}
