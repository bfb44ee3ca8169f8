//! `gala dev`: everything that a launch has, on one machine. A Redis, each activity's function as a process of its own, and the gateway
//! before them; what dies is started again, and all logs are one.

mod child;
mod paint;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use clap::Args;
use host::stop_signal;
use rand::TryRng as _;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use self::child::{Plan, keep};
use self::paint::Paint;
use crate::activities;
use crate::failure::Failure;
use crate::process::free_port;

/// How long a Redis of our own may take to take connections.
const REDIS_WITHIN: Duration = Duration::from_secs(10);

/// Runs the whole house on this machine as a launch runs it: gateway, a process for each function, Redis
///
/// What dies is started again. Ctrl-C stops everything; with --data the Redis keeps what it has for the next time.
#[derive(Debug, Args)]
pub struct Dev {
    /// The folder with the tenants and their campaigns
    #[arg(
        long,
        env = "GALA_CONFIGS",
        default_value = "configs",
        value_name = "DIR"
    )]
    pub configs: PathBuf,
    /// Where the Redis of our own keeps its files
    #[arg(long, default_value = "data/dev", value_name = "DIR")]
    pub data: PathBuf,
    /// A Redis that is there already, instead of one of our own
    #[arg(long, env = "GALA_STORE", hide_env_values = true, value_name = "URL")]
    pub store: Option<String>,
    /// Where users call
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Where staff call
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDR")]
    pub admin_listen: SocketAddr,
}

/// Runs it until Ctrl-C.
pub fn run(args: &Dev) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable("runtime", error.to_string()))?;
    runtime.block_on(all(args))
}

async fn all(args: &Dev) -> Result<(), Failure> {
    let stop = stop_signal();
    if !args.configs.is_dir() {
        let why = format!(
            "there is no folder {}: name it with --configs",
            args.configs.display()
        );
        return Err(Failure::usage(why));
    }
    let own = std::env::current_exe()
        .map_err(|error| Failure::unreachable("program", error.to_string()))?;
    // The Redis goes last: calls that are under way when all is told to stop still need it.
    let (ending, ended) = watch::channel(false);
    let (closing, closed) = watch::channel(false);
    let (mut kept, mut redis_kept) = (Vec::new(), None);
    let mut paint = Paint::new();

    let store = if let Some(store) = &args.store {
        store.clone()
    } else {
        let port = free_port()?;
        let keeping = keep(redis(&args.data, port)?, paint.next("redis"), closed);
        redis_kept = Some(tokio::spawn(keeping));
        reachable(port).await?;
        format!("redis://127.0.0.1:{port}")
    };
    let shared = Shared {
        own: &own,
        configs: &args.configs,
        store,
        key: gateway_key()?,
    };
    let mut gateway = shared.command(&["serve"]);
    gateway
        .args([
            "--listen",
            &args.listen.to_string(),
            "--admin-listen",
            &args.admin_listen.to_string(),
        ])
        .arg("--data")
        .arg(args.data.join("gateway"));
    for activity in activities::ALL {
        let port = free_port()?;
        let mut command = shared.command(&["function", activity.id()]);
        command
            .env("GALA_HOST", "http")
            .env("PORT", port.to_string());
        let plan = Plan::new(activity.id(), command);
        kept.push(tokio::spawn(keep(
            plan,
            paint.next(activity.id()),
            ended.clone(),
        )));
        gateway.args([
            "--function",
            &format!("{}=http://127.0.0.1:{port}", activity.id()),
        ]);
    }
    let plan = Plan::new("gateway", gateway);
    kept.push(tokio::spawn(keep(plan, paint.next("gateway"), ended)));

    stop.await;
    // Each is told, and waited for.
    let _ = ending.send(true);
    for one in kept {
        let _ = one.await;
    }
    let _ = closing.send(true);
    if let Some(redis) = redis_kept {
        let _ = redis.await;
    }
    Ok(())
}

/// What all of our own processes are told.
struct Shared<'a> {
    own: &'a Path,
    configs: &'a Path,
    store: String,
    key: String,
}

impl Shared<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.own);
        command
            .args(args)
            .env("GALA_CONFIGS", self.configs)
            // In the environment: an argument could be read by everyone on the machine.
            .env("GALA_STORE", &self.store)
            .env("GALA_GATEWAY_KEY", &self.key);
        command
    }
}

/// A Redis that keeps to what campaigns declare.
fn redis(data: &Path, port: u16) -> Result<Plan, Failure> {
    let folder = data.join("redis");
    std::fs::create_dir_all(&folder).map_err(|error| {
        Failure::unreachable(
            "data",
            format!("{} can't be made: {error}", folder.display()),
        )
    })?;
    let there = std::process::Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if there.is_err() {
        return Err(Failure::unreachable(
            "redis-server",
            "redis-server is not installed: `apt-get install redis-server`, or name one that runs with --store",
        ));
    }
    let mut command = Command::new("redis-server");
    command
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
        ])
        .args([
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--maxmemory-policy",
            "noeviction",
        ])
        .args(["--loglevel", "warning"])
        .arg("--dir")
        .arg(folder);
    Ok(Plan::new("redis", command))
}

async fn reachable(port: u16) -> Result<(), Failure> {
    let until = Instant::now() + REDIS_WITHIN;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .is_err()
    {
        if Instant::now() > until {
            return Err(Failure::unreachable(
                "redis",
                "the Redis of our own does not start; its log is above",
            ));
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// A key for this run.
fn gateway_key() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Failure::unreachable("random", error.to_string()))?;
    Ok(base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes))
}
