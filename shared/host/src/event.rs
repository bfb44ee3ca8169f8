//! What triggers tell, as CloudEvents 1.0: the one form in which a program takes timers, queues and buckets of every host.
//!
//! An event is named by its source and id: the same event comes with the same two however often a host delivers it, so that
//! whoever takes it can see to its having one effect.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;

use crate::uri::{escape_header, unescape};

/// Where the events' router takes one.
pub const PATH: &str = "/events";
/// Where the events' router keeps one that can never be taken.
pub const PARKED_PATH: &str = "/events/parked";

/// How much of a refusal is told on, in bytes.
const WHY_BYTES: usize = 1024;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Names it within its source.
    pub id: String,
    /// Where it comes from: `/ckafka/orders/0`.
    pub source: String,
    /// What happened: `com.tencent.scf.timer`. CloudEvents calls it `type`.
    pub kind: String,
    /// What it happened to, within the source.
    pub subject: Option<String>,
    /// When, in RFC 3339.
    pub time: Option<String>,
    /// Further attributes: lower-case letters and digits, and what they say.
    pub extensions: Vec<(String, String)>,
    /// The media type of the data.
    pub data_type: Option<String>,
    /// The data.
    pub data: Vec<u8>,
}

/// Why an event is parked: an extension of the request that has it kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedFor(pub String);

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It was taken.
    Done,
    /// It was not, and may be when it comes again.
    Again(String),
    /// It never will be.
    Never(String),
}

impl Delivered {
    /// What a status says (as in Knative's data plane): 2xx is done; 404, 408, 409, 429 and 5xx may go better; the rest of 4xx
    /// never will, and nothing else is an answer to an event.
    pub(crate) async fn of(response: Response) -> Self {
        let status = response.status();
        if status.is_success() {
            return Self::Done;
        }
        let why = match response.into_body().collect().await {
            Ok(body) => {
                let bytes = body.to_bytes();
                let shown = bytes.get(..WHY_BYTES.min(bytes.len())).unwrap_or_default();
                format!("{status}: {}", String::from_utf8_lossy(shown).trim())
            }
            Err(_) => status.to_string(),
        };
        let again = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::NOT_FOUND,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::CONFLICT,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        if status.is_client_error() && !again.contains(&status) {
            Self::Never(why)
        } else {
            Self::Again(why)
        }
    }
}

