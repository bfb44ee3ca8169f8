//! JSON web tokens, made by hand: the bench must not trust the code that it measures to make its tokens.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A token over `claims`, signed with HS256.
pub fn hs256(kid: &str, secret: &[u8], claims: &Value) -> String {
    let header = json!({ "alg": "HS256", "kid": kid, "typ": "JWT" });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&header), encode(claims));
    format!("{signed}.{}", signature(secret, &signed))
}

/// A user's token in `tenant`, good for `secs` from `now_secs`.
pub fn user(kid: &str, secret: &[u8], tenant: &str, sub: &str, now_secs: u64, secs: u64) -> String {
    let claims = json!({ "aud": tenant, "exp": now_secs + secs, "iat": now_secs, "sub": sub });
    hs256(kid, secret, &claims)
}

/// A viewer's token of the staff of `tenant`.
pub fn viewer(kid: &str, secret: &[u8], tenant: &str, now_secs: u64, secs: u64) -> String {
    let claims = json!({
        "aud": format!("{tenant}/admin"), "exp": now_secs + secs, "iat": now_secs, "role": "viewer", "sub": "bench",
    });
    hs256(kid, secret, &claims)
}

/// Seconds since 1970.
pub fn now_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn signature(secret: &[u8], signed: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(signed.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, appendix A.1.
    #[test]
    fn signs_as_the_rfc_does() {
        let secret = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
            .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        assert_eq!(
            signature(&secret, signed),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
    }

    #[test]
    fn says_who_and_until_when() {
        let token = user(
            "bench",
            b"0123456789abcdef0123456789abcdef",
            "acme",
            "u7",
            1000,
            60,
        );
        let parts: Vec<&str> = token.split('.').collect();
        let read = |part: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(parts.len(), 3);
        assert_eq!(
            read(parts[0]),
            json!({ "alg": "HS256", "kid": "bench", "typ": "JWT" })
        );
        assert_eq!(
            read(parts[1]),
            json!({ "aud": "acme", "exp": 1060, "iat": 1000, "sub": "u7" })
        );
    }
}
