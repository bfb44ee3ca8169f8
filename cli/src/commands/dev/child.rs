//! One process that is kept alive: started, started again when it dies, told to stop at the end.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::paint::Brush;
use crate::process::stop;

/// The pauses before a process that died is started again: from this, doubling to that.
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// Who has run for so long has started well.
const WELL: Duration = Duration::from_secs(10);

/// How long one may take to stop.
const PATIENCE: Duration = Duration::from_secs(12);

/// What is to be kept alive.
pub struct Plan {
    name: &'static str,
    command: Command,
}

impl Plan {
    pub fn new(name: &'static str, mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C is ours to hear: each is told when it is its turn.
        #[cfg(unix)]
        command.process_group(0);
        Self { name, command }
    }
}

/// Keeps it alive until `ended`.
pub async fn keep(mut plan: Plan, brush: Brush, mut ended: watch::Receiver<bool>) {
    let mut pause = SHORTEST;
    loop {
        let began = Instant::now();
        match plan.command.spawn() {
            Ok(mut child) => {
                let pid = child.id().unwrap_or_default();
                brush.say(&format!("started, process {pid}"));
                copy(child.stdout.take(), &brush);
                copy(child.stderr.take(), &brush);
                tokio::select! {
                    status = child.wait() => {
                        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                        brush.say(&format!("has ended ({how}) and is started again"));
                    }
                    () = over(&mut ended) => {
                        if !stop(child, PATIENCE).await {
                            brush.say("did not stop in time and was ended");
                        }
                        return;
                    }
                }
            }
            Err(error) => brush.say(&format!("{} can't be started: {error}", plan.name)),
        }
        pause = if began.elapsed() > WELL {
            SHORTEST
        } else {
            (pause * 2).min(LONGEST)
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = over(&mut ended) => return,
        }
    }
}

/// Waits for the end; whoever would tell it being gone is one, too.
async fn over(ended: &mut watch::Receiver<bool>) {
    let _ = ended.wait_for(|ended| *ended).await;
}

/// Its lines, in its colour.
fn copy(stream: Option<impl AsyncRead + Unpin + Send + 'static>, brush: &Brush) {
    let Some(stream) = stream else { return };
    let brush = brush.clone();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            brush.say(&String::from_utf8_lossy(&line));
        }
    });
}
