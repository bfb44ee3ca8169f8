//! TLS for tests: an authority, a server's certificate that it signed, and a door that speaks TLS before a server that does not.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Makes `ca.pem`, `server.pem` for 127.0.0.1 that it signed, and `other.pem`, which signed nothing, with their `.key` in `dir`.
///
/// # Panics
/// openssl is not there.
pub fn certificates(dir: &Path) {
    let openssl = |arguments: &str| {
        let run = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(dir)
            .output();
        let run = run.expect("openssl makes the certificates of this test");
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    };
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for name in ["ca", "other"] {
        openssl(&format!(
            "req -x509 {new} -days 30 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ));
    }
    openssl(&format!(
        "req {new} -subj /CN=server -keyout server.key -out server.csr"
    ));
    std::fs::write(dir.join("san"), "subjectAltName=IP:127.0.0.1\n").expect("a file for openssl");
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile san -out server.pem",
    );
}

/// A server's side of TLS with the certificate that [`certificates`] made in `dir`.
pub fn acceptor(dir: &Path) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(dir.join("server.pem"));
    let key = PrivateKeyDer::from_pem_file(dir.join("server.key"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("a provider that speaks TLS")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("the server's certificate")],
            key.expect("the server's key"),
        );
    Arc::new(config.expect("a key that fits its certificate")).into()
}

/// A door on 127.0.0.1 that speaks TLS and forwards what is said to a server that does not; ends when dropped.
#[derive(Debug)]
pub struct TlsDoor {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl TlsDoor {
    /// Before the server at `to`, with the certificate that [`certificates`] made in `dir`.
    pub fn before(to: SocketAddr, dir: &Path) -> Self {
        let acceptor = acceptor(dir);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread for the door");
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a free port");
        let address = listener.local_addr().expect("the port it was given");
        runtime.spawn(async move {
            while let Ok((outside, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Whoever is not trusted hangs up, and that is theirs to tell.
                    let Ok(mut outside) = acceptor.accept(outside).await else {
                        return;
                    };
                    let Ok(mut inside) = TcpStream::connect(to).await else {
                        return;
                    };
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self {
            address,
            _runtime: runtime,
        }
    }

    /// Its address for clients.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}
