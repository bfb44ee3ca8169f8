//! The part of a path that only says where a program is mounted: `/api`, or a stage.

use std::str::FromStr;

use axum::http::Uri;

use crate::uri::with_path;

/// A base path: begins with a slash, does not end with one. Empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// The uri as the router knows it; none where it lies outside: `/api` holds `/api` and `/api/x`, and not `/apiary`.
    pub fn strip(&self, uri: &Uri) -> Option<Uri> {
        if self.0.is_empty() {
            return Some(uri.clone());
        }
        let rest = uri.path().strip_prefix(self.0.as_str())?;
        match rest {
            "" => with_path(uri, "/"),
            rest if rest.starts_with('/') => with_path(uri, rest),
            _ => None,
        }
    }
}

/// A text that is no base path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no base path: write `/api`, or `/api/v2`")]
pub struct NotABasePath(String);

impl FromStr for BasePath {
    type Err = NotABasePath;

    fn from_str(text: &str) -> Result<Self, NotABasePath> {
        let trimmed = text.trim_end_matches('/');
        let is_path = |text: &str| {
            text.starts_with('/')
                && text
                    .parse::<Uri>()
                    .is_ok_and(|uri| uri.path() == text && uri.query().is_none())
        };
        if trimmed.is_empty() || is_path(trimmed) {
            Ok(Self(trimmed.to_owned()))
        } else {
            Err(NotABasePath(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_strips_whole_segments() {
        let base: BasePath = "/api/".parse().unwrap();
        let strip = |uri: &str| base.strip(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(strip("/api/v1/x?a=%26"), Some("/v1/x?a=%26".to_owned()));
        assert_eq!(strip("/api"), Some("/".to_owned()));
        assert_eq!(strip("/api/"), Some("/".to_owned()));
        assert_eq!(strip("/api?a=1"), Some("/?a=1".to_owned()));
        assert_eq!(strip("/apiary"), None);
        assert_eq!(strip("/"), None);
        let none: BasePath = "/".parse().unwrap();
        assert_eq!(none, BasePath::default());
        assert_eq!(
            none.strip(&"/x".parse().unwrap())
                .map(|uri| uri.to_string()),
            Some("/x".to_owned())
        );
        for bad in ["api", "/a b", "/a?b", "https://x/y"] {
            assert!(bad.parse::<BasePath>().is_err(), "{bad}");
        }
    }
}
