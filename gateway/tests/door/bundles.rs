//! Functions that read a bundle: they answer as those that read the folder, the store's newest revision stands above what they
//! have, and they can be limited to some tenants.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use campaign::Activity;
use function::compile::{Wanted, compile};
use function::registry::{ConfigsChoice, LoadError, Registry};
use lottery::Lottery;
use machine::world::{Action, AdminOutcome};
use serde_json::{Value, json};

use crate::files::{ALL, QUEST};
use crate::world::{ACTIVITIES, Answer, World, write};

const LEARN: &str = "/v1/acme/quest/events/learn";
const DRAW: &str = "/v1/acme/wheel/events/draw";

fn all() -> Wanted {
    Wanted::default()
}

/// Compiles the house's folder into a bundle beside it; keys stay where they are.
fn bundle(world: &World, wanted: &Wanted) -> ConfigsChoice {
    let compiled = compile(&world.configs(), wanted, &ACTIVITIES).unwrap();
    let file = world.folder.path().join("gala.bundle");
    std::fs::write(&file, compiled.bundle.unwrap()).unwrap();
    ConfigsChoice::bundle(file, Some(world.configs()))
}

fn registry(
    world: &World,
    choice: ConfigsChoice,
    activities: &[&'static dyn Activity],
) -> Registry {
    Registry::of(choice, activities, world.store.clone(), world.clock.clone())
}

/// A function of all activities that reads this.
async fn function(world: &World, choice: ConfigsChoice) -> World {
    let registry = registry(world, choice, &ACTIVITIES).without_seeding();
    world.with(registry).await
}

/// The answer without what is each request's own.
fn said(answer: &Answer) -> (u16, bool, String) {
    let text = if answer.status < 400 {
        answer.text()
    } else {
        let mut problem = answer.json();
        problem["request_id"] = Value::Null;
        problem.to_string()
    };
    (answer.status, answer.replayed(), text)
}

#[tokio::test]
async fn a_folder_and_a_bundle_answer_alike() {
    let (folder, other) = World::twins(ALL).await;
    let bundled = function(&other, bundle(&other, &all())).await;
    assert!(bundled.report.differs.is_empty() && bundled.report.problems.is_empty());
    let posts = [
        (DRAW, json!({})),
        (DRAW, json!({})),
        ("/v1/acme/daily/events/sign-in", json!({})),
        (LEARN, json!({ "words": 13 })),
        (LEARN, json!({ "words": 40, "note": "书" })),
        (LEARN, json!({ "words": 0 })),
        ("/v1/acme/pack/events/claim", json!({})),
        ("/v1/acme/pack/events/claim", json!({})),
        ("/v1/acme/quest/events/divide", json!({ "by": 0 })),
        ("/v1/other/pack/events/claim", json!({})),
    ];
    let gets = [
        "wheel",
        "daily",
        "quest",
        "pack",
        "wheel/grants",
        "pack/grants",
    ];
    let open = [
        "wheel/public",
        "wheel/rules?lang=en",
        "daily/public?lang=zh-CN",
    ];
    let mut done = 0;
    // `boss` is on a list that keeps one out, `tess` on the one that plays in the test lane.
    for user in ["ann", "boss", "tess"] {
        for (number, (path, body)) in posts.iter().enumerate() {
            // Each call, and again as a retry.
            for _ in 0..2 {
                let key = format!("k{number}");
                let expected = folder.post(user, path, &key, body.clone()).await;
                let found = bundled.post(user, path, &key, body.clone()).await;
                assert_eq!(said(&found), said(&expected), "{user} {path} {key}");
                done += usize::from(found.status == 200);
            }
        }
        for path in gets {
            let path = format!("/v1/acme/{path}");
            let (expected, found) = (
                folder.get(user, &path).await,
                bundled.get(user, &path).await,
            );
            assert_eq!(said(&found), said(&expected), "{user} {path}");
        }
    }
    for path in open {
        let path = format!("/v1/acme/{path}");
        let expected = folder.ask("GET", &path).send().await;
        let found = bundled.ask("GET", &path).send().await;
        assert_eq!(
            (found.status, found.text()),
            (200, expected.text()),
            "{path}"
        );
    }
    assert!(done > 20, "{done} calls were carried out");
}

#[tokio::test]
async fn the_stores_newest_revision_wins() {
    let world = World::remote(ALL).await;
    let choice = bundle(&world, &all());
    let function = function(&world, choice).await;
    let learn = async |key: &str| {
        function
            .post("ann", LEARN, key, json!({ "words": 400 }))
            .await
    };
    learn("a").await.done();
    let next = publish(&world, "quest", |text| {
        text.replace("at_most: 500", "at_most: 5")
    })
    .await;
    assert_eq!(next, Some(2));
    function.registry.refresh().await.unwrap();
    learn("b").await.no(422, "invalid-payload");
    assert_eq!(
        function.registry.differs(),
        ["acme/quest of the bundle differs from revision 2 in the store, which is served"]
    );
    // Published after the function was packaged: it is served all the same.
    write(&world.configs().join("acme/second.yaml"), QUEST);
    world.registry.load().await.unwrap();
    function.registry.refresh().await.unwrap();
    function.get("ann", "/v1/acme/second").await.done();
    assert!(
        function.registry.differs().iter().any(|said| said
            == "acme/second is not in the bundle: what the store has is served, without lists that the bundle lacks"),
        "{:?}",
        function.registry.differs()
    );
    assert!(function.registry.problems().is_empty());
}

/// Publishes a changed file past the folder, as staff do; the revision.
async fn publish(world: &World, campaign: &str, change: impl Fn(&str) -> String) -> Option<u32> {
    let path = world.configs().join(format!("acme/{campaign}.yaml"));
    let text = change(&std::fs::read_to_string(&path).unwrap());
    let sent = function::registry::Sent {
        document: Some(text.into()),
        ..function::registry::Sent::default()
    };
    let checked = world.registry.check("acme", campaign, sent).await;
    let function::registry::Checked::Sound(definition, _, _) = checked.unwrap() else {
        panic!("unsound");
    };
    let published = store::Store::published(&*world.store).await.unwrap();
    let known = function::registry::edition(&published, "acme", &definition);
    let new = function::registry::publication(
        &*world.store,
        &definition,
        known,
        function::registry::Terms::default(),
        0,
    )
    .await
    .unwrap()
    .unwrap();
    match world.admin("acme", Action::Publish(new)).await {
        AdminOutcome::Done(done) => done.revision,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_function_publishes_nothing_into_a_store_that_others_share() {
    let world = World::of(&ALL[..1]).await;
    world.store.remote.store(true, Ordering::SeqCst);
    for (path, text) in ALL {
        write(&world.configs().join(path), text);
    }
    let function = function(&world, bundle(&world, &all())).await;
    assert!(function.report.published.is_empty());
    let said = &function.report.differs;
    let quest = "acme/quest is not served in edition 1: the store has no revision of it, and a function publishes nothing";
    let other = "tenant `other` is not served: `gala serve` on the same store makes it known";
    assert!(said.iter().any(|said| said == quest), "{said:?}");
    assert!(said.iter().any(|said| said == other), "{said:?}");
    function
        .get("ann", "/v1/acme/quest")
        .await
        .no(404, "no-such-campaign");
    assert_eq!(function.ask("GET", "/readyz").send().await.status, 503);
    // Whoever may, publishes; the function needs no restart.
    world.registry.load().await.unwrap();
    function.registry.refresh().await.unwrap();
    function.get("ann", "/v1/acme/quest").await.done();
    assert!(function.registry.differs().is_empty());
}

/// One process that has the store for itself: the bundle is to it what the folder would be.
#[tokio::test]
async fn into_an_embedded_store_a_bundle_is_published() {
    let world = World::of(&ALL[..1]).await;
    for (path, text) in ALL {
        write(&world.configs().join(path), text);
    }
    let function = function(&world, bundle(&world, &all())).await;
    assert_eq!(function.report.published.len(), 5, "{:?}", function.report);
    let seen = async || {
        let stamp = function.registry.stamp().await.unwrap();
        function.registry.has_seen(&stamp)
    };
    assert!(seen().await);
    // Another bundle in its place is noticed, as a changed file is.
    write(
        &world.configs().join("acme/quest.yaml"),
        QUEST.replace("at_most: 500", "at_most: 50"),
    );
    let choice = bundle(&world, &all());
    assert!(!seen().await);
    let report = function.registry.load().await.unwrap();
    let quest = ("acme".to_owned(), "quest".to_owned(), 2);
    assert_eq!(report.published, [quest]);
    assert!(seen().await);
    // A damaged one changes nothing, and says so.
    let ConfigsChoice::Bundle { file, .. } = &choice else {
        panic!("{choice:?}");
    };
    let whole = std::fs::read(file).unwrap();
    std::fs::write(file, &whole[..whole.len() - 1]).unwrap();
    let error = function.registry.load().await.unwrap_err();
    assert!(matches!(error, LoadError::Bundle(..)), "{error:?}");
    let said = function::serve::chain(&error);
    assert!(
        said.contains("gala.bundle can't be used: it is damaged"),
        "{said}"
    );
    function.get("ann", "/v1/acme/quest").await.done();
    std::fs::write(file, &whole).unwrap();
    assert!(function.registry.load().await.unwrap().published.is_empty());
}

#[tokio::test]
async fn limited_to_some_tenants() {
    let world = World::remote(ALL).await;
    let only: BTreeSet<String> = ["other", "nobody"].map(str::to_owned).into();
    for choice in [
        ConfigsChoice::Folder(world.configs()),
        bundle(&world, &all()),
    ] {
        let limited = registry(&world, choice.clone(), &ACTIVITIES)
            .without_seeding()
            .limited_to(Some(only.clone()));
        let function = world.with(limited).await;
        assert_eq!(function.report.unknown_tenants, ["nobody"], "{choice}");
        assert!(function.report.differs.is_empty(), "{choice}");
        function
            .get("ann", "/v1/acme/quest")
            .await
            .no(404, "no-such-tenant");
        let token = function.token("other", "ann", &json!({}));
        let asked = function.ask("GET", "/v1/other/pack").bearer(&token);
        asked.send().await.done();
        assert_eq!(function.ask("GET", "/readyz").send().await.status, 200);
    }
}

#[tokio::test]
async fn the_function_of_one_activity_has_that_activitys_campaigns() {
    let world = World::remote(ALL).await;
    let wanted = Wanted {
        activities: ["lottery".to_owned()].into(),
        ..all()
    };
    let folder = ConfigsChoice::Folder(world.configs());
    // A folder does not say what other functions' campaigns are: each of the four is read, to see whose it is. A bundle does.
    for (wanted, reads) in [(None, 4), (Some(all()), 0), (Some(wanted), 0)] {
        let choice = wanted.map_or(folder.clone(), |wanted| bundle(&world, &wanted));
        world.store.revisions_read();
        let registry = registry(&world, choice, &[&Lottery]).without_seeding();
        let function = world.with(registry).await;
        assert_eq!(world.store.revisions_read(), reads);
        let snapshot = function.registry.snapshot();
        let names: Vec<&String> = snapshot.tenants["acme"].campaigns.keys().collect();
        assert_eq!(names, ["wheel"]);
        assert!(function.report.problems.is_empty() && function.report.differs.is_empty());
        function.get("ann", "/v1/acme/wheel").await.done();
        function
            .get("ann", "/v1/acme/quest")
            .await
            .no(404, "no-such-campaign");
    }
}

/// A bundle for one activity names the others' campaigns, which are not others' to a program that has them all.
#[tokio::test]
async fn the_function_of_all_activities_is_not_limited_by_a_bundle_of_one() {
    let world = World::remote(ALL).await;
    let wanted = Wanted {
        activities: ["lottery".to_owned()].into(),
        ..all()
    };
    let function = function(&world, bundle(&world, &wanted)).await;
    for campaign in ["wheel", "quest"] {
        function
            .get("ann", &format!("/v1/acme/{campaign}"))
            .await
            .done();
    }
}

#[tokio::test]
async fn what_is_no_bundle_is_refused_with_a_way_out() {
    let world = World::remote(ALL).await;
    let at = |name: &str| world.folder.path().join(name);
    std::fs::write(at("text"), "name: Acme\n").unwrap();
    std::fs::write(at("newer"), "gala-bundle 99 x 1\n").unwrap();
    let rows: [(PathBuf, &str); 3] = [
        (at("missing"), "can't be read: is GALA_BUNDLE right?"),
        (at("text"), "can't be used: it is no bundle: `gala compile"),
        (
            at("newer"),
            "can't be used: it is of form 99, and this program reads up to 1",
        ),
    ];
    for (file, words) in rows {
        let choice = ConfigsChoice::bundle(file, None);
        let error = registry(&world, choice, &ACTIVITIES)
            .load()
            .await
            .unwrap_err();
        let said = function::serve::chain(&error);
        assert!(said.contains(words), "{said}");
    }
}
