//! A function's process: told from its log, called over HTTP, ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use testbed::until;

/// How long a start or an end may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running function; killed when dropped.
pub struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    address: String,
}

impl Program {
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = lines.clone();
        // Ends with the process; until then it keeps the pipe from filling up.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                kept.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            lines,
            address: String::new(),
        }
    }

    /// Waits until it says that it is ready: that line of its log.
    pub fn ready(&mut self) -> Value {
        let line = self.wait_for("ready in ");
        let address = line["address"].as_str().unwrap();
        self.address = address.replace("0.0.0.0", "127.0.0.1");
        line
    }

    /// Waits for a line of its log with these words.
    pub fn wait_for(&mut self, words: &str) -> Value {
        until(words, PATIENCE, || {
            let found = self.find(words);
            if found.is_none()
                && let Some(status) = self.child.try_wait().unwrap()
            {
                panic!("it ended ({status}): {}", self.words());
            }
            found
        })
    }

    pub fn said(&self, words: &str) -> bool {
        self.find(words).is_some()
    }

    fn find(&self, words: &str) -> Option<Value> {
        let lines = self.lines.lock().unwrap();
        lines
            .iter()
            .find(|line| line.to_string().contains(words))
            .cloned()
    }

    pub fn words(&self) -> String {
        let lines = self.lines.lock().unwrap();
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        lines.join("\n")
    }

    /// Calls it; with a token and an idempotency key.
    pub fn call(&self, method: &str, path: &str, by: Option<(&str, &str)>) -> (u16, Value) {
        let by = by.map_or_else(String::new, |(token, key)| {
            format!("Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n")
        });
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: function\r\nContent-Length: 0\r\nConnection: close\r\n{by}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    /// SIGTERM; how it ended.
    pub fn stop(&mut self) -> Option<i32> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(asked.success());
        self.end()
    }

    /// Waits for its end: how it ended.
    pub fn end(&mut self) -> Option<i32> {
        let status = until("its end", PATIENCE, || self.child.try_wait().unwrap());
        // Its last words may still be on their way through the pipe.
        until("its last words", PATIENCE, || {
            (Arc::strong_count(&self.lines) == 1).then_some(())
        });
        status.code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
