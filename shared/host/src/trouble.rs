//! What can go wrong before or around a handler, and who says it: each program in its own words.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Why a call has no answer of its handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// What the host handed over is no request.
    BadRequest(String),
    /// The path is not for this program.
    NotFound,
    /// The body is larger than this many bytes.
    BodyTooLarge {
        /// The most that is taken, in bytes.
        most: usize,
    },
    /// The answer is larger than the host carries.
    AnswerTooLarge {
        /// The most that the host carries, in bytes of its own form.
        most: usize,
    },
    /// The host would end the call now. What it did may have been done.
    Late,
    /// The handler broke.
    Panicked,
}

impl Trouble {
    /// The status that goes with it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::AnswerTooLarge { .. } | Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Late => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A program's own words for trouble.
pub trait Words: Send + Sync + std::fmt::Debug {
    /// The answer; `request_id` is the host's name of the call, where it has one.
    fn answer(&self, trouble: &Trouble, request_id: Option<&str>) -> Response;
}

/// A status and a line of text.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Words for Plain {
    fn answer(&self, trouble: &Trouble, _request_id: Option<&str>) -> Response {
        let words = match trouble {
            Trouble::BadRequest(why) => format!("{why}\n"),
            Trouble::NotFound => "there is nothing here\n".to_owned(),
            Trouble::BodyTooLarge { most } => format!("the body is larger than {most} bytes\n"),
            Trouble::AnswerTooLarge { most } => {
                format!("the answer is larger than the {most} bytes that this host carries\n")
            }
            Trouble::Late => {
                "there is no answer in time; what was asked may have been done\n".to_owned()
            }
            Trouble::Panicked => "the server failed\n".to_owned(),
        };
        let mut response = (trouble.status(), words).into_response();
        if *trouble == Trouble::Late {
            let one = axum::http::HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, one);
        }
        response
    }
}
