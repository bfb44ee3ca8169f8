//! Who the primary is, by what the sentinels say. They are asked anew for every connection, and once a second whether
//! they have changed their mind: an old primary that is merely cut off from them still answers, and would lose it all.

use std::time::Duration;

use parking_lot::Mutex;
use redis::Value;
use redis::aio::ConnectionLike;

use super::dial::{Dialer, Link};
use super::fault::LinkError;
use crate::redis::address::place;

/// How long one sentinel may take to answer, connection included: three fit into the time of one connection.
const ASK_TIMEOUT: Duration = Duration::from_millis(300);

/// The sentinels of one primary.
#[derive(Debug)]
pub(super) struct Sentinels {
    pub(super) hosts: Vec<(String, u16)>,
    pub(super) name: String,
    pub(super) dialer: Dialer,
    /// Where the newest connection went.
    pub(super) current: Mutex<Option<(String, u16)>>,
}

impl Sentinels {
    /// Where the primary is: the first answer counts.
    pub(super) async fn primary(&self) -> Result<(String, u16), LinkError> {
        let mut why = Vec::new();
        for (host, port) in &self.hosts {
            match tokio::time::timeout(ASK_TIMEOUT, self.ask(host, *port)).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => why.push(error),
                Err(_) => why.push(format!("{}: no answer in time", place(host, *port))),
            }
        }
        Err(LinkError::Away(format!(
            "no sentinel names the primary of `{}`: {}",
            self.name,
            why.join("; ")
        )))
    }

    /// Whether the sentinels now name another primary than the newest connection went to. Silence changes nothing.
    pub(super) async fn have_changed_their_mind(&self) -> bool {
        let Ok(named) = self.primary().await else {
            return false;
        };
        self.current.lock().as_ref().is_some_and(|it| *it != named)
    }

    async fn ask(&self, host: &str, port: u16) -> Result<(String, u16), String> {
        let mut link = self
            .dialer
            .dial(host, port)
            .await
            .map_err(|error| error.to_string())?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.name);
        let reply = link.connection.req_packed_command(&question).await;
        let reply = reply.and_then(Value::extract_error);
        let named = reply
            .map_err(|error| error.to_string())
            .and_then(|value| redis::from_redis_value(value).map_err(|error| error.to_string()));
        match named {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(format!("{} knows no such name", place(host, port))),
            Err(why) => Err(format!("{}: {why}", place(host, port))),
        }
    }
}

/// Sentinels may be behind: a connection to a server that is no primary is none. Where `ROLE` is not allowed, `READONLY`
/// will tell.
pub(super) async fn check_role(link: &mut Link, host: &str, port: u16) -> Result<(), LinkError> {
    let reply = link
        .connection
        .req_packed_command(&redis::cmd("ROLE"))
        .await
        .map_err(|error| LinkError::Away(format!("{}: {error}", place(host, port))))?;
    let Value::Array(parts) = reply else {
        return Ok(());
    };
    match parts.first() {
        Some(Value::BulkString(role)) if role != b"master" => Err(LinkError::Away(format!(
            "{} is no primary",
            place(host, port)
        ))),
        _ => Ok(()),
    }
}
