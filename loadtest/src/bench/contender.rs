//! Those that are loaded: how each is started afresh, proved to work, and proved to have done the work.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::bench::http::{self, Answer};
use crate::bench::process::{self, Child, free_port};
use crate::bench::stage::{CAMPAIGN, CHECK_IN, KEY_ENV, Stage, TENANT};
use crate::bench::wrk;

/// The units that Koa's Redis begins with.
const STOCK: u64 = 1_000_000_000;

/// One of those that are compared.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Contender {
    /// axum that says hello: the ceiling.
    Hello,
    /// `gala serve` on the embedded store, durable before it answers.
    Gala,
    /// Koa + ioredis.
    Koa,
    /// `gala serve` on a Redis, one process: draws.
    Shared,
    /// The same: sign-ins, each of a user who was never there.
    SignIn,
    /// axum with one EVALSHA of gala's commit script on such a Redis: the floor of the shared store.
    Floor,
    /// Fastify + ioredis.
    Fastify,
}

impl Contender {
    /// All, in the order in which a round runs them.
    pub const ALL: [Self; 3] = [Self::Hello, Self::Gala, Self::Koa];

    /// Those of the shared store.
    pub const SHARED: [Self; 6] = [
        Self::Hello,
        Self::Floor,
        Self::Shared,
        Self::SignIn,
        Self::Fastify,
        Self::Koa,
    ];

    /// What the table calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Hello => "axum hello",
            Self::Gala => "gala serve: draw, durable",
            Self::Koa => "Koa + ioredis: claim",
            Self::Shared => "gala serve --store redis: draw",
            Self::SignIn => "gala serve --store redis: sign-in",
            Self::Floor => "axum + one EVALSHA of commit.lua",
            Self::Fastify => "Fastify + ioredis: claim",
        }
    }

    /// The campaign and the event that its requests name.
    const fn event(self) -> (&'static str, &'static str) {
        match self {
            Self::SignIn => (CHECK_IN, "sign-in"),
            _ => (CAMPAIGN, "draw"),
        }
    }
}

/// What the Redis servers keep on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Keeps {
    /// Nothing; gala, which refuses such a server for every campaign, is told that somebody vouches for it.
    Nothing,
    /// All but the last second: what `durability: standard` asks for.
    Everysec,
    /// The peers' nothing, gala's and the floor's all but the last second.
    Mixed,
}

impl Keeps {
    /// What the table says.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Everysec => "all but the last second",
            Self::Mixed => "gala's and the floor's all but the last second, the peers' nothing",
        }
    }
}

/// What a round needs beside its contender.
#[derive(Debug)]
pub struct Setting {
    /// Where the release programs are.
    pub programs: PathBuf,
    /// Where the Node peers are.
    pub peers: PathBuf,
    /// On the disk that is measured.
    pub folder: PathBuf,
    /// What is played on.
    pub stage: Stage,
    /// What the Redis servers keep.
    pub keeps: Keeps,
    /// Connections of wrk.
    pub connections: u32,
    /// How long each is loaded before it is measured.
    pub warm_secs: u64,
    /// How long each is measured.
    pub secs: u64,
}

/// One contender, loaded once.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Measured {
    /// What wrk says.
    #[serde(flatten)]
    pub run: wrk::Run,
    /// CPU of the server for each request, in microseconds.
    pub server_us: f64,
    /// CPU of its Redis for each request, in microseconds; 0 without one.
    pub redis_us: f64,
    /// Memory of the server at the end, in MB.
    pub resident_mb: f64,
}

/// A running contender.
struct Running {
    contender: Contender,
    port: u16,
    server: Child,
    /// Redis, or gala's admin port: what knows how much was done.
    redis: Option<(Child, u16)>,
    admin_port: u16,
}

impl Setting {
    /// Starts a contender on nothing, loads it, and looks whether it did what it answered.
    pub fn measure(&self, contender: Contender, round: u32) -> Result<Measured, Error> {
        let folder = self
            .folder
            .join(format!("{contender:?}-{round}").to_lowercase());
        std::fs::create_dir_all(&folder)
            .map_err(Error::io(format!("{} can't be made", folder.display())))?;
        let running = self.start(contender, &folder)?;
        let first = running.probe(&self.stage)?;
        let warm = self.load(&running, &format!("w{round}"), 0, self.warm_secs)?;
        let (server, redis) = running.cpu();
        // Those that were on their way when the first load ended are passed over too.
        let begun = warm.requests + 2 * u64::from(self.connections);
        let run = self.load(&running, &format!("m{round}"), begun, self.secs)?;
        let (server_after, redis_after) = running.cpu();
        if run.bad + run.sockets + warm.bad > 0 {
            let name = contender.title().to_owned();
            return Err(Error::BadAnswers {
                name,
                bad: run.bad + warm.bad,
                sockets: run.sockets,
            });
        }
        running.audit(&self.stage, warm.requests + run.requests + 1, &first)?;
        let per_request = |nanos: u64| nanos as f64 / 1000.0 / run.requests.max(1) as f64;
        let measured = Measured {
            run,
            server_us: per_request(server_after.saturating_sub(server)),
            redis_us: per_request(redis_after.saturating_sub(redis)),
            resident_mb: process::resident_mb(running.server.id()),
        };
        drop(running);
        // A data folder of millions of draws is not left lying about.
        let _ = std::fs::remove_dir_all(&folder);
        Ok(measured)
    }

