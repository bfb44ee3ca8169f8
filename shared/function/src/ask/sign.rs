//! How a call to a tenant's service is signed: HMAC-SHA256 with the connector's secret over `gala-ask`, then, each after its
//! length in bytes (32 bits, big-endian), method, path, the value of `gala-time` (seconds since 1970), and the body. So a
//! signature is worth nothing on another call, and whoever checks the time nothing a minute later.

use std::fmt;

use axum::http::{HeaderName, HeaderValue};
use hmac::{Hmac, KeyInit, Mac};
use machine::ids::hex;
use sha2::Sha256;

/// The header with the signature: `v1=<64 hexadecimal digits>`.
pub const SIGNATURE: HeaderName = HeaderName::from_static("gala-signature");
/// The header with the time, in seconds since 1970.
pub const TIME: HeaderName = HeaderName::from_static("gala-time");

/// What calls are signed with. Never shown, not even in a debug print.
#[derive(Clone)]
pub struct Signer(Option<Hmac<Sha256>>);

impl Signer {
    /// Signs with this secret.
    pub fn new(secret: &[u8]) -> Self {
        // A MAC of this kind takes a key of any length; the error exists because the trait does not know that.
        Self(Hmac::new_from_slice(secret).ok())
    }

    /// The signature of a call, made at `time` (seconds since 1970).
    pub fn sign(&self, method: &str, path: &str, time: i64, body: &[u8]) -> HeaderValue {
        let Some(mut mac) = self.0.clone() else {
            return HeaderValue::from_static("v1=");
        };
        mac.update(b"gala-ask");
        let time = time.to_string();
        for part in [method.as_bytes(), path.as_bytes(), time.as_bytes(), body] {
            mac.update(&(part.len() as u32).to_be_bytes());
            mac.update(part);
        }
        let signature = hex(&mac.finalize().into_bytes());
        // Digits are legal in a header; the branch exists because the type does not know that.
        HeaderValue::try_from(format!("v1={signature}")).unwrap_or(HeaderValue::from_static("v1="))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_so_and_no_other_way() {
        let signer = Signer::new(b"0123456789abcdef0123456789abcdef");
        let body = br#"{"tenant":"acme","member":"u1","fields":["newcomer"]}"#;
        let signed = signer.sign("POST", "/gala/facts", 1_764_230_400, body);
        // From another implementation: Python's hmac, by the words at the head of this file.
        assert_eq!(
            signed,
            "v1=18bcd3c871a63a1fa4d450ad0236a0255417b9cf1da54e091b71e69bad2cea39"
        );
        assert_ne!(
            signer.sign("POST", "/gala/fact", 1_764_230_400, body),
            signed
        );
        assert_ne!(
            signer.sign("POST", "/gala/facts", 1_764_230_401, body),
            signed
        );
        assert_eq!(format!("{signer:?}"), "Signer");
    }
}
