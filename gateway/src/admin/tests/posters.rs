//! Posters on their way to a revision: sent, kept with drafts, frozen, and told of where they are wrong.

use function::identity::Role;
use serde_json::{Value as Json, json};

use super::house::{Answer, House, WHEEL as FILE};
use super::revise::served;

const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="300" height="400">
  <rect width="300" height="400" fill="#ffffff"/>
  <text x="20" y="60" font-size="20" fill="#222222">{{ campaign.title }}</text>
</svg>
"##;

async fn ask(house: &House, what: &str, key: &str, body: &Json) -> Answer {
    let token = house.staff("acme", Role::Publisher);
    let path = format!("{WHEEL}/{what}");
    house.post(&token, &path, key, &body.to_string()).await
}

fn with_poster() -> String {
    format!("{FILE}\nposters: {{ prize: posters/prize.svg }}\n")
}

/// Posters that are sent lie in no file of the server's, and are frozen with what is published.
#[tokio::test]
async fn posters_are_sent_with_the_document() {
    let house = House::open().await;
    let mut body = json!({ "document": with_poster(), "posters": { "posters/prize.svg": SVG } });
    let done = ask(&house, "publish", "p-1", &body).await;
    assert_eq!(done.status, 200, "{done:?}");
    let campaign = house.registry.snapshot().tenants["acme"].campaigns["wheel"].clone();
    let frozen = campaign.newest().unwrap().posters.clone();
    assert_eq!(
        campaign::posters::template(&frozen, "posters/prize.svg").map(|text| &**text),
        Some(SVG)
    );
    assert!(!house.configs().join("acme/posters").exists());
    // What is wrong in one has its place there.
    body["posters"]["posters/prize.svg"] = json!(SVG.replace("campaign.title", "campaign.titel"));
    let wrong = ask(&house, "publish", "p-2", &body).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    let found = &wrong.json()["diagnostics"][0];
    assert_eq!(
        (&found["code"], &found["file"], &found["line"]),
        (
            &json!("E2005"),
            &json!("configs/acme/posters/prize.svg"),
            &json!(3)
        )
    );
    // Another look is another revision, and takes nothing from anybody.
    body["posters"]["posters/prize.svg"] = json!(SVG.replace("#222222", "#333333"));
    let check = ask(&house, "check", "", &body).await.json();
    assert_eq!(
        check["changes"][0]["subject"], "posters.prize.look",
        "{check}"
    );
    let done = ask(&house, "publish", "p-3", &body).await;
    assert_eq!(done.json()["revision"], json!(3), "{done:?}");
    // The way back brings the old look back.
    let back = ask(&house, "rollback", "p-4", &json!({ "revision": 2 })).await;
    assert_eq!(back.status, 200, "{back:?}");
    let campaign = house.registry.snapshot().tenants["acme"].campaigns["wheel"].clone();
    assert_eq!(campaign.newest().unwrap().posters, frozen);
}

#[tokio::test]
async fn what_is_no_poster_is_not_taken_for_one() {
    let house = House::open().await;
    for path in ["tenant.yaml", "posters/../tenant.yaml", "posters/a.yaml"] {
        let body = json!({ "document": FILE, "posters": { path: "name: Nobody" } });
        let refused = ask(&house, "check", "", &body).await;
        assert_eq!(refused.status, 422, "{path}: {refused:?}");
    }
}

/// A changed template of the folder is news as a changed file is.
#[tokio::test]
async fn a_changed_template_is_the_next_revision() {
    let house = House::open().await;
    let acme = house.configs().join("acme");
    std::fs::create_dir_all(acme.join("posters")).unwrap();
    std::fs::write(acme.join("posters/prize.svg"), SVG).unwrap();
    std::fs::write(acme.join("wheel.yaml"), with_poster()).unwrap();
    let newest = async || {
        house.registry.load().await.unwrap();
        served(&house)
    };
    assert_eq!(newest().await, 2);
    assert_eq!(newest().await, 2, "nothing changed");
    std::fs::write(
        acme.join("posters/prize.svg"),
        SVG.replace("#222222", "#333333"),
    )
    .unwrap();
    assert_eq!(newest().await, 3);
    // One with an error is told, and what is live stays.
    std::fs::write(
        acme.join("posters/prize.svg"),
        SVG.replace("<text", "<script"),
    )
    .unwrap();
    assert_eq!(newest().await, 3);
}
