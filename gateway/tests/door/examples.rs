//! The configs that come with the project, as they are: served, and played by a stranger.

use std::path::Path;

use serde_json::json;

use crate::world::World;

fn files(folder: &Path, below: &str, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let full = format!("{below}{name}");
        if path.is_dir() {
            if !name.starts_with('.') {
                files(&path, &format!("{full}/"), found);
            }
        } else if !full.ends_with("README.md") {
            found.push((full, std::fs::read(&path).unwrap()));
        }
    }
}

#[tokio::test]
async fn at_least_four_can_be_played_by_anyone_and_five_are_open() {
    let mut found = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs"),
        "",
        &mut found,
    );
    let borrowed: Vec<(&str, &[u8])> = found
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    let world = World::of(&borrowed).await;
    assert!(
        world.report.problems.is_empty(),
        "{:?}",
        world.report.problems
    );
    let (mut open, mut played) = (0, 0);
    let snapshot = world.registry.snapshot();
    for (tenant, shell) in &snapshot.tenants {
        for campaign in shell.campaigns.keys() {
            let page = world
                .ask("GET", &format!("/v1/{tenant}/{campaign}/public?lang=en"))
                .send()
                .await;
            assert_eq!(page.status, 200, "{}", page.text());
            open += u32::from(page.json()["phase"] == "open");
            let rules = page.json()["rules_url"].as_str().map(str::to_owned);
            if let Some(rules) = rules {
                assert_eq!(world.ask("GET", &rules).send().await.status, 200, "{rules}");
            }
            // `orchid` has keys of another kind; its campaigns are played over the command line's tour.
            if tenant != "acme" {
                continue;
            }
            let ask = world.minter(tenant, "acme-users-dev");
            let token = ask
                .sign(
                    &function::identity::Ticket::user(tenant, "stranger"),
                    world.clock.secs(),
                )
                .unwrap();
            let view = world
                .ask("GET", &format!("/v1/{tenant}/{campaign}"))
                .bearer(&token)
                .send()
                .await
                .done();
            for event in view["events"].as_array().unwrap() {
                let path = format!(
                    "/v1/{tenant}/{campaign}/events/{}",
                    event["event"].as_str().unwrap()
                );
                let answer = world
                    .ask("POST", &path)
                    .bearer(&token)
                    .key("k")
                    .json(&json!({}))
                    .send()
                    .await;
                assert!(answer.status < 500, "{path}: {}", answer.text());
                played += u32::from(answer.status == 200);
            }
        }
    }
    assert!(open >= 5, "{open} open");
    assert!(played >= 4, "{played} played");
}