impl Event {
    /// An event with the attributes that each must have.
    pub fn new(source: impl Into<String>, id: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            source: source.into(),
            kind: kind.into(),
            subject: None,
            time: None,
            extensions: Vec::new(),
            data_type: None,
            data: Vec::new(),
        }
    }

    /// With text that a trigger carried: JSON where it is that.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let kind = if is_json {
            "application/json"
        } else {
            "text/plain; charset=utf-8"
        };
        self.data_type = Some(kind.to_owned());
        self.data = text.as_bytes().to_vec();
        self
    }

    /// With a JSON value.
    #[must_use]
    pub fn with_json(mut self, value: &serde_json::Value) -> Self {
        self.data_type = Some("application/json".to_owned());
        self.data = value.to_string().into_bytes();
        self
    }

    /// The request that hands it over: CloudEvents' binary form; `why` it is parked, where it is.
    pub(crate) fn request(&self, path: &'static str, why: Option<&str>) -> Request {
        let mut request = Request::new(Body::from(self.data.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = axum::http::Uri::from_static(path);
        let headers = request.headers_mut();
        let mut attribute = |name: &str, text: &str| {
            let name = HeaderName::try_from(format!("ce-{name}"));
            // Escaped text is printable; a name was checked or is ours.
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(escape_header(text))) {
                headers.insert(name, value);
            }
        };
        attribute("specversion", "1.0");
        attribute("id", &self.id);
        attribute("source", &self.source);
        attribute("type", &self.kind);
        for (name, text) in [("subject", &self.subject), ("time", &self.time)] {
            if let Some(text) = text {
                attribute(name, text);
            }
        }
        for (name, text) in &self.extensions {
            attribute(name, text);
        }
        if let Some(why) = why {
            attribute("parkedfor", why);
        }
        let kind = self.data_type.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(kind)) = kind {
            headers.insert(header::CONTENT_TYPE, kind);
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.data.len()));
        request.extensions_mut().insert(self.clone());
        if let Some(why) = why {
            request.extensions_mut().insert(ParkedFor(why.to_owned()));
        }
        request
    }

    /// Reads one that came over HTTP, in binary or structured form.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, NotAnEvent> {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.map(|kind| kind.to_str().unwrap_or_default().trim());
        let essence = kind.unwrap_or_default().to_ascii_lowercase();
        if essence.starts_with("application/cloudevents-batch") {
            return Err(NotAnEvent::Batch);
        }
        if essence.starts_with("application/cloudevents") {
            if !essence.starts_with("application/cloudevents+json") {
                return Err(NotAnEvent::Format(essence));
            }
            return Self::structured(body);
        }
        Self::binary(headers, kind, body)
    }

    fn binary(headers: &HeaderMap, kind: Option<&str>, body: &[u8]) -> Result<Self, NotAnEvent> {
        let mut attributes = Attributes::default();
        for (name, value) in headers {
            let Some(name) = name.as_str().strip_prefix("ce-") else {
                continue;
            };
            let text = value.to_str().ok().map(unquoted).and_then(unescape);
            let text = text.ok_or_else(|| NotAnEvent::Attribute(name.to_owned()))?;
            attributes.take(name, text)?;
        }
        let mut event = attributes.event()?;
        event.data_type = kind.map(str::to_owned);
        event.data = body.to_vec();
        Ok(event)
    }

    fn structured(body: &[u8]) -> Result<Self, NotAnEvent> {
        use base64::Engine as _;
        use serde_json::Value;
        let read: serde_json::Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| NotAnEvent::Json(error.to_string()))?;
        let mut attributes = Attributes::default();
        let mut data = None;
        let mut kind = None;
        for (name, value) in read {
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("data", value) => data = Some(Data::Json(value)),
                ("data_base64", Value::String(text)) => {
                    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
                    data = Some(Data::Bytes(bytes.map_err(|_| NotAnEvent::Attribute(name))?));
                }
                ("datacontenttype", Value::String(text)) => kind = Some(text),
                (_, Value::String(text)) => attributes.take(&name, text)?,
                (_, Value::Bool(flag)) => attributes.take(&name, flag.to_string())?,
                (_, Value::Number(number)) => attributes.take(&name, number.to_string())?,
                (_, Value::Array(_) | Value::Object(_)) => return Err(NotAnEvent::Attribute(name)),
            }
        }
        let mut event = attributes.event()?;
        let is_json = kind.as_deref().is_none_or(|kind| {
            let essence = kind
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            essence == "application/json" || essence.ends_with("+json")
        });
        event.data = match data {
            Some(Data::Bytes(bytes)) => bytes,
            // JSON format, 3.1.1: a string is the data itself where that is no JSON.
            Some(Data::Json(Value::String(text))) if !is_json => text.into_bytes(),
            Some(Data::Json(value)) => {
                kind.get_or_insert_with(|| "application/json".to_owned());
                value.to_string().into_bytes()
            }
            None => Vec::new(),
        };
        event.data_type = kind;
        Ok(event)
    }
}

enum Data {
    Json(serde_json::Value),
    Bytes(Vec<u8>),
}

/// Quotes around a header's value go (CloudEvents over HTTP, 3.1.3.2), and the backslashes within them.
fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(text)
}

#[derive(Debug, Default)]
struct Attributes {
    specversion: Option<String>,
    id: Option<String>,
    source: Option<String>,
    kind: Option<String>,
    subject: Option<String>,
    time: Option<String>,
    extensions: Vec<(String, String)>,
}

impl Attributes {
    fn take(&mut self, name: &str, text: String) -> Result<(), NotAnEvent> {
        let place = match name {
            "specversion" => &mut self.specversion,
            "id" => &mut self.id,
            "source" => &mut self.source,
            "type" => &mut self.kind,
            "subject" => &mut self.subject,
            "time" => &mut self.time,
            name => {
                let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
                if name.is_empty() || !name.bytes().all(sound) {
                    return Err(NotAnEvent::Attribute(name.to_owned()));
                }
                self.extensions.push((name.to_owned(), text));
                return Ok(());
            }
        };
        *place = Some(text);
        Ok(())
    }

    fn event(self) -> Result<Event, NotAnEvent> {
        let needed = |name: &str, text: Option<String>| {
            text.filter(|text| !text.is_empty())
                .ok_or_else(|| NotAnEvent::Attribute(name.to_owned()))
        };
        let version = needed("specversion", self.specversion)?;
        if version != "1.0" {
            return Err(NotAnEvent::Version(version));
        }
        Ok(Event {
            id: needed("id", self.id)?,
            source: needed("source", self.source)?,
            kind: needed("type", self.kind)?,
            subject: self.subject,
            time: self.time,
            extensions: self.extensions,
            data_type: None,
            data: Vec::new(),
        })
    }
}

