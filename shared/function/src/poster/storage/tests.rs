use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use campaign::tenant::KeySource;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const NOW: Millis = 1_795_320_000_000;

type Objects = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// A store of objects that keeps what is put, and notes every call as `METHOD path`.
async fn bucket() -> (u16, Objects, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (objects, calls) = (Objects::default(), Arc::new(Mutex::new(Vec::new())));
    let (kept, noted) = (objects.clone(), calls.clone());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let (head, mut body) = loop {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                assert!(read > 0, "a call that ends in its head");
                bytes.extend(&part[..read]);
                if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                    break (head, bytes[end + 4..].to_vec());
                }
            };
            let header = |name: &str| {
                let mut lines = head.lines();
                let line = lines.find_map(|line| {
                    let (found, value) = line.split_once(": ")?;
                    found.eq_ignore_ascii_case(name).then(|| value.to_owned())
                });
                line.unwrap_or_default()
            };
            let length: usize = header("content-length").parse().unwrap_or(0);
            while body.len() < length {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                body.extend(&part[..read]);
            }
            assert!(header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=id/"));
            let sha256 = machine::ids::hex(&Sha256::digest(&body));
            assert_eq!(header("x-amz-content-sha256"), sha256);
            let mut words = head.split(' ');
            let (method, path) = (words.next().unwrap(), words.next().unwrap());
            noted.lock().unwrap().push(format!("{method} {path}"));
            let status = {
                let mut objects = kept.lock().unwrap();
                match method {
                    "PUT" => {
                        objects.insert(path.to_owned(), body);
                        "200 OK"
                    }
                    _ if objects.contains_key(path) => "200 OK",
                    _ => "404 Not Found",
                }
            };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, objects, calls)
}

fn config(endpoint: String, public: Option<&str>) -> Config {
    Config {
        endpoint,
        region: "ap-shanghai".to_owned(),
        bucket: "acme-125".to_owned(),
        prefix: "posters/".to_owned(),
        key: KeySource::Env("ID".to_owned()),
        secret: KeySource::Env("SECRET".to_owned()),
        public: public.map(str::to_owned),
        signed_for_ms: 3_600_000,
    }
}

fn tag() -> Tag {
    Tag::from_bytes([7; 32])
}

#[tokio::test]
async fn a_poster_is_found_where_it_was_put() {
    let (port, objects, calls) = bucket().await;
    let config = config(format!("http://localhost:{port}"), None);
    let store = Storage::new(&config, "id", "secret").unwrap();
    let jpeg = Format::Jpeg;
    assert_eq!(store.has(tag(), jpeg, NOW).await, Ok(false));
    store
        .put(tag(), jpeg, Bytes::from_static(b"picture"), NOW)
        .await
        .unwrap();
    assert_eq!(store.has(tag(), jpeg, NOW).await, Ok(true));
    let path = format!("/acme-125/posters/{}.jpeg", tag().name());
    assert_eq!(objects.lock().unwrap()[&path], b"picture");
    let expected = ["HEAD", "PUT", "HEAD"].map(|method| format!("{method} {path}"));
    assert_eq!(*calls.lock().unwrap(), expected);
    let link = store.link(tag(), jpeg, NOW);
    assert!(
        link.starts_with(&format!("http://localhost:{port}{path}?X-Amz-")),
        "{link}"
    );
    assert!(link.contains("X-Amz-Expires=3600") && !link.contains("secret"));
}

#[tokio::test]
async fn one_finds_out_and_the_others_wait_for_its_word() {
    let store = Storage::new(&config("http://localhost:1".to_owned(), None), "id", "s").unwrap();
    let known = || store.known(tag(), Format::Png);
    let claim = known().await.unwrap_err();
    let late = Err(NotStored::Late);
    let (told, ()) = tokio::join!(known(), async { store.settle(claim, late.clone()) });
    assert_eq!(told.unwrap(), late);
    // A failure is not remembered, and who goes away leaves the turn to the next.
    drop(known().await.unwrap_err());
    let claim = known().await.unwrap_err();
    store.settle(claim, Ok(()));
    assert_eq!(known().await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_store_that_is_away_says_so_in_time() {
    let config = config("http://localhost:1".to_owned(), None);
    let store = Storage::new(&config, "id", "secret").unwrap();
    let found = store.has(tag(), Format::Png, NOW).await;
    assert!(
        matches!(found, Err(NotStored::Away(_) | NotStored::Late)),
        "{found:?}"
    );
}

#[test]
fn buckets_are_hosts_as_cos_wants_it() {
    let of = |endpoint: &str, public| Storage::new(&config(endpoint.to_owned(), public), "id", "s");
    let cos = of("https://cos.ap-shanghai.myqcloud.com", None).unwrap();
    let link = cos.link(tag(), Format::Webp, NOW);
    assert!(
        link.starts_with("https://acme-125.cos.ap-shanghai.myqcloud.com/posters/"),
        "{link}"
    );
    let public = of(
        "https://cos.ap-shanghai.myqcloud.com",
        Some("https://cdn.acme.example"),
    )
    .unwrap();
    let link = public.link(tag(), Format::Webp, NOW);
    assert_eq!(
        link,
        format!("https://cdn.acme.example/posters/{}.webp", tag().name())
    );
    assert_eq!(of("cos", None).unwrap_err(), NotStored::Endpoint);
    let shown = format!("{cos:?}");
    assert!(!shown.contains("\"id\""), "{shown}");
}
