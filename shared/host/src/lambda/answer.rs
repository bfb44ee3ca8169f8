//! An answer in the form of what is in front of a Lambda function.
//!
//! A REST API turns base64 into bytes only for the media types that it is told are binary: `*/*` is right for it.

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::request::Front;
use crate::answer::{Carried, within};
use crate::trouble::Trouble;

/// The most bytes that Lambda takes for an answer.
pub(super) const ANSWER_BYTES: usize = 6 * 1024 * 1024;
/// The most bytes that a load balancer takes for one.
const ALB_ANSWER_BYTES: usize = 1024 * 1024;

/// The whole answer.
pub(super) async fn whole(
    front: Front,
    response: Response,
    method: &Method,
) -> Result<Vec<u8>, Trouble> {
    let carried = Carried::of(response, method).await?;
    let most = match front {
        Front::Alb { .. } => ALB_ANSWER_BYTES,
        Front::Rest | Front::Http | Front::Url => ANSWER_BYTES,
    };
    within(shaped(front, &carried).to_string().into_bytes(), most)
}

/// A status and nothing more.
pub(super) fn bare(front: Front, status: StatusCode) -> Vec<u8> {
    let nothing = Carried {
        status,
        headers: HeaderMap::new(),
        body: String::new(),
        encoded: false,
    };
    shaped(front, &nothing).to_string().into_bytes()
}

fn shaped(front: Front, carried: &Carried) -> Value {
    let headers = &carried.headers;
    // A key that a REST API does not know is a 502: each front gets its own and no other.
    let mut answer = match front {
        Front::Rest => by_number(headers),
        Front::Http | Front::Url => joined_with_cookies(headers),
        Front::Alb { multi } => {
            let mut answer = Map::new();
            if multi {
                answer.insert("multiValueHeaders".to_owned(), lists(headers).into());
            } else {
                answer.insert("headers".to_owned(), by_case(headers).into());
            }
            let reason = carried.status.canonical_reason().unwrap_or("Unknown");
            let description = format!("{} {reason}", carried.status.as_u16());
            answer.insert("statusDescription".to_owned(), description.into());
            answer
        }
    };
    answer.insert("statusCode".to_owned(), carried.status.as_u16().into());
    answer.insert("body".to_owned(), carried.body.clone().into());
    answer.insert("isBase64Encoded".to_owned(), carried.encoded.into());
    Value::Object(answer)
}

/// What comes once is a header, what comes more often a list: a REST API merges the two, and what stands in both might come twice.
fn by_number(headers: &HeaderMap) -> Map<String, Value> {
    let (mut once, mut more) = (Map::new(), Map::new());
    for (name, values) in lists(headers) {
        match values.as_array().map(Vec::as_slice) {
            Some([one]) => once.insert(name, one.clone()),
            _ => more.insert(name, values),
        };
    }
    let both = json!({ "headers": once, "multiValueHeaders": more });
    both.as_object().cloned().unwrap_or_default()
}

/// The status line's company in payload 2.0 and in a stream's prelude: headers with their values joined, and cookies apart, which can't be.
pub(super) fn joined_with_cookies(headers: &HeaderMap) -> Map<String, Value> {
    let others = headers.keys().filter(|name| **name != header::SET_COOKIE);
    let others: Map<String, Value> = others
        .map(|name| (name.to_string(), values(headers, name).join(", ").into()))
        .collect();
    let cookies = values(headers, &header::SET_COOKIE);
    let both = json!({ "headers": others, "cookies": cookies });
    both.as_object().cloned().unwrap_or_default()
}

fn lists(headers: &HeaderMap) -> Map<String, Value> {
    headers
        .keys()
        .map(|name| (name.to_string(), values(headers, name).into()))
        .collect()
}

/// One value for each name. Values are joined; several cookies can't be, and go under names that differ in case.
fn by_case(headers: &HeaderMap) -> Map<String, Value> {
    let mut all = Map::new();
    for name in headers.keys() {
        let values = values(headers, name);
        if *name != header::SET_COOKIE || values.len() == 1 {
            all.insert(name.to_string(), values.join(", ").into());
            continue;
        }
        let mut casings = casings(name.as_str());
        for value in values {
            if let Some(casing) = casings.next() {
                all.insert(casing, value.into());
            } else {
                tracing::error!("a load balancer carries no more cookies: one is lost");
            }
        }
    }
    all
}

/// The ways to write a name with letters of both cases, in the order in which a map sorts them: the client gets what is set later
/// later.
fn casings(name: &str) -> impl Iterator<Item = String> {
    let letters = name.bytes().filter(u8::is_ascii_alphabetic).count().min(16);
    (0..1_u32 << letters).map(move |number| {
        let mut left = letters;
        let mut written = String::with_capacity(name.len());
        for letter in name.chars() {
            let is_letter = letter.is_ascii_alphabetic() && left > 0;
            left -= usize::from(is_letter);
            let lower = !is_letter || number >> left & 1 == 1;
            written.push(if lower {
                letter
            } else {
                letter.to_ascii_uppercase()
            });
        }
        written
    })
}

fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let all = headers.get_all(name).iter();
    all.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_balancer_carries_cookies_by_case() {
        let mut headers = HeaderMap::new();
        for number in 0..513 {
            let cookie = format!("c{number}=1").parse().unwrap();
            headers.append(header::SET_COOKIE, cookie);
        }
        let carried = by_case(&headers);
        // Nine letters: 512 ways.
        assert_eq!(carried.len(), 512);
        assert!(
            carried
                .keys()
                .all(|name| name.eq_ignore_ascii_case("set-cookie"))
        );
        let told: Vec<&str> = carried.values().filter_map(Value::as_str).collect();
        assert_eq!(told.first(), Some(&"c0=1"));
        assert!(
            told.iter()
                .enumerate()
                .all(|(number, told)| *told == format!("c{number}=1"))
        );
    }
}