/// Why what came over HTTP is no event that is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEvent {
    /// Several at once.
    #[error("events are taken one by one, not in batches")]
    Batch,
    /// A format that is not spoken.
    #[error("`{0}` is not spoken: send `application/cloudevents+json`, or the binary form")]
    Format(String),
    /// Another version.
    #[error("CloudEvents {0} is not spoken: 1.0 is")]
    Version(String),
    /// An attribute that is missing, or can't be read.
    #[error("the attribute `{0}` is missing or can't be read")]
    Attribute(String),
    /// No JSON.
    #[error("the event is no JSON object: {0}")]
    Json(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let read = |(name, value): &(&str, &str)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            )
        };
        lines.iter().map(read).collect()
    }

    const WHOLE: [(&str, &str); 4] = [
        ("ce-specversion", "1.0"),
        ("ce-id", "7"),
        ("ce-source", "/q"),
        ("ce-type", "t"),
    ];

    #[test]
    fn what_is_sent_is_read() {
        let mut event = Event::new("/bucket/春", "50%", "created").with_text("{\"a\": 1}");
        event.subject = Some("a \"b\"".to_owned());
        event.time = Some("2026-12-01T10:00:00Z".to_owned());
        event.extensions = vec![("tags".to_owned(), "a,b".to_owned())];
        let request = event.request(PATH, None);
        assert_eq!(request.extensions().get::<Event>(), Some(&event));
        let read = Event::read(request.headers(), &event.data);
        assert_eq!(read, Ok(event));
    }

    #[test]
    fn both_forms_say_the_same() {
        let mut lines = WHOLE.to_vec();
        lines.push(("content-type", "application/json"));
        let binary = Event::read(&headers(&lines), br#"{"a":1}"#).unwrap();
        let structured = headers(&[(
            "content-type",
            "Application/CloudEvents+JSON; charset=utf-8",
        )]);
        let body = br#"{"specversion":"1.0","id":"7","source":"/q","type":"t","datacontenttype":"application/json","data":{"a":1}}"#;
        assert_eq!(Event::read(&structured, body), Ok(binary));
        let body = br#"{"specversion":"1.0","id":"7","source":"/q","type":"t","datacontenttype":"text/plain","data":"hi"}"#;
        assert_eq!(Event::read(&structured, body).unwrap().data, b"hi");
        let body = br#"{"specversion":"1.0","id":"7","source":"/q","type":"t","datacontenttype":"image/png","data_base64":"/w=="}"#;
        assert_eq!(Event::read(&structured, body).unwrap().data, [0xff]);
    }

    #[test]
    fn what_is_none_is_refused() {
        let read = |lines: &[(&str, &str)]| Event::read(&headers(lines), b"").unwrap_err();
        let batch = [("content-type", "application/cloudevents-batch+json")];
        assert_eq!(read(&batch), NotAnEvent::Batch);
        assert!(matches!(
            read(&[("content-type", "application/cloudevents+avro")]),
            NotAnEvent::Format(_)
        ));
        assert_eq!(
            read(&WHOLE[1..]),
            NotAnEvent::Attribute("specversion".to_owned())
        );
        let with = |name, value| [&WHOLE[..], &[(name, value)]].concat();
        assert_eq!(
            read(&with("ce-subject", "%FF")),
            NotAnEvent::Attribute("subject".to_owned())
        );
        assert_eq!(
            read(&with("ce-subject", "%e")),
            NotAnEvent::Attribute("subject".to_owned())
        );
        assert_eq!(
            read(&with("ce-some_thing", "x")),
            NotAnEvent::Attribute("some_thing".to_owned())
        );
        let old = [("ce-specversion", "0.3"), WHOLE[1], WHOLE[2], WHOLE[3]];
        assert_eq!(read(&old), NotAnEvent::Version("0.3".to_owned()));
        let structured = headers(&[("content-type", "application/cloudevents+json")]);
        for bad in [
            "",
            "[]",
            r#"{"specversion":"1.0","id":{},"source":"/q","type":"t"}"#,
        ] {
            assert!(Event::read(&structured, bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
