//! One program has the campaigns of every activity.

// A failing helper fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// It starts a program, as programs do.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::blocking::Client;
use testbed::{Process, free_port, until};

#[test]
fn the_campaigns_of_every_activity() {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/acme");
    let tenant = folder.path().join("configs/acme");
    for part in ["", "lists", "rules", "posters", "posters/art"] {
        std::fs::create_dir_all(tenant.join(part)).unwrap();
        for entry in std::fs::read_dir(example.join(part)).unwrap() {
            let from = entry.unwrap().path();
            if from.is_file() {
                let name = from.file_name().unwrap();
                std::fs::copy(&from, tenant.join(part).join(name)).unwrap();
            }
        }
    }
    let port = free_port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_together"));
    command
        .env_clear()
        .env("PORT", port.to_string())
        .current_dir(folder.path());
    let mut function = Process::start(command).unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let status = |path: &str| {
        let url = format!("http://127.0.0.1:{port}{path}");
        client.get(url).send().ok().map(|it| it.status().as_u16())
    };
    until("the function is ready", Duration::from_mins(1), || {
        assert!(function.ended().is_none(), "it ended");
        status("/readyz").filter(|status| *status == 200)
    });
    // One of each: sign-in, gift-pack, lottery, custom.
    for campaign in [
        "word-checkin",
        "flash-pack",
        "spring-wheel",
        "sign-then-draw",
    ] {
        let path = format!("/v1/acme/{campaign}/public");
        assert_eq!(status(&path), Some(200), "{campaign}");
    }
    assert_eq!(status("/v1/acme/nothing/public"), Some(404));
}
