//! What a function says where its host met trouble before or around a handler: problems in the shape that all of ours have.

use axum::http::HeaderMap;
use axum::http::header::HeaderValue;
use axum::response::Response;
use host::{Trouble, Words};

use crate::http::edge_problem;
use crate::problem::{Code, Problem};
use crate::trace::X_REQUEST_ID;

/// Problems.
#[derive(Debug, Clone, Copy)]
pub struct Problems;

impl Words for Problems {
    fn answer(&self, trouble: &Trouble, request_id: Option<&str>) -> Response {
        let problem = match trouble {
            Trouble::BadRequest(why) => {
                Problem::new(Code::BadRequest).with("problem", why.as_str())
            }
            Trouble::NotFound => Problem::new(Code::NotFound),
            Trouble::BodyTooLarge { most } => {
                Problem::new(Code::PayloadTooLarge).with("limit", *most)
            }
            Trouble::AnswerTooLarge { .. } | Trouble::Panicked => Problem::new(Code::Internal),
            // The commit goes on in the store when nobody waits for it any more.
            Trouble::Late => Problem::new(Code::OutcomeUnknown),
        };
        let mut headers = HeaderMap::new();
        if let Some(Ok(id)) = request_id.map(HeaderValue::from_str) {
            headers.insert(X_REQUEST_ID, id);
        }
        edge_problem(problem, &headers)
    }
}
