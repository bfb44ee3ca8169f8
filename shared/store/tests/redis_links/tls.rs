//! Certificates: which are trusted.

use redis::Value;
use store::redis::link::Links;
use testbed::tls::certificates;
use testbed::{Server, free_port};

use super::{PATIENCE, get, open, set, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_trusts_the_named_authority_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    certificates(dir);
    let path = |name: &str| dir.join(name).display().to_string();
    let port = free_port();
    let server = Server::with(&[
        ("tls-port", &port.to_string()),
        ("tls-auth-clients", "no"),
        ("tls-cert-file", &path("server.pem")),
        ("tls-key-file", &path("server.key")),
        ("tls-ca-cert-file", &path("ca.pem")),
    ]);
    let links = open(&format!("rediss://127.0.0.1:{port}?ca={}", path("ca.pem"))).await;
    assert_eq!(links.send(&set("k", "v")).await, Ok(Value::Okay));
    assert_eq!(
        links.send_and_wait(b"k", &get("k"), 0, PATIENCE).await,
        Ok((text("v"), 0))
    );

    for (wrong, says) in [
        ("other.pem", "TLS"),
        ("none.pem", "none.pem"),
        ("ca.key", "no certificate"),
    ] {
        let address = format!("rediss://127.0.0.1:{port}?ca={}", path(wrong))
            .parse()
            .unwrap();
        let error = Links::open(&address).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    drop(server);
}