    fn load(&self, running: &Running, mark: &str, from: u64, secs: u64) -> Result<wrk::Run, Error> {
        let url = format!("http://127.0.0.1:{}/", running.port);
        // hello gets the same bytes: its figure then is what HTTP costs here, tokens and all.
        let script = if running.contender == Contender::SignIn {
            &self.stage.sign_in_script
        } else {
            &self.stage.script
        };
        let args = [mark, &from.to_string()];
        wrk::run(&url, Some(script), &args, self.connections, secs)
    }

    fn start(&self, contender: Contender, folder: &Path) -> Result<Running, Error> {
        let (port, admin_port) = (free_port()?, free_port()?);
        let log = folder.join("log");
        let (mut command, redis) = match contender {
            Contender::Hello => (Command::new(self.program("hello")?), None),
            Contender::Gala => {
                let mut command = self.gala(port, admin_port, folder)?;
                command.arg("--configs").arg(&self.stage.configs);
                (command, None)
            }
            Contender::Shared | Contender::SignIn => {
                let redis = self.redis(contender, folder)?;
                let mut command = self.gala(port, admin_port, folder)?;
                command.arg("--configs").arg(&self.stage.shared_configs);
                let vouched = if self.keeps == Keeps::Nothing {
                    "?accept=unverified"
                } else {
                    ""
                };
                command.args([
                    "--store",
                    &format!("redis://127.0.0.1:{}{vouched}", redis.1),
                ]);
                (command, Some(redis))
            }
            Contender::Floor => {
                let redis = self.redis(contender, folder)?;
                let mut command = Command::new(self.program("floor")?);
                command.env("REDIS", format!("redis://127.0.0.1:{}", redis.1));
                (command, Some(redis))
            }
            Contender::Koa | Contender::Fastify => {
                let redis = self.redis(contender, folder)?;
                let mut command = Command::new("node");
                let peer = if contender == Contender::Koa {
                    "koa"
                } else {
                    "fastify"
                };
                command.arg(self.peers.join(peer).join("server.mjs"));
                command.env("REDIS", format!("redis://127.0.0.1:{}", redis.1));
                (command, Some(redis))
            }
        };
        command.env("PORT", port.to_string());
        let server = Child::serve(contender.title(), &mut command, port, log)?;
        Ok(Running {
            contender,
            port,
            server,
            redis,
            admin_port,
        })
    }

    fn gala(&self, port: u16, admin_port: u16, folder: &Path) -> Result<Command, Error> {
        let mut command = Command::new(self.program("gala")?);
        command.arg("serve").arg("--data").arg(folder.join("data"));
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--admin-listen", &format!("127.0.0.1:{admin_port}")]);
        command.envs(KEY_ENV.iter().zip(&self.stage.keys));
        Ok(command)
    }

    fn redis(&self, contender: Contender, folder: &Path) -> Result<(Child, u16), Error> {
        let is_peer = matches!(contender, Contender::Koa | Contender::Fastify);
        let options = match self.keeps {
            Keeps::Nothing => NOTHING,
            Keeps::Mixed if is_peer => NOTHING,
            Keeps::Everysec | Keeps::Mixed => EVERY_SECOND,
        };
        redis(folder, options)
    }

    fn program(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.programs.join(name);
        if path.is_file() {
            Ok(path)
        } else {
            Err(Error::NotBuilt(path))
        }
    }
}

impl Running {
    /// Nanoseconds of CPU of the server and of its Redis so far.
    fn cpu(&self) -> (u64, u64) {
        let redis = self
            .redis
            .as_ref()
            .map_or(0, |(redis, _)| process::cpu_nanos(redis.id()));
        (process::cpu_nanos(self.server.id()), redis)
    }

