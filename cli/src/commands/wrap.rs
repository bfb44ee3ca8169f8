//! `gala wrap`: any HTTP server as a function, on whatever host it finds itself.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use clap::Args;
use function::serve::chain;
use function::telemetry::{Format, init_logs};
use host::{App, BasePath, Host, event_proxy, proxy, stop_signal};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::failure::Failure;
use crate::process::{free_port, stop};

/// How often it is looked whether the server takes connections.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long a server may take to end once it was told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs an HTTP server as a function: behind SCF, Lambda, or plain HTTP
///
/// The command is started with PORT set to a port of 127.0.0.1, where it must listen. Once it does, calls go to it from
/// wherever this program finds itself: an SCF event or web function, a Lambda function, or HTTP. The host is named by `GALA_HOST`, or found from the
/// environment.
#[derive(Debug, Args)]
pub struct Wrap {
    /// The port that the server listens on, for one that does not read PORT; without it a free one
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Where HTTP is listened on; without it where the host expects it
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// The path below which the host mounts it: it is taken off
    #[arg(long, env = "GALA_BASE_PATH", value_name = "PATH", default_value = "/")]
    pub base_path: String,
    /// The path of the server that takes what triggers tell, as CloudEvents; without it they are refused
    #[arg(long, value_name = "PATH")]
    pub events: Option<String>,
    /// How long the server may take to listen, in seconds
    #[arg(long, value_name = "SECS", default_value_t = 30)]
    pub start_within: u64,
    /// The server: a program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// Runs it until either side ends.
pub fn run(args: &Wrap) -> Result<(), Failure> {
    // Whoever hosts a function collects its log.
    let _ = init_logs(Format::Json, "info");
    let host = Host::find(|name| std::env::var(name).ok());
    let host = host.map_err(|error| Failure::usage(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::unreachable("runtime", error.to_string()))?;
    runtime.block_on(wrap(args, host))
}

async fn wrap(args: &Wrap, host: Host) -> Result<(), Failure> {
    // Listened for from here on: who is told to stop while the server starts must hear it.
    let mut told = Box::pin(stop_signal());
    let port = match args.port {
        Some(port) => port,
        None => free_port()?,
    };
    let app = app(args, port)?;
    let mut server = start(args, port)?;
    let within = Duration::from_secs(args.start_within);
    tokio::select! {
        listens = listening(&mut server, port, within) => listens?,
        () = &mut told => {
            stop(server, PATIENCE).await;
            return Ok(());
        }
    }
    let ready = |at: &str| {
        let server = args.command.first().map(|name| name.to_string_lossy());
        tracing::info!(%host, at, server = server.as_deref(), port, "ready");
    };
    let (stop_answering, died) = oneshot::channel::<()>();
    let either = async move {
        tokio::select! {
            () = told => {}
            _ = died => {}
        }
    };
    let mut run = pin!(host::run(app, host, args.listen, either, ready));
    let ended = tokio::select! {
        run = &mut run => run.map_err(|error| Failure::unreachable("host", chain(&error))),
        ended = server.wait() => {
            // Calls under way get their 502 before this program goes, too.
            let _ = stop_answering.send(());
            let _ = timeout(PATIENCE, run).await;
            Err(gone(ended.ok()))
        }
    };
    if !stop(server, PATIENCE).await {
        tracing::warn!("the wrapped server did not stop in time and was ended");
    }
    ended
}

fn app(args: &Wrap, port: u16) -> Result<App, Failure> {
    let base_path: BasePath = args
        .base_path
        .parse()
        .map_err(|error: host::NotABasePath| Failure::usage(error.to_string()))?;
    let app = App::new(proxy(port)).below(base_path);
    Ok(match &args.events {
        Some(path) if path.starts_with('/') => app.with_events(event_proxy(port, path)),
        Some(path) => {
            let why = format!("`{path}` is no path (--events): write `/events`");
            return Err(Failure::usage(why));
        }
        None => app,
    })
}

/// The server, in a process group of its own: Ctrl-C is this program's to hear, which first lets calls under way finish.
fn start(args: &Wrap, port: u16) -> Result<Child, Failure> {
    let (program, rest) = args
        .command
        .split_first()
        .ok_or_else(|| Failure::usage("name the server after `--`: gala wrap -- node server.js"))?;
    let mut command = Command::new(program);
    command
        .args(rest)
        .env("PORT", port.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn().map_err(|error| {
        Failure::usage(format!(
            "can't start `{}`: {error}",
            program.to_string_lossy()
        ))
    })
}

/// Waits until the server takes connections.
async fn listening(server: &mut Child, port: u16, within: Duration) -> Result<(), Failure> {
    let until = Instant::now() + within;
    loop {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_ok()
        {
            return Ok(());
        }
        if let Ok(Some(status)) = server.try_wait() {
            return Err(gone(Some(status)));
        }
        if Instant::now() > until {
            let why = format!(
                "the server does not listen on 127.0.0.1:{port} after {} s: does it read PORT? Else say where it listens with --port",
                within.as_secs()
            );
            return Err(Failure::unreachable("not-listening", why));
        }
        sleep(LOOK_EVERY).await;
    }
}

fn gone(status: Option<ExitStatus>) -> Failure {
    let how = status.map_or_else(|| "it is gone".to_owned(), |status| status.to_string());
    Failure::unreachable(
        "server-ended",
        format!("the wrapped server has ended: {how}"),
    )
}
