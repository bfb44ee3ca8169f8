//! Messages that the server sends by itself. They are a hint and no record: what is said while nobody listens is gone,
//! and a gap is told so that the listener can look for itself.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::Value;
use redis::aio::PubSub;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::fault::LinkError;
use super::pause::Pause;
use super::{REPLY_TIMEOUT, Shared};

/// Messages that wait for a listener; what comes beyond is a gap.
const WAITING: usize = 1_024;

/// How often a silent connection is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(5);

const PAUSE: Pause = Pause {
    first_ms: 100,
    most_ms: 2_000,
};

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message.
    Message(Vec<u8>),
    /// Messages may have been missed: the connection was lost and is back, or the listener was too slow.
    Gap,
}

/// A channel that is listened to. It reconnects by itself, and ends when this is dropped.
#[derive(Debug)]
pub struct Topic {
    heard: mpsc::Receiver<Heard>,
    listener: AbortHandle,
}

impl Topic {
    /// The next thing heard. Cancelling loses nothing. Never none while the runtime runs.
    pub async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }

    /// Listens; an error if the first connection fails.
    pub(super) async fn open(links: Arc<Shared>, channel: String) -> Result<Self, LinkError> {
        let first = listen(&links, &channel).await?;
        let (tell, heard) = mpsc::channel(WAITING);
        let task = tokio::spawn(keep_listening(links, channel, first, tell));
        Ok(Self {
            heard,
            listener: task.abort_handle(),
        })
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn keep_listening(
    links: Arc<Shared>,
    channel: String,
    first: PubSub,
    tell: mpsc::Sender<Heard>,
) {
    let mut connection = first;
    loop {
        pass_on(connection, &tell).await;
        let mut tries = 0;
        connection = loop {
            tokio::time::sleep(Duration::from_millis(PAUSE.nth(tries))).await;
            match listen(&links, &channel).await {
                Ok(connection) => break connection,
                Err(error) => tracing::debug!(%error, channel, "listening is tried again"),
            }
            tries = tries.saturating_add(1);
        };
        if tell.send(Heard::Gap).await.is_err() {
            return;
        }
    }
}

async fn listen(links: &Shared, channel: &str) -> Result<PubSub, LinkError> {
    let (host, port) = links.somewhere().await?;
    let mut connection = links.dialer.dial_for_messages(&host, port).await?;
    match tokio::time::timeout(REPLY_TIMEOUT, connection.subscribe(channel)).await {
        Ok(Ok(())) => Ok(connection),
        Ok(Err(error)) => Err(LinkError::after_sending(error)),
        Err(_) => Err(LinkError::Away("subscribing took too long".to_owned())),
    }
}

/// Passes messages on until the connection is gone.
async fn pass_on(connection: PubSub, tell: &mpsc::Sender<Heard>) {
    let (mut ask, mut messages) = connection.split();
    let mut has_gap = false;
    loop {
        match tokio::time::timeout(PING_EVERY, messages.next()).await {
            Ok(Some(message)) => {
                if has_gap && tell.try_send(Heard::Gap).is_err() {
                    continue;
                }
                let message = Heard::Message(message.get_payload_bytes().to_vec());
                has_gap = tell.try_send(message).is_err();
            }
            Ok(None) => return,
            Err(_) => {
                if has_gap {
                    has_gap = tell.try_send(Heard::Gap).is_err();
                }
                let pong = tokio::time::timeout(REPLY_TIMEOUT, ask.ping::<Value>()).await;
                if !matches!(pong, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}
