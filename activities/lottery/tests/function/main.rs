//! The function as a program of its own, with a bundle in the place of a folder: over a store that it shares, alone with a
//! `gala.bundle` beside it, and with a store that comes late. The same for every activity, since only `main.rs` is its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helper fails the test"
)]

mod program;
mod world;

use std::process::Command;

use serde_json::json;
use testbed::Server;

use program::Program;
use world::{World, token};

const DRAW: &str = "/v1/acme/wheel/events/draw";

/// A server that keeps what it acknowledged, as campaigns with stock demand it.
fn strict() -> Server {
    Server::with(&[("appendonly", "yes"), ("appendfsync", "always")])
}

#[test]
fn over_a_shared_store() {
    let (world, redis) = (World::new(), strict());
    world.publish(&redis.address());
    redis.command(&["CONFIG", "RESETSTAT"]);
    redis.command(&["SCRIPT", "FLUSH"]);
    let mut program = Program::start(
        world
            .program()
            .env("GALA_BUNDLE", world.bundle())
            .env("GALA_STORE", redis.address())
            .env("GALA_TENANTS", "acme, nobody"),
    );
    let ready = program.ready();
    for phase in [
        "total_us",
        "store_us",
        "scripts_us",
        "configs_us",
        "campaigns_us",
    ] {
        assert!(ready[phase].as_u64().is_some(), "{phase}: {ready}");
    }
    assert_eq!(ready["configs"], json!(world.bundle()));
    let message = ready["message"].as_str().unwrap();
    assert!(
        message.starts_with("ready in ") && message.contains(" ms: store "),
        "{ready}"
    );
    assert!(
        program.said("GALA_TENANTS names `nobody`, which the configs do not have"),
        "{}",
        program.words()
    );

    let (status, body) = program.call("GET", "/readyz", None);
    assert_eq!((status, &body["campaigns"]), (200, &json!(1)), "{body}");
    let draw = |key: &str| program.call("POST", DRAW, Some((&token("acme"), key)));
    let (status, first) = draw("a");
    assert_eq!((status, &first["event"]), (200, &json!("draw")), "{first}");
    assert_eq!(draw("a"), (200, first), "the same key, the same answer");
    let other = program.call(
        "POST",
        "/v1/orchid/wheel/events/draw",
        Some((&token("orchid"), "a")),
    );
    assert_eq!((other.0, &other.1["code"]), (404, &json!("no-such-tenant")));

    // No call waited for a script that the server did not know.
    let stats: String = redis.ask(&["INFO", "commandstats"]);
    let used = |name: &str| stats.contains(&format!("cmdstat_{name}:calls="));
    assert!(
        used("script|load") && used("evalsha") && !used("eval"),
        "{stats}"
    );
    assert_eq!(program.stop(), Some(0));
}

/// What `gala package` lays into one folder: the program and its bundle.
#[test]
fn with_a_bundle_beside_it() {
    let world = World::new();
    let folder = world.path("package");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("bootstrap");
    let built = env!("CARGO_BIN_EXE_lottery");
    // A link is enough, where one can be made.
    if std::fs::hard_link(built, &program).is_err() {
        std::fs::copy(built, &program).unwrap();
    }
    std::fs::copy(world.bundle(), folder.join("gala.bundle")).unwrap();
    let mut command = world.clean(Command::new(&program));
    let mut program = Program::start(command.env("GALA_DATA", world.path("data")));
    assert_eq!(
        program.ready()["configs"],
        json!(folder.join("gala.bundle"))
    );
    // Alone with its store it publishes what it has, both tenants.
    for tenant in ["acme", "orchid"] {
        let path = format!("/v1/{tenant}/wheel/events/draw");
        let (status, body) = program.call("POST", &path, Some((&token(tenant), "a")));
        assert_eq!(status, 200, "{tenant}: {body}");
    }
    assert_eq!(program.stop(), Some(0));
}

#[test]
fn a_store_that_is_away_at_the_start_is_waited_for() {
    let (world, mut redis) = (World::new(), strict());
    world.publish(&redis.address());
    redis.kill();
    let mut program = Program::start(
        world
            .program()
            .env("GALA_BUNDLE", world.bundle())
            .env("GALA_STORE", redis.address()),
    );
    program.wait_for("the store is away; it is tried again");
    redis.restart();
    program.ready();
    let (status, body) = program.call("POST", DRAW, Some((&token("acme"), "a")));
    assert_eq!(status, 200, "{body}");
}

#[test]
fn what_is_no_bundle_ends_the_start_with_a_way_out() {
    let world = World::new();
    let whole = std::fs::read(world.bundle()).unwrap();
    let rows: [(&str, &[u8], &str); 3] = [
        (
            "cut",
            &whole[..whole.len() / 2],
            "it is damaged (its length is not what it says)",
        ),
        (
            "newer",
            b"gala-bundle 9 x\n",
            "it is of form 9, and this program reads up to 1",
        ),
        (
            "yaml",
            b"name: Acme\n",
            "it is no bundle: `gala compile CONFIGS --out FILE` makes one",
        ),
    ];
    for (name, bytes, words) in rows {
        std::fs::write(world.path(name), bytes).unwrap();
        let mut program = Program::start(
            world
                .program()
                .env("GALA_BUNDLE", world.path(name))
                .env("GALA_DATA", world.path("data")),
        );
        assert_eq!(program.end(), Some(1), "{name}");
        assert!(program.said(words), "{name}: {}", program.words());
    }
}
