//! Where a Redis is and how it is to be used, read from one line: `redis://user:password@host:6379/0?replicas=1`.

use std::fmt;
use std::str::FromStr;

/// A Redis, as `--store` and `GALA_STORE` name it. Passwords are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// `host:port` of each server named: one, or the sentinels, or some nodes of a cluster.
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
    /// How many replicas can be promoted: an answer of a `strict` campaign waits for all of them.
    pub replicas: u32,
    /// Dangers that the operator has accepted by name, as `?accept=eviction`.
    pub accepted: Vec<String>,
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

/// An address that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnAddress(pub String);

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let rest = text
            .strip_prefix("redis://")
            .ok_or_else(|| NotAnAddress(format!("`{text}` does not begin with redis://")))?;
        let (host, port) = rest
            .split_once(':')
            .ok_or_else(|| NotAnAddress("no port".to_owned()))?;
        Ok(Self {
            hosts: vec![(
                host.to_owned(),
                port.parse()
                    .map_err(|_| NotAnAddress("not a port".to_owned()))?,
            )],
            shape: Shape::Single,
            tls: false,
            user: None,
            password: None,
            db: 0,
            replicas: 0,
            accepted: Vec::new(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (host, port) in &self.hosts {
            write!(f, "redis://{host}:{port}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}
