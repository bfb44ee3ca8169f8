//! Where a Redis is and how it is to be used, read from one line: `redis://user:password@host:6379/0?replicas=1`.
//! Nothing is connected here, and no password is ever shown: not by `Display`, not by `Debug`, not in an error.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
const MOST_REPLICAS: u32 = 64;
const KEYS: &str = "replicas, accept, ca, sentinel_user, sentinel_password";

/// A Redis, as `--store` and `GALA_STORE` name it. Passwords are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// `host:port` of each server named: one, or the sentinels, or some nodes of a cluster. Never empty.
    pub hosts: Vec<(String, u16)>,
    /// How the servers stand to each other.
    pub shape: Shape,
    /// Whether the connections are TLS.
    pub tls: bool,
    /// Who logs in.
    pub user: Option<String>,
    /// With what.
    pub password: Option<String>,
    /// The database's number; 0 in a cluster.
    pub db: i64,
    /// How many replicas can be promoted, 0 to 64: an answer of a `strict` campaign waits for all of them.
    pub replicas: u32,
    /// Dangers that the operator has accepted by name, as `?accept=eviction`.
    pub accepted: Vec<String>,
    /// The file with the certificates that sign the server's; none: those the system trusts.
    pub ca: Option<PathBuf>,
    /// Who logs in at the sentinels, which have users of their own.
    pub sentinel_user: Option<String>,
    /// With what.
    pub sentinel_password: Option<String>,
}

/// How servers stand to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// One server.
    Single,
    /// A primary that sentinels know under this name.
    Sentinel(String),
    /// A cluster.
    Cluster,
}

/// An address that can't be understood: what is wrong, and what a right one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnAddress(pub String);

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| {
            wrong("the store's address has no `://`; a right one: redis://host:6379")
        })?;
        let (kind, tls) = kind_of(scheme)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(login), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));

        let (user, password) = login.map(parse_login).transpose()?.unwrap_or_default();
        let port = if kind == Kind::Sentinel {
            SENTINEL_PORT
        } else {
            PORT
        };
        let hosts = hosts
            .split(',')
            .map(|host| parse_host(host, port))
            .collect::<Result<Vec<_>, _>>()?;
        if kind == Kind::Single && hosts.len() > 1 {
            return Err(wrong(
                "redis:// names one server; several are redis+sentinel://h1,h2/mymaster or redis+cluster://h1,h2",
            ));
        }
        let (shape, db) = parse_path(kind, path)?;

        let mut address = Self {
            hosts,
            shape,
            tls,
            user,
            password,
            db,
            replicas: 0,
            accepted: Vec::new(),
            ca: None,
            sentinel_user: None,
            sentinel_password: None,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            address.set(pair)?;
        }
        Ok(address)
    }
}

impl Address {
    fn set(&mut self, pair: &str) -> Result<(), NotAnAddress> {
        let (key, raw) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(raw, key)?;
        if value.is_empty() {
            return Err(wrong(format!(
                "`{key}` in the store's address has no value; known are {KEYS}"
            )));
        }
        match key {
            "replicas" => {
                let replicas = value.parse().ok().filter(|n| *n <= MOST_REPLICAS);
                self.replicas = replicas.ok_or_else(|| {
                    wrong(format!(
                        "replicas={value} is no number from 0 to {MOST_REPLICAS}; a right one: ?replicas=1"
                    ))
                })?;
            }
            "accept" => {
                let names = value.split(',').map(str::to_owned).collect::<Vec<_>>();
                let is_name = |name: &String| {
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
                };
                if !names.iter().all(is_name) {
                    return Err(wrong(format!(
                        "accept={value} is no list of names; a right one: ?accept=eviction"
                    )));
                }
                self.accepted.extend(names);
            }
            "ca" if !self.tls => {
                return Err(wrong(
                    "`ca` is for TLS, and this address has none; a right one: rediss://host:6379?ca=/path/to/ca.pem",
                ));
            }
            "ca" => self.ca = Some(PathBuf::from(value)),
            "sentinel_user" | "sentinel_password" if !matches!(self.shape, Shape::Sentinel(_)) => {
                return Err(wrong(format!(
                    "`{key}` is for sentinels, and this address has none; a right one: redis+sentinel://h1,h2/mymaster"
                )));
            }
            "sentinel_user" => self.sentinel_user = Some(value),
            "sentinel_password" => self.sentinel_password = Some(value),
            unknown => {
                return Err(wrong(format!(
                    "the store's address knows no `{unknown}`; known are {KEYS}"
                )));
            }
        }
        Ok(())
    }
}

