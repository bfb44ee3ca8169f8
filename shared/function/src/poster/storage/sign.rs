//! Signatures of the S3 protocol (AWS Signature Version 4), as S3, COS and MinIO check them: in a header for what we send, in the address for
//! what others may read for a while. Pure: the time is an argument.

use std::fmt;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use machine::ids::hex;
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What is signed of a request: `x-amz-date` and the body's hash, beside the host.
const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";

/// Whose requests these are. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub id: String,
    pub secret: String,
    pub region: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The headers that sign a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    pub date: String,
    pub sha256: String,
    pub authorization: String,
}

impl Key {
    /// Signs a request of `method` to `path` (as [`encoded`] wrote it) at `host`, whose body has this hash.
    pub fn sign(
        &self,
        method: &str,
        host: &str,
        path: &str,
        body: &[u8],
        at: DateTime<Utc>,
    ) -> Signed {
        let (date, sha256) = (stamp(at), hex(&Sha256::digest(body)));
        let canonical = format!(
            "{method}\n{path}\n\nhost:{host}\nx-amz-content-sha256:{sha256}\nx-amz-date:{date}\n\n{SIGNED}\n{sha256}"
        );
        let signature = self.signature(&canonical, at);
        let authorization = format!(
            "{ALGORITHM} Credential={}/{},SignedHeaders={SIGNED},Signature={signature}",
            self.id,
            self.scope(at)
        );
        Signed {
            date,
            sha256,
            authorization,
        }
    }

    /// The query with which anyone may read `path` at `host` for so many seconds.
    pub fn link(&self, host: &str, path: &str, secs: u64, at: DateTime<Utc>) -> String {
        let credential = encoded(&format!("{}/{}", self.id, self.scope(at)), false);
        let query = format!(
            "X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={}&X-Amz-Expires={secs}&X-Amz-SignedHeaders=host",
            stamp(at)
        );
        let canonical = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        format!("{query}&X-Amz-Signature={}", self.signature(&canonical, at))
    }

    fn scope(&self, at: DateTime<Utc>) -> String {
        format!("{}/{}/s3/aws4_request", at.format("%Y%m%d"), self.region)
    }

    fn signature(&self, canonical: &str, at: DateTime<Utc>) -> String {
        let day = at.format("%Y%m%d").to_string();
        let to_sign = format!(
            "{ALGORITHM}\n{}\n{}\n{}",
            stamp(at),
            self.scope(at),
            hex(&Sha256::digest(canonical))
        );
        let first = format!("AWS4{}", self.secret);
        let steps = [&*day, &self.region, "s3", "aws4_request", &to_sign];
        let key = steps
            .iter()
            .fold(first.into_bytes(), |key, step| mac(&key, step.as_bytes()));
        hex(&key)
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A MAC of this kind takes a key of any length; the branch exists because the trait does not know that.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as it stands in a path (slashes stay) or in a query.
pub(super) fn encoded(text: &str, in_path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (in_path && byte == b'/') {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    fn key() -> Key {
        Key {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }

    fn at() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2013, 5, 24, 0, 0, 0).unwrap()
    }

    /// The worked example of the protocol's own documentation ("Authenticating Requests: Using Query Parameters").
    #[test]
    fn a_link_as_the_protocols_documentation_signs_it() {
        let query = key().link("examplebucket.s3.amazonaws.com", "/test.txt", 86_400, at());
        let signature = query.rsplit_once("X-Amz-Signature=").unwrap().1;
        assert_eq!(
            signature,
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
        assert!(query.contains(
            "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&"
        ));
    }

    #[test]
    fn a_signature_is_of_all_that_is_said() {
        let host = "examplebucket.s3.amazonaws.com";
        let of = |method, host, path, body: &[u8]| key().sign(method, host, path, body, at());
        let first = of("PUT", host, "/a.jpg", b"x");
        assert_eq!(first, of("PUT", host, "/a.jpg", b"x"));
        assert_eq!(first.date, "20130524T000000Z");
        for other in [
            of("GET", host, "/a.jpg", b"x"),
            of("PUT", "b.example", "/a.jpg", b"x"),
            of("PUT", host, "/b.jpg", b"x"),
            of("PUT", host, "/a.jpg", b"y"),
        ] {
            assert_ne!(other.authorization, first.authorization);
        }
        assert_eq!(
            encoded("posters/a b+é.jpg", true),
            "posters/a%20b%2B%C3%A9.jpg"
        );
    }
}
