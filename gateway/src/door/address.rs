//! Where a function elsewhere is, as a line of config says it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use axum::http::uri::{Authority, PathAndQuery, Scheme, Uri};
use axum::http::{HeaderValue, uri};

/// What is spoken to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// `http://`: HTTP/1.1.
    Http,
    /// `https://`: HTTP/1.1 over TLS.
    Https,
    /// `h2c://`: HTTP/2 from the first byte on, without TLS.
    H2c,
}

/// `http://host:port/base`, `https://host/base?ca=/path/to/ca.pem`, `h2c://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What is spoken there.
    pub speaks: Speaks,
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Certificates to trust instead of the system's: a PEM file.
    pub ca: Option<PathBuf>,
    authority: Authority,
    host_header: HeaderValue,
    /// What stands before every path, without a slash at its end; often nothing.
    base: String,
    text: String,
}

impl Address {
    /// The `Host` of calls to it.
    pub(super) fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// Where a path of ours is there, as the request line has it: with scheme and host in HTTP/2, without in HTTP/1.1.
    pub(super) fn target(&self, path: &str) -> Result<Uri, uri::InvalidUri> {
        let path = PathAndQuery::try_from(format!("{}{path}", self.base))?;
        let mut parts = uri::Parts::default();
        parts.path_and_query = Some(path.clone());
        if self.speaks == Speaks::H2c {
            parts.scheme = Some(Scheme::HTTP);
            parts.authority = Some(self.authority.clone());
        }
        // With scheme and authority, or with neither, it always is one.
        Ok(Uri::from_parts(parts).unwrap_or_else(|_| Uri::from(path)))
    }

    /// As the config wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let no = |why| NotAnAddress {
            text: shown(text),
            why,
        };
        let uri: Uri = text.parse().map_err(|_| no("that is not a URL"))?;
        let (speaks, usual_port) = match uri.scheme_str() {
            Some("http") => (Speaks::Http, 80),
            Some("https") => (Speaks::Https, 443),
            Some("h2c") => (Speaks::H2c, 80),
            _ => return Err(no("it begins with http://, https:// or h2c://")),
        };
        let authority = uri.authority().ok_or_else(|| no("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(no("a user or a password in it would not be sent"));
        }
        if text.contains('#') {
            return Err(no("it can't have a #fragment"));
        }
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host) {
            Some("") => usual_port,
            _ => authority
                .port_u16()
                .filter(|port| *port != 0)
                .ok_or_else(|| no("its port is a number from 1 to 65535"))?,
        };
        let ca = match uri.query() {
            None => None,
            Some(query) => match query.strip_prefix("ca=").filter(|file| !file.is_empty()) {
                Some(file) if speaks == Speaks::Https => Some(PathBuf::from(file)),
                _ => {
                    return Err(no(
                        "after ? only ca=/path/to/ca.pem is known, with https://",
                    ));
                }
            },
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        if host.is_empty() {
            return Err(no("it names no host"));
        }
        Ok(Self {
            speaks,
            host,
            port,
            ca,
            host_header: HeaderValue::from_str(authority.as_str())
                .map_err(|_| no("that is not a URL"))?,
            authority: authority.clone(),
            base: uri.path().trim_end_matches('/').to_owned(),
            text: text.to_owned(),
        })
    }
}

/// What is shown of a text that is no address: nothing before an `@`, where a password may stand.
fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("...@{host}"),
        None => text.to_owned(),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that is no address of a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address of a function: {why}")]
pub struct NotAnAddress {
    text: String,
    why: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let rows = [
            ("http://a", "a", 80, "/v1/x?y", "a"),
            ("http://a:8080/", "a", 8080, "/v1/x?y", "a:8080"),
            (
                "https://a.example/prod/",
                "a.example",
                443,
                "/prod/v1/x?y",
                "a.example",
            ),
            ("https://a?ca=/etc/ca.pem", "a", 443, "/v1/x?y", "a"),
            ("http://[::1]:9000", "::1", 9000, "/v1/x?y", "[::1]:9000"),
            (
                "h2c://10.0.0.1:1/b/c",
                "10.0.0.1",
                1,
                "http://10.0.0.1:1/b/c/v1/x?y",
                "10.0.0.1:1",
            ),
        ];
        for (text, host, port, target, header) in rows {
            let address: Address = text.parse().unwrap();
            assert_eq!((&*address.host, address.port), (host, port), "{text}");
            assert_eq!(address.target("/v1/x?y").unwrap().to_string(), target);
            assert_eq!(address.host_header(), header);
            assert_eq!(address.to_string(), text);
        }
        let secure: Address = "https://a?ca=/etc/ca.pem".parse().unwrap();
        assert_eq!(secure.ca, Some("/etc/ca.pem".into()));
    }

    #[test]
    fn what_is_none() {
        let rows = [
            ("", "not a URL"),
            ("a:8080", "begins with"),
            ("/v1", "begins with"),
            ("ftp://a", "begins with"),
            ("http://", "not a URL"),
            ("http://a:0", "1 to 65535"),
            ("http://a:99999", "1 to 65535"),
            ("http://a:", "1 to 65535"),
            ("http://u:secret@a", "a user or a password"),
            ("http://a#b", "fragment"),
            ("http://a?x=1", "only ca="),
            ("http://a?ca=/x", "with https://"),
            ("https://a?ca=", "only ca="),
        ];
        for (text, why) in rows {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