/// Shows everything but passwords, which are `***`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "rediss" } else { "redis" })?;
        f.write_str(match self.shape {
            Shape::Single => "://",
            Shape::Sentinel(_) => "+sentinel://",
            Shape::Cluster => "+cluster://",
        })?;
        if self.user.is_some() || self.password.is_some() {
            write!(f, "{}:***@", self.user.as_deref().unwrap_or_default())?;
        }
        for (at, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}", place(host, *port))?;
        }
        if let Shape::Sentinel(name) = &self.shape {
            write!(f, "/{name}")?;
        }
        if self.db != 0 {
            write!(f, "/{}", self.db)?;
        }
        let mut query = Vec::new();
        if self.replicas > 0 {
            query.push(format!("replicas={}", self.replicas));
        }
        if !self.accepted.is_empty() {
            query.push(format!("accept={}", self.accepted.join(",")));
        }
        if let Some(ca) = &self.ca {
            query.push(format!("ca={}", ca.display()));
        }
        if let Some(user) = &self.sentinel_user {
            query.push(format!("sentinel_user={user}"));
        }
        if self.sentinel_password.is_some() {
            query.push("sentinel_password=***".to_owned());
        }
        if query.is_empty() {
            return Ok(());
        }
        write!(f, "?{}", query.join("&"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// `host:port`, with brackets where the host is an IPv6 address.
pub fn place(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Single,
    Sentinel,
    Cluster,
}

fn kind_of(scheme: &str) -> Result<(Kind, bool), NotAnAddress> {
    Ok(match scheme {
        "redis" => (Kind::Single, false),
        "rediss" => (Kind::Single, true),
        "redis+sentinel" => (Kind::Sentinel, false),
        "rediss+sentinel" => (Kind::Sentinel, true),
        "redis+cluster" => (Kind::Cluster, false),
        "rediss+cluster" => (Kind::Cluster, true),
        _ => {
            return Err(wrong(format!(
                "the store's address begins with `{scheme}://`; known are redis://, redis+sentinel:// and redis+cluster://, each with TLS as rediss"
            )));
        }
    })
}

fn parse_login(login: &str) -> Result<(Option<String>, Option<String>), NotAnAddress> {
    let (user, password) = login.split_once(':').ok_or_else(|| {
        wrong("the store's address has a user and no password; a right one: redis://user:password@host:6379")
    })?;
    let user = decode(user, "user")?;
    let password = decode(password, "password")?;
    if password.is_empty() {
        return Err(wrong(
            "the password in the store's address is empty; a right one: redis://user:password@host:6379",
        ));
    }
    Ok(((!user.is_empty()).then_some(user), Some(password)))
}

fn parse_host(text: &str, default_port: u16) -> Result<(String, u16), NotAnAddress> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| {
            wrong("a `[` in the store's address is never closed; a right one: redis://[::1]:6379")
        })?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(wrong(format!(
                "`[{host}]` is no IPv6 address; a right one: redis://[::1]:6379"
            )));
        }
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => {
                return Err(wrong(
                    "after `]` comes `:port`; a right one: redis://[::1]:6379",
                ));
            }
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    // A stray part of a password must not be shown: a `/` or `?` in it that is not encoded ends up here.
    let is_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    if host.is_empty() || !host.bytes().all(is_host) {
        return Err(wrong(
            "the store's address names no host that can be one (in a password, `@`, `/`, `:` and `?` are written %40, %2F, %3A and %3F); a right one: redis://host:6379",
        ));
    }
    let Some(port) = port else {
        return Ok((host.to_owned(), default_port));
    };
    let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
        wrong(format!(
            "the port of `{host}` in the store's address is no number from 1 to 65535 (an IPv6 address stands in brackets; in a password, `@`, `/` and `?` are written %40, %2F and %3F); a right one: redis://host:{default_port}"
        ))
    })?;
    Ok((host.to_owned(), port))
}

