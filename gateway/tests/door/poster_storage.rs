//! Posters that lie in the tenant's own object store: put there once, whoever asks, and drawn by one process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use machine::ids::Lane;
use store::Store as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::posters::{STREAK, daily_in, house_of, tenant};
use crate::world::World;

/// An object store on this machine, as far as we ask one.
async fn bucket() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = calls.clone();
    tokio::spawn(async move {
        let mut there = HashSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut all = Vec::new();
            let (head, end) = loop {
                let mut part = vec![0; 65_536];
                let read = stream.read(&mut part).await.unwrap();
                all.extend(&part[..read]);
                let end = all.windows(4).position(|four| four == b"\r\n\r\n");
                if let Some(end) = end {
                    break (String::from_utf8_lossy(&all[..end]).into_owned(), end + 4);
                }
            };
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            while all.len() < end + length.unwrap_or(0) {
                let mut part = vec![0; 65_536];
                let read = stream.read(&mut part).await.unwrap();
                all.extend(&part[..read]);
            }
            let mut words = head.split(' ');
            let (method, path) = (words.next().unwrap(), words.next().unwrap().to_owned());
            noted.lock().unwrap().push(method.to_owned());
            let found = match method {
                "PUT" => {
                    assert!(all[end..].starts_with(b"\xff\xd8\xff"), "a JPEG is put");
                    there.insert(path)
                }
                _ => there.contains(&path),
            };
            let status = if found { "200 OK" } else { "404 Not Found" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, calls)
}

/// A house whose tenant has a store for posters there.
async fn house_with_bucket(port: u16) -> World {
    let storage = format!(
        "posters: {{ storage: {{ endpoint: \"http://localhost:{port}\", region: here, bucket: acme, key: {{ file: store.id }}, secret: {{ file: store.secret }} }}, picture_hosts"
    );
    let tenant = tenant().replace("posters: { picture_hosts", &storage);
    let keys = [("acme/store.id", "id\n"), ("acme/store.secret", "secret\n")];
    house_of(&tenant, &keys).await
}

#[tokio::test]
async fn a_tenants_own_store_has_each_poster_once_and_the_answer_leads_there() {
    let (port, calls) = bucket().await;
    let world = house_with_bucket(port).await;
    let sent = world.get("ann", STREAK).await;
    assert_eq!(sent.status, 302, "{}", sent.text());
    let to = sent.header("location").unwrap().to_owned();
    assert!(
        to.starts_with(&format!("http://localhost:{port}/acme/posters/")),
        "{to}"
    );
    assert!(
        to.contains(".jpeg?X-Amz-Algorithm=") && !to.contains("ann"),
        "{to}"
    );
    let link = world.get("ann", &format!("{STREAK}?link=1")).await.done();
    assert_eq!(link["url"], *to);
    // Another process finds it there.
    let other = world.beside().await;
    assert_eq!(other.get("ann", STREAK).await.status, 302);
    assert_eq!(*calls.lock().unwrap(), ["HEAD", "PUT", "HEAD"]);
}

#[tokio::test]
async fn of_two_processes_that_are_asked_at_once_one_draws_it() {
    let (port, calls) = bucket().await;
    let world = house_with_bucket(port).await;
    let other = world.beside().await;
    for user in (0..30).map(|n| format!("user-{n}")) {
        calls.lock().unwrap().clear();
        let began = Instant::now();
        // Eight ask each of the two.
        let asked = (0..16).map(|n| [&world, &other][n % 2].get(&user, STREAK));
        let answers = futures_util::future::join_all(asked).await;
        if began.elapsed() > Duration::from_millis(500) {
            // So busy a machine that the one who waited may rightly have drawn it itself.
            continue;
        }
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        let calls = calls.lock().unwrap();
        assert_eq!(statuses, [302; 16], "{calls:?}");
        let places: HashSet<_> = answers.iter().map(|it| it.header("location")).collect();
        assert_eq!(places.len(), 1);
        let puts = calls.iter().filter(|call| **call == "PUT").count();
        assert_eq!(puts, 1, "{calls:?}");
        return;
    }
    panic!("half a second was never enough for one poster");
}

#[tokio::test]
async fn whoever_waits_for_one_that_is_gone_draws_it() {
    let (port, calls) = bucket().await;
    let world = house_with_bucket(port).await;
    // Somebody took the turn for every poster there can be, and draws none.
    let key = daily_in(Lane::Live);
    for n in 0..=255_u8 {
        let (job, long) = (format!("poster-{n:02x}"), Duration::from_hours(1));
        let lease = world.store.lease(&key, &job, long).await.unwrap();
        assert!(lease.is_some());
    }
    assert_eq!(world.get("ann", STREAK).await.status, 302);
    let calls = calls.lock().unwrap();
    assert!(calls.len() > 2, "it was waited for: {calls:?}");
    assert_eq!(calls.last().unwrap(), "PUT");
}
