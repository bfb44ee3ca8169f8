//! Cold starts: from exec to the first good answer, of each activity's function on each host, beside a bare axum hello in the same run.
//!
//! `cargo bench -p cli --bench cold_start -- --dir target/release --runs 30`, where that folder has `hello` (of loadtest), `gala` and the
//! activities' programs. A function has its campaigns from a bundle and its store in a Redis with AOF; over HTTP it is asked as soon as it
//! takes a connection, on SCF and Lambda its first event waits when it starts. With `--koa loadtest/peers/koa` (after `npm ci` there) a
//! row of Koa + ioredis on the same Redis stands beside them. What is printed is a table for docs/PERFORMANCE.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench without its programs has no figures"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::{Value, json};
use testbed::lambda::{Lambda, Outcome};
use testbed::{ScfOutcome, ScfRuntime, Server, free_port, until};

/// How often it is looked whether a port takes connections.
const LOOK_EVERY: Duration = Duration::from_micros(50);
const PATIENCE: Duration = Duration::from_mins(1);

/// The activities, each with a campaign of the example's.
const ACTIVITIES: [(&str, &str); 4] = [
    ("sign-in", "word-checkin"),
    ("gift-pack", "flash-pack"),
    ("lottery", "spring-wheel"),
    ("custom", "exam-cheer"),
];

#[derive(Debug, Parser)]
struct Args {
    /// Where the programs are
    #[arg(long, default_value = "target/release")]
    dir: PathBuf,
    /// The example's configs
    #[arg(long, default_value = "configs")]
    configs: PathBuf,
    /// How often each is started, in turn
    #[arg(long, default_value_t = 30)]
    runs: usize,
    /// The folder of the Koa peer, its packages installed
    #[arg(long)]
    koa: Option<PathBuf>,
    /// What cargo passes to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Hello,
    Koa,
    Http,
    Scf,
    Lambda,
}

/// A program on a host, and what was seen of it.
struct Contender {
    program: &'static str,
    campaign: &'static str,
    on: On,
    took: Vec<Duration>,
    peak_kib: u64,
}

struct Stage {
    dir: PathBuf,
    koa: Option<PathBuf>,
    folder: tempfile::TempDir,
    redis: Server,
}

fn main() {
    let args = Args::parse();
    let stage = Stage::build(&args);
    let mut contenders = vec![Contender::new("hello", "", On::Hello)];
    if args.koa.is_some() {
        contenders.push(Contender::new("Koa + ioredis", "", On::Koa));
    }
    for on in [On::Http, On::Scf, On::Lambda] {
        contenders
            .extend(ACTIVITIES.map(|(program, campaign)| Contender::new(program, campaign, on)));
    }
    for run in 0..args.runs {
        let count = contenders.len();
        for step in 0..count {
            // Each begins a round in its turn.
            contenders[(run + step) % count].start(&stage);
        }
    }
    let floor = contenders[0].median();
    println!("| program | host | size, MB | p50, ms | least, ms | x hello | peak, MB |");
    println!("|---|---|---|---|---|---|---|");
    for contender in &contenders {
        let size = match std::fs::metadata(stage.dir.join(contender.program)) {
            Ok(program) => format!("{:.2}", program.len() as f64 / 1e6),
            Err(_) => "–".to_owned(),
        };
        println!(
            "| {} | {} | {size} | {:.2} | {:.2} | {:.2} | {:.1} |",
            contender.program,
            match contender.on {
                On::Hello | On::Koa | On::Http => "HTTP",
                On::Scf => "SCF event",
                On::Lambda => "Lambda",
            },
            contender.median().as_secs_f64() * 1e3,
            contender.took.iter().min().unwrap().as_secs_f64() * 1e3,
            contender.median().as_secs_f64() / floor.as_secs_f64(),
            contender.peak_kib as f64 / 1024.0,
        );
    }
}

