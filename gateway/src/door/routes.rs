//! Paths that belong to servers which are not ours: one that is to be split is split here, path by path, with the activities beside
//! it.

use std::fmt;
use std::sync::Arc;

use super::remote::Remote;

/// What is answered here, and by nobody else.
const OURS: [&str; 4] = ["/v1", "/healthz", "/readyz", "/openapi.json"];

/// Servers by the path below which all is theirs. The longest path that fits decides.
#[derive(Debug, Default)]
pub struct Routes(Vec<(String, Arc<Remote>)>);

/// A path that can't be handed to another server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotARoute {
    /// It is none.
    #[error("`{0}` is no path: write `/shop`, or `/` for all that nothing else takes")]
    NotAPath(String),
    /// It is ours.
    #[error("`{0}` is answered by Gala itself")]
    Ours(String),
    /// It has a server.
    #[error("`{0}` has a server already: name all its addresses at once")]
    Twice(String),
}

impl Routes {
    /// A path as it is kept: without a slash at its end.
    pub fn path(text: &str) -> Result<String, NotARoute> {
        let path = text.trim_end_matches('/');
        let sound = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\\"".contains(&byte);
        if !text.starts_with('/') || path.contains("//") || !path.bytes().all(sound) {
            return Err(NotARoute::NotAPath(text.to_owned()));
        }
        if OURS
            .iter()
            .any(|ours| path == *ours || path.starts_with(&format!("{ours}/")))
        {
            return Err(NotARoute::Ours(text.to_owned()));
        }
        Ok(path.to_owned())
    }

    /// Hands a path, as [`Routes::path`] gave it, to a server.
    pub fn add(&mut self, path: String, server: Arc<Remote>) -> Result<(), NotARoute> {
        if self.0.iter().any(|(known, _)| *known == path) {
            return Err(NotARoute::Twice(path));
        }
        self.0.push((path, server));
        self.0
            .sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Ok(())
    }

    /// The server of a path: whole segments count, so `/shop` takes `/shop` and `/shop/x`, and not `/shopping`.
    pub(super) fn of(&self, path: &str) -> Option<&Arc<Remote>> {
        // Where there are none, which is usual, nothing is looked at.
        if self.0.is_empty() || OURS.iter().any(|ours| is_below(path, ours)) {
            return None;
        }
        let found = self.0.iter().find(|(known, _)| is_below(path, known));
        found.map(|(_, server)| server)
    }

    /// The paths and their servers' addresses.
    pub fn listed(&self) -> impl Iterator<Item = (impl fmt::Display, &Arc<Remote>)> {
        self.0.iter().map(|(path, server)| {
            let path = if path.is_empty() { "/" } else { path };
            (path, server)
        })
    }
}

fn is_below(path: &str, base: &str) -> bool {
    let rest = path.strip_prefix(base);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_others() {
        let path = |text: &str| Routes::path(text).ok();
        assert_eq!(path("/shop/").as_deref(), Some("/shop"));
        assert_eq!(path("/").as_deref(), Some(""));
        for bad in [
            "",
            "shop",
            "/a//b",
            "/a?b",
            "/a b",
            "/v1",
            "/v1/acme",
            "/readyz",
            "/healthz/x",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
        assert!(path("/v1beta").is_some());
        assert!(
            is_below("/shop/x", "/shop")
                && is_below("/shop", "/shop")
                && !is_below("/shopping", "/shop")
        );
        assert!(is_below("/x", ""));
    }
}
