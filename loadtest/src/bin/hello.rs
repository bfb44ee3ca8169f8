//! The ceiling: axum that says hello to anything on 127.0.0.1:PORT.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use axum::Router;
use axum::serve::ListenerExt as _;

#[tokio::main]
async fn main() -> ExitCode {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(3000);
    match serve(port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hello can't serve: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(port: u16) -> std::io::Result<()> {
    let listener =
        tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let listener = listener.tap_io(|stream| {
        // As `gala serve` does: the ceiling must not differ in how it treats its sockets.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().fallback(|| async { "hello" })).await
}