fn parse_path(kind: Kind, path: &str) -> Result<(Shape, i64), NotAnAddress> {
    let parse_db = |text: &str| {
        if text.is_empty() {
            return Ok(0);
        }
        let db = text
            .parse()
            .ok()
            .filter(|db: &i64| (0..=9_999).contains(db));
        db.ok_or_else(|| {
            wrong("what follows the host's `/` is no database number; a right one: redis://host:6379/0")
        })
    };
    match kind {
        Kind::Single => Ok((Shape::Single, parse_db(path)?)),
        Kind::Cluster if parse_db(path)? != 0 => Err(wrong(
            "a cluster has database 0 only; a right one: redis+cluster://h1:6379,h2:6379",
        )),
        Kind::Cluster => Ok((Shape::Cluster, 0)),
        Kind::Sentinel => {
            let (name, db) = path.split_once('/').unwrap_or((path, ""));
            let name = decode(name, "name of the primary")?;
            if name.is_empty() {
                return Err(wrong(
                    "the sentinels' name of the primary is missing; a right one: redis+sentinel://h1:26379,h2:26379/mymaster",
                ));
            }
            Ok((Shape::Sentinel(name), parse_db(db)?))
        }
    }
}

fn decode(text: &str, what: &str) -> Result<String, NotAnAddress> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return Err(wrong(format!(
                "a `%` in the {what} of the store's address is not followed by two hex digits; `%` itself is written %25"
            )));
        };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes)
        .map_err(|_| wrong(format!("the {what} in the store's address is no UTF-8")))
}

fn wrong(why: impl Into<String>) -> NotAnAddress {
    NotAnAddress(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_understood() {
        for text in [
            "redis://localhost:6379",
            "redis://[::1]:7000/3",
            "rediss://10.0.0.1:6379?replicas=2&accept=eviction,no-fsync&ca=/etc/ca.pem",
            "redis+sentinel://a:26379,b:26380/mymaster/2?replicas=1",
            "rediss+cluster://a:1,b:2,[fe80::1]:3",
        ] {
            let address = text.parse::<Address>().unwrap();
            assert_eq!(address.to_string(), text);
        }
        let bare = "redis+sentinel://a,b/m".parse::<Address>().unwrap();
        assert_eq!(
            bare.hosts,
            [("a".to_owned(), 26379), ("b".to_owned(), 26379)]
        );
        assert_eq!(bare.shape, Shape::Sentinel("m".to_owned()));
    }

    #[test]
    fn passwords_are_decoded_and_never_shown() {
        let text =
            "redis+sentinel://bob:p%40s%2Fs%3A%25@h/m?sentinel_user=eve&sentinel_password=gh%26st";
        let address = text.parse::<Address>().unwrap();
        assert_eq!(address.user.as_deref(), Some("bob"));
        assert_eq!(address.password.as_deref(), Some("p@s/s:%"));
        assert_eq!(address.sentinel_password.as_deref(), Some("gh&st"));
        let shown = format!("{address} {address:?}");
        assert!(shown.contains("bob:***@h:26379"), "{shown}");
        assert!(
            !shown.contains("p@s") && !shown.contains("p%40") && !shown.contains("gh"),
            "{shown}"
        );
        let alone = "redis://:secret@h".parse::<Address>().unwrap();
        assert_eq!(
            (alone.user, alone.password.as_deref()),
            (None, Some("secret"))
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            ("localhost:6379", "no `://`"),
            ("http://h", "`http://`"),
            ("redis://", "names no host"),
            ("redis://h:0", "port of `h`"),
            ("redis://h:70000", "port of `h`"),
            ("redis://::1", "names no host"),
            ("redis://[::1", "never closed"),
            ("redis://[nope]:1", "no IPv6"),
            ("redis://a,b", "redis+cluster://"),
            ("redis://h/x", "no database number"),
            ("redis://bob@h", "no password"),
            ("redis://bob:@h", "password in the store's address is empty"),
            ("redis://bob:x%2@h", "two hex digits"),
            ("redis+sentinel://h", "mymaster"),
            ("redis+cluster://h/1", "database 0 only"),
            ("redis://h?replicas=many", "replicas=many"),
            ("redis://h?replicas=65", "0 to 64"),
            ("redis://h?accept=All", "?accept=eviction"),
            ("redis://h?ca=/x", "rediss://"),
            ("redis://h?timeout=1", "no `timeout`"),
            ("redis://h?replicas", "no value"),
            ("redis://h?sentinel_user=x", "for sentinels"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_that_is_not_encoded_is_not_shown_either() {
        for text in [
            "redis://bob:hunter2/x@h:1",
            "redis://bob:hunter2?x@h:1",
            "redis://bob:hunter2#h",
            "redis:/bob:hunter2@h",
        ] {
            if let Err(error) = text.parse::<Address>() {
                assert!(!error.to_string().contains("hunter2"), "{text}: {error}");
            }
        }
    }
}