    /// One draw by a user of its own.
    fn probe(&self, stage: &Stage) -> Result<Answer, Error> {
        let headers = format!(
            "Authorization: Bearer {}\r\nIdempotency-Key: probe\r\n",
            stage.prober
        );
        let (campaign, event) = self.contender.event();
        let path = format!("/v1/{TENANT}/{campaign}/events/{event}");
        let answer = http::call(self.port, &http::request("POST", &path, &headers))?;
        let right = match self.contender {
            Contender::Hello => answer.body == "hello",
            Contender::Gala | Contender::Shared | Contender::SignIn => {
                answer.body.contains("\"outcome\"")
            }
            Contender::Floor => answer.body.starts_with('x'),
            Contender::Koa | Contender::Fastify => {
                answer.body.contains("won") || answer.body.contains("again")
            }
        };
        if answer.status == 200 && right {
            Ok(answer)
        } else {
            Err(self.wrong(answer))
        }
    }

    /// Whether at least as many claims are kept as were answered, and the first is answered again as it was.
    fn audit(&self, stage: &Stage, answered: u64, first: &Answer) -> Result<(), Error> {
        let again = self.probe(stage)?;
        let kept = match self.contender {
            Contender::Hello => return Ok(()),
            Contender::Gala | Contender::Shared | Contender::SignIn => {
                if again != *first {
                    return Err(self.wrong(again));
                }
                self.rows(stage)?
            }
            Contender::Floor => self.floors_rows()?,
            Contender::Koa | Contender::Fastify => STOCK.saturating_sub(self.units_left()?),
        };
        if kept >= answered {
            return Ok(());
        }
        Err(Error::NotKept {
            name: self.contender.title().to_owned(),
            answered,
            kept,
        })
    }

    /// Rows of gala's ledger: each draw has one, and each coupon one more; each sign-in's points have one.
    fn rows(&self, stage: &Stage) -> Result<u64, Error> {
        let headers = format!("Authorization: Bearer {}\r\n", stage.viewer);
        let (campaign, _) = self.contender.event();
        let path = format!("/admin/v1/{TENANT}/campaigns/{campaign}/stats");
        let answer = http::call(self.admin_port, &http::request("GET", &path, &headers))?;
        let stats: Option<Value> = serde_json::from_str(&answer.body).ok();
        let rows = stats
            .as_ref()
            .and_then(|stats| stats["lanes"][0]["rows"].as_u64());
        rows.ok_or_else(|| self.wrong(answer))
    }

    /// Rows that the floor's tally counts.
    fn floors_rows(&self) -> Result<u64, Error> {
        let port = self.redis.as_ref().map_or(0, |(_, port)| *port);
        let tally = redis_cli(port, &["get", "{bench/wheel/0}/v1/1/live/tally"])?;
        let rows = tally.split(' ').next().and_then(|rows| rows.parse().ok());
        rows.ok_or_else(|| Error::Command {
            command: "redis-cli get tally".to_owned(),
            why: tally,
        })
    }

    fn units_left(&self) -> Result<u64, Error> {
        let port = self.redis.as_ref().map_or(0, |(_, port)| *port);
        let left = redis_cli(port, &["get", "stock"])?;
        left.trim().parse().map_err(|_| Error::Command {
            command: "redis-cli get stock".to_owned(),
            why: left,
        })
    }

    fn wrong(&self, answer: Answer) -> Error {
        Error::WrongAnswer {
            name: self.contender.title().to_owned(),
            status: answer.status,
            body: answer.body,
        }
    }
}

/// A Redis that persists nothing, and does not tell its settings: else gala would not serve from it.
const NOTHING: &[&str] = &["--appendonly", "no", "--rename-command", "CONFIG", ""];
/// One that flushes once a second: what `durability: standard` asks for.
const EVERY_SECOND: &[&str] = &["--appendonly", "yes", "--appendfsync", "everysec"];

/// A Redis with the peers' stock in it.
fn redis(folder: &Path, persists: &[&str]) -> Result<(Child, u16), Error> {
    let port = free_port()?;
    let mut command = Command::new("redis-server");
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
    ]);
    command.args(persists);
    command.arg("--dir").arg(folder);
    let child = Child::serve("redis-server", &mut command, port, folder.join("redis.log"))?;
    redis_cli(port, &["set", "stock", &STOCK.to_string()])?;
    Ok((child, port))
}

fn redis_cli(port: u16, words: &[&str]) -> Result<String, Error> {
    let mut command = Command::new("redis-cli");
    command
        .args(["-p", &port.to_string()])
        .args(words)
        .stdout(Stdio::piped());
    Child::start("redis-cli", &mut command)?.output(Duration::from_secs(10))
}
