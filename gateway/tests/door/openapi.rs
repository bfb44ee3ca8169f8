//! The description of the API: checked in as docs/openapi.json, and complete. `UPDATE=1` writes it anew.

use std::path::Path;

use serde_json::Value;

use crate::files::ALL;
use crate::world::World;

#[test]
fn it_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let made = function::http::openapi_json() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/openapi.json is not what the code says; write it anew: UPDATE=1 cargo test -p gateway --test door openapi"
    );
}

#[tokio::test]
async fn it_names_every_route_and_no_other() {
    let world = World::of(ALL).await;
    let served = world.ask("GET", "/openapi.json").send().await;
    assert!(
        served
            .header("cache-control")
            .unwrap()
            .starts_with("public")
    );
    let described = served.json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut found: Vec<String> = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            found.push(format!("{} {path}", method.to_uppercase()));
            assert!(
                operation["responses"]
                    .as_object()
                    .is_some_and(|all| !all.is_empty()),
                "{path}"
            );
            // What is described is there: whatever it answers, it is not "no such page" or "not in this way".
            let real = path
                .replace("{tenant}", "acme")
                .replace("{campaign}", "wheel")
                .replace("{event}", "draw")
                .replace("{user}", "ann");
            let answer = world.ask(&method.to_uppercase(), &real).send().await;
            assert!(
                ![404, 405].contains(&answer.status),
                "{method} {real}: {}",
                answer.text()
            );
        }
    }
    found.sort();
    // The router's table. Whoever adds a route adds it to the description, and here.
    let routes = [
        "GET /healthz",
        "GET /openapi.json",
        "GET /readyz",
        "GET /v1/{tenant}/{campaign}",
        "GET /v1/{tenant}/{campaign}/grants",
        "GET /v1/{tenant}/{campaign}/poster/{template}",
        "GET /v1/{tenant}/{campaign}/public",
        "GET /v1/{tenant}/{campaign}/rules",
        "POST /v1/{tenant}/{campaign}/events/{event}",
        "POST /v1/{tenant}/{campaign}/users/{user}/events/{event}",
    ];
    assert_eq!(found, routes);
    let source = include_str!("../../../shared/function/src/http/mod.rs");
    for route in routes {
        let path = route.split(' ').nth(1).unwrap();
        assert!(source.contains(&format!("\"{path}\"")), "{path}");
    }
    let routed = source.matches("\"/").count();
    assert_eq!(
        routed,
        routes.len(),
        "a route of the router is missing here"
    );
}

/// Answers fit what the description says of them.
#[tokio::test]
async fn answers_have_the_members_that_are_described() {
    let world = World::of(ALL).await;
    let schemas = serde_json::from_str::<Value>(&function::http::openapi_json()).unwrap()["components"]["schemas"].clone();
    let rows = [
        (
            "EventAnswer",
            world
                .post(
                    "ann",
                    "/v1/acme/wheel/events/draw",
                    "k",
                    serde_json::json!({}),
                )
                .await,
        ),
        ("ViewAnswer", world.get("ann", "/v1/acme/pack").await),
        (
            "GrantsAnswer",
            world.get("ann", "/v1/acme/pack/grants").await,
        ),
        (
            "PublicAnswer",
            world.ask("GET", "/v1/acme/wheel/public").send().await,
        ),
        (
            "ProblemAnswer",
            world.ask("GET", "/v1/acme/wheel").send().await,
        ),
    ];
    for (name, answer) in rows {
        let schema = &schemas[name];
        // A schema with flattened parts is an `allOf`.
        let parts = schema["allOf"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![schema.clone()]);
        let required: Vec<String> = parts
            .iter()
            .flat_map(|part| part["required"].as_array().cloned().unwrap_or_default())
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        assert!(!required.is_empty(), "{name}: {schema}");
        for member in required {
            assert!(
                answer.json().get(&member).is_some(),
                "{name} without {member}: {}",
                answer.text()
            );
        }
    }
}
