//! Tokens that pass and tokens that must not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use super::*;
use crate::identity::keys::Alg;
use crate::identity::mint::tests::{ED_PRIVATE, ED_PUBLIC, RSA_PUBLIC};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_800_000_000;

fn verifier() -> Verifier {
    let mut keys = KeySet::new();
    keys.add("hs", Alg::Hs256, SECRET).unwrap();
    keys.add("ed", Alg::EdDsa, ED_PUBLIC).unwrap();
    keys.add("rs", Alg::Rs256, RSA_PUBLIC).unwrap();
    Verifier::new(keys, "acme".into())
}

fn header(alg: Algorithm, kid: Option<&str>) -> Header {
    Header {
        kid: kid.map(str::to_owned),
        ..Header::new(alg)
    }
}

fn hs(claims: &Value) -> String {
    sign(
        &header(Algorithm::HS256, Some("hs")),
        claims,
        SECRET.as_bytes(),
    )
}

fn sign(header: &Header, claims: &Value, secret: &[u8]) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn raw(header: &str, claims: &str, signature: &[u8]) -> String {
    let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    format!(
        "{}.{}.{}",
        b64(header.as_bytes()),
        b64(claims.as_bytes()),
        b64(signature)
    )
}

/// Signs any text with the HS key, so that only the text itself can be at fault.
fn signed_raw(header: &str, claims: &str) -> String {
    let message = raw(header, claims, b"").trim_end_matches('.').to_owned();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn good() -> Value {
    json!({"sub": "ann", "aud": "acme", "exp": NOW + 60})
}

/// The good claims with some changed; `null` takes one away.
fn but(changes: Value) -> Value {
    let mut claims = good();
    let Value::Object(changes) = changes else {
        panic!("an object")
    };
    for (name, value) in changes {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(&name);
        } else {
            claims[name] = value;
        }
    }
    claims
}

fn check(token: &str) -> Result<Claims, Reason> {
    verifier().verify(token, NOW).map_err(|error| error.reason)
}

#[test]
fn claims_that_pass() {
    let rows = [
        good(),
        but(json!({"aud": ["other", "acme"]})),
        but(json!({"exp": NOW - 29})),
        but(json!({"exp": NOW as f64 + 60.5})),
        but(json!({"nbf": NOW + 30})),
        but(json!({"nbf": NOW - 5, "iat": NOW, "iss": "acme-id", "jti": "1"})),
        but(json!({"sub": "a".repeat(255)})),
        but(json!({"sub": "成员 七"})),
    ];
    for claims in rows {
        assert!(check(&hs(&claims)).is_ok(), "{claims}");
    }
}

#[test]
fn claims_that_do_not() {
    let rows = [
        (json!({"exp": null}), Reason::NoExpiry),
        (json!({"exp": NOW - 30}), Reason::Expired),
        (json!({"exp": 0}), Reason::Expired),
        (json!({"exp": "4102444800"}), Reason::Malformed),
        (json!({"exp": -1}), Reason::Malformed),
        (json!({"exp": 1e18}), Reason::Malformed),
        (json!({"exp": i64::MAX}), Reason::Malformed),
        (json!({"nbf": NOW + 31}), Reason::NotYet),
        (json!({"nbf": true}), Reason::Malformed),
        (json!({"aud": null}), Reason::WrongAudience),
        (json!({"aud": "acme2"}), Reason::WrongAudience),
        (json!({"aud": "acme/admin"}), Reason::WrongAudience),
        (
            json!({"aud": ["acme/admin", "acme "]}),
            Reason::WrongAudience,
        ),
        (json!({"aud": []}), Reason::WrongAudience),
        (json!({"aud": {"acme": true}}), Reason::WrongAudience),
        (json!({"sub": null}), Reason::BadSubject),
        (json!({"sub": ""}), Reason::BadSubject),
        (json!({"sub": 7}), Reason::BadSubject),
        (json!({"sub": "a".repeat(256)}), Reason::BadSubject),
        (json!({"sub": "a\nb"}), Reason::BadSubject),
        (json!({"sub": "a\u{0}"}), Reason::BadSubject),
        (json!({"sub": "a\u{85}"}), Reason::BadSubject),
    ];
    for (changes, reason) in rows {
        assert_eq!(check(&hs(&but(changes.clone()))), Err(reason), "{changes}");
    }
}

