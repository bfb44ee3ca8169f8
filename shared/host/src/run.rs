//! The one way in: runs an app on a host, from the moment it is ready until it is told to stop.

use std::future::Future;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::app::App;
use crate::kind::Host;
use crate::{lambda, plain, scf};

/// The port where nothing says another.
const PORT: u16 = 8080;

/// Why an app could not run on, or go on running on, its host.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// `PORT` is none.
    #[error("`{0}` is no port (PORT): it is a number up to 65535; 0 is any that is free")]
    Port(String),
    /// The address can't be listened on.
    #[error("can't listen on {0}: is something else using it?")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// A socket failed.
    #[error("the socket that was listened on failed")]
    Io(#[from] std::io::Error),
    /// SCF's runtime interface failed.
    #[error(transparent)]
    Scf(#[from] scf::ApiError),
    /// Lambda's runtime API failed.
    #[error(transparent)]
    Lambda(#[from] lambda::Error),
}

/// Runs the app until `stop`: call this once it is ready to answer. `listen` is where HTTP is served on hosts that call it so; none:
/// where the host expects it. `ready` is told where the app can be reached, before the first call.
pub async fn run(
    app: App,
    host: Host,
    listen: Option<SocketAddr>,
    stop: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce(&str),
) -> Result<(), NotRun> {
    let variable = |name: &str| std::env::var(name).ok();
    match host {
        Host::Http | Host::ScfWeb => {
            let address = match listen {
                Some(address) => address,
                None => expected(host, variable("PORT"))?,
            };
            let listener = TcpListener::bind(address).await;
            let listener = listener.map_err(|error| NotRun::Bind(address, error))?;
            ready(&listener.local_addr()?.to_string());
            plain::serve(app, host, listener, stop).await?;
        }
        Host::ScfEvent => {
            let settings = scf::Settings::of(variable)?;
            ready(&settings.api);
            scf::run(app, &settings, stop).await?;
        }
        Host::Lambda => {
            let settings = lambda::Settings::of(variable)?;
            ready(&settings.api);
            lambda::run(app, &settings, stop).await?;
        }
    }
    Ok(())
}

/// Where a host expects HTTP: an SCF web function on one port always, others where `PORT` says.
fn expected(host: Host, port: Option<String>) -> Result<SocketAddr, NotRun> {
    let port = match port.filter(|_| host == Host::Http) {
        Some(text) => match text.parse() {
            Ok(port) => port,
            Err(_) => return Err(NotRun::Port(text)),
        },
        None if host == Host::Http => PORT,
        None => plain::SCF_PORT,
    };
    Ok(SocketAddr::from(([0, 0, 0, 0], port)))
}

/// Resolves when the process is asked to stop, by SIGTERM or Ctrl-C. It listens from this call on, so make it before anyone is told
/// that the process is there; within a runtime.
pub fn stop_signal() -> impl Future<Output = ()> + Send + 'static {
    let terminated = terminated();
    async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminated => {}
        }
    }
}

#[cfg(unix)]
fn terminated() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = signal(SignalKind::terminate());
    async move {
        match terminate {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_expects_its_own_port() {
        let at = |host, port: Option<&str>| {
            expected(host, port.map(str::to_owned))
                .ok()
                .map(|address| address.to_string())
        };
        assert_eq!(at(Host::Http, None).as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(at(Host::Http, Some("80")).as_deref(), Some("0.0.0.0:80"));
        assert_eq!(
            at(Host::ScfWeb, Some("80")).as_deref(),
            Some("0.0.0.0:9000")
        );
        assert_eq!(at(Host::Http, Some("0")).as_deref(), Some("0.0.0.0:0"));
        for bad in ["", "x", "65536"] {
            assert_eq!(at(Host::Http, Some(bad)), None, "{bad}");
        }
    }
}