impl Stage {
    /// A Redis that has the campaigns, and a bundle of them.
    fn build(args: &Args) -> Self {
        let stage = Self {
            dir: args.dir.canonicalize().expect("the programs' folder"),
            koa: args
                .koa
                .as_ref()
                .map(|koa| koa.canonicalize().expect("the Koa peer's folder")),
            folder: tempfile::tempdir().unwrap(),
            redis: Server::with(&[("appendonly", "yes"), ("appendfsync", "always")]),
        };
        let gala = stage.dir.join("gala");
        let compiled = Command::new(&gala)
            .args(["compile", args.configs.to_str().unwrap(), "--out"])
            .arg(stage.bundle())
            .stdout(Stdio::null())
            .status();
        assert!(
            compiled.expect("gala").success(),
            "the configs do not compile"
        );
        let (public, admin) = (free_port(), free_port());
        let mut serving = Command::new(&gala)
            .args([
                "serve",
                "--listen",
                &format!("127.0.0.1:{public}"),
                "--admin-listen",
                &format!("127.0.0.1:{admin}"),
            ])
            .arg("--configs")
            .arg(&args.configs)
            .arg("--data")
            .arg(stage.folder.path().join("data"))
            .env("GALA_STORE", stage.redis.address())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gala");
        until("a store with campaigns", PATIENCE, || {
            get(public, "/readyz").filter(|status| *status == 200)
        });
        end(&mut serving);
        stage
    }

    fn bundle(&self) -> PathBuf {
        self.folder.path().join("gala.bundle")
    }

    fn command(&self, program: &str, on: On) -> Command {
        let mut command = match &self.koa {
            Some(koa) if on == On::Koa => {
                let mut command = Command::new("node");
                command.arg(koa.join("server.mjs"));
                command
            }
            _ => Command::new(self.dir.join(program)),
        };
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("REDIS", self.redis.address())
            .env("GALA_BUNDLE", self.bundle())
            .env("GALA_STORE", self.redis.address())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }
}

impl Contender {
    fn new(program: &'static str, campaign: &'static str, on: On) -> Self {
        Self {
            program,
            campaign,
            on,
            took: Vec::new(),
            peak_kib: 0,
        }
    }

    fn median(&self) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        took[took.len() / 2]
    }

    /// Starts it once, and ends it after its first good answer.
    fn start(&mut self, stage: &Stage) {
        let mut command = stage.command(self.program, self.on);
        let path = match self.on {
            On::Hello | On::Koa => "/".to_owned(),
            On::Http | On::Scf | On::Lambda => format!("/v1/acme/{}/public", self.campaign),
        };
        let (mut child, took) = match self.on {
            On::Hello | On::Koa | On::Http => over_http(command, &path),
            On::Scf => {
                let api = ScfRuntime::start();
                command
                    .env("SCF_RUNTIME_API", "127.0.0.1")
                    .env("SCF_RUNTIME_API_PORT", api.port().to_string());
                let event = json!({ "httpMethod": "GET", "path": path, "headers": {}, "queryString": {}, "body": "" });
                let number = api.push(event.to_string());
                let (child, began) = exec(command);
                let ScfOutcome::Response(answer) = api.outcome(number) else {
                    panic!("{} failed on SCF", self.program);
                };
                let took = began.elapsed();
                good(&answer);
                (child, took)
            }
            On::Lambda => {
                let api = Lambda::start();
                command.env("AWS_LAMBDA_RUNTIME_API", api.api());
                let event = json!({
                    "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": {},
                    "requestContext": { "stage": "$default", "http": { "method": "GET", "path": path, "sourceIp": "203.0.113.7" } },
                });
                let id = api.push(event.to_string());
                let (child, began) = exec(command);
                let Outcome::Answered(answer) = api.outcome(&id) else {
                    panic!("{} failed on Lambda", self.program);
                };
                let took = began.elapsed();
                good(&answer);
                (child, took)
            }
        };
        self.took.push(took);
        self.peak_kib = self.peak_kib.max(peak_kib(child.id()));
        end(&mut child);
    }
}

fn exec(mut command: Command) -> (Child, Instant) {
    let began = Instant::now();
    (command.spawn().expect("a program that starts"), began)
}

fn over_http(mut command: Command, path: &str) -> (Child, Duration) {
    let port = free_port();
    command.env("PORT", port.to_string());
    let (child, began) = exec(command);
    while get(port, path) != Some(200) {
        assert!(began.elapsed() < PATIENCE, "no good answer");
        thread::sleep(LOOK_EVERY);
    }
    (child, began.elapsed())
}

/// The status of an answer, where there is one.
fn get(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    // Koa's peer claims for whom a token names (`{"sub":"a"}`), under a key; the others pass that over.
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer e30.eyJzdWIiOiJhIn0.x\r\nIdempotency-Key: k\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

fn good(answer: &[u8]) {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
}

/// The most memory that a process has had resident (`VmHWM`), in KiB.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok())
        .unwrap_or(0)
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