#[test]
fn headers_that_do_not_pass() {
    let claims = good();
    let text = claims.to_string();
    let none = |alg: &str| raw(&format!(r#"{{"alg":"{alg}","kid":"hs"}}"#), &text, b"");
    let with_kid = |kid: &str| {
        sign(
            &header(Algorithm::HS256, Some(kid)),
            &claims,
            SECRET.as_bytes(),
        )
    };
    let rows = [
        (none("none"), Reason::Malformed),
        (none("None"), Reason::Malformed),
        (none("nOnE"), Reason::Malformed),
        (none("HS256"), Reason::BadSignature),
        // The classic: the RSA public key, which everybody has, as an HMAC secret.
        (
            sign(
                &header(Algorithm::HS256, Some("rs")),
                &claims,
                RSA_PUBLIC.as_bytes(),
            ),
            Reason::WrongAlgorithm,
        ),
        (
            sign(
                &header(Algorithm::HS256, Some("ed")),
                &claims,
                ED_PUBLIC.as_bytes(),
            ),
            Reason::WrongAlgorithm,
        ),
        (
            sign(
                &header(Algorithm::HS512, Some("hs")),
                &claims,
                SECRET.as_bytes(),
            ),
            Reason::WrongAlgorithm,
        ),
        (
            raw(r#"{"alg":"RS256","kid":"hs"}"#, &text, &[0; 256]),
            Reason::WrongAlgorithm,
        ),
        (
            raw(r#"{"alg":"RS256","kid":"rs"}"#, &text, &[0; 256]),
            Reason::BadSignature,
        ),
        (
            raw(r#"{"alg":"EdDSA","kid":"ed"}"#, &text, &[0; 64]),
            Reason::BadSignature,
        ),
        (with_kid("../../../dev/null"), Reason::UnknownKey),
        (with_kid("hs' OR '1'='1"), Reason::UnknownKey),
        (with_kid(""), Reason::UnknownKey),
        (
            sign(&header(Algorithm::HS256, None), &claims, SECRET.as_bytes()),
            Reason::UnknownKey,
        ),
        (
            sign(&header(Algorithm::HS256, Some("hs")), &claims, &[b'x'; 32]),
            Reason::BadSignature,
        ),
        (
            signed_raw(
                r#"{"alg":"HS256","kid":"hs","crit":["b64"],"b64":false}"#,
                &text,
            ),
            Reason::Critical,
        ),
        (
            signed_raw(r#"{"alg":"HS256","kid":7}"#, &text),
            Reason::Malformed,
        ),
    ];
    for (token, reason) in rows {
        assert_eq!(check(&token), Err(reason), "{token}");
    }
}

#[test]
fn pointers_to_other_keys_are_ignored() {
    let jwk = r#"{"kty":"oct","k":"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg"}"#;
    let header = format!(
        r#"{{"alg":"HS256","kid":"hs","jku":"https://evil.example/k","x5u":"file:///etc/passwd","jwk":{jwk}}}"#
    );
    assert!(
        check(&signed_raw(&header, &good().to_string())).is_ok(),
        "checked with our own key"
    );
    let forged = raw(&header, &good().to_string(), &[0; 32]);
    assert_eq!(check(&forged), Err(Reason::BadSignature));
}

#[test]
fn shapes_that_do_not_pass() {
    let token = hs(&good());
    let (body, signature) = token.rsplit_once('.').unwrap();
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[0] ^= 1;
    let long = hs(&but(json!({"pad": "x".repeat(9 * 1024)})));
    let head = r#"{"alg":"HS256","kid":"hs"}"#;
    let twice = format!(
        r#"{{"sub":"ann","sub":"bob","aud":"acme","exp":{}}}"#,
        NOW + 60
    );
    let deep = format!(
        r#"{{"sub":"ann","aud":"acme","exp":{},"x":{}{}}}"#,
        NOW + 60,
        "[".repeat(40),
        "]".repeat(40)
    );
    let rows = [
        (String::new(), Reason::Malformed),
        ("abc".into(), Reason::Malformed),
        ("..".into(), Reason::Malformed),
        (format!("{token}."), Reason::Malformed),
        (format!("{token}.{signature}"), Reason::Malformed),
        (format!("{body}."), Reason::BadSignature),
        (
            format!("{body}.{}", URL_SAFE_NO_PAD.encode(&flipped)),
            Reason::BadSignature,
        ),
        (format!("{body}.{signature}="), Reason::Malformed),
        (format!(" {token}"), Reason::Malformed),
        (long, Reason::TooLong),
        ("x".repeat(100_000), Reason::TooLong),
        (signed_raw(head, "[]"), Reason::Malformed),
        (signed_raw(head, "null"), Reason::Malformed),
        (signed_raw(head, &twice), Reason::Malformed),
        (signed_raw(head, &deep), Reason::Malformed),
    ];
    for (token, reason) in rows {
        assert_eq!(check(&token), Err(reason), "{token:.100}");
    }
}

#[test]
fn a_token_without_kid_is_taken_where_there_is_one_key() {
    let mut keys = KeySet::new();
    keys.add("only", Alg::Hs256, SECRET).unwrap();
    let token = sign(&header(Algorithm::HS256, None), &good(), SECRET.as_bytes());
    assert!(
        Verifier::new(keys, "acme".into())
            .verify(&token, NOW)
            .is_ok()
    );
    assert!(
        Verifier::new(KeySet::new(), "acme".into())
            .verify(&token, NOW)
            .is_err()
    );
}

#[test]
fn what_a_token_says() {
    let claims = but(json!({
        "iss": "acme-id", "role": "publisher", "scope": "events:write  other", "level": 3, "vip": true,
    }));
    let claims = check(&hs(&claims)).unwrap();
    assert_eq!((claims.sub.as_str(), claims.exp), ("ann", NOW + 60));
    assert_eq!(claims.admin_role(), Some(Role::Publisher));
    assert!(
        claims.has_scope("events:write")
            && claims.has_scope("other")
            && !claims.has_scope("events")
    );
    assert_eq!(
        Value::Object(claims.extra.clone()),
        json!({"role": "publisher", "level": 3, "vip": true})
    );
    assert!(
        !format!("{claims:?}").contains("ann"),
        "nobody's name in a log"
    );
}

#[test]
fn ed25519_passes_with_its_own_key_only() {
    let key = EncodingKey::from_ed_pem(ED_PRIVATE.as_bytes()).unwrap();
    let token =
        |kid| jsonwebtoken::encode(&header(Algorithm::EdDSA, Some(kid)), &good(), &key).unwrap();
    assert!(check(&token("ed")).is_ok());
    assert_eq!(check(&token("hs")), Err(Reason::WrongAlgorithm));
}

#[test]
fn outside_every_failure_looks_the_same() {
    for token in [
        hs(&but(json!({"exp": 1}))),
        "x".into(),
        hs(&but(json!({"aud": "b"}))),
    ] {
        let error = verifier().verify(&token, NOW).unwrap_err();
        let problem = Problem::from(error).finish("r", "en");
        assert_eq!(
            problem.to_string(),
            "unauthenticated: Please sign in and try again."
        );
    }
}
