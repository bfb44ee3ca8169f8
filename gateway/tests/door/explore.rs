use crate::files::ALL;
use crate::world::World;
use serde_json::json;

#[tokio::test]
async fn explore() {
    let world = World::of(ALL).await;
    println!("{:?}", world.report.problems);
    for d in world.report.diagnostics.iter() {
        println!("{} {} {}", d.code, d.place.line(), d.message);
    }
    for c in ["daily", "wheel", "pack", "quest"] {
        println!(
            "{}",
            world.get("ann", &format!("/v1/acme/{c}")).await.text()
        );
        println!(
            "{}",
            world
                .get("ann", &format!("/v1/acme/{c}/public?lang=en"))
                .await
                .text()
        );
    }
    for (p, b) in [
        ("daily/events/sign-in", json!({})),
        ("wheel/events/draw", json!({})),
        ("pack/events/claim", json!({})),
        ("quest/events/learn", json!({"words": 5})),
        ("quest/events/learn", json!({"words": 13})),
        ("quest/events/divide", json!({"by": 0})),
        ("quest/events/learn", json!({"words": 1000, "x": 1})),
    ] {
        let a = world
            .post(
                "ann",
                &format!("/v1/acme/{p}"),
                &format!("k{p}{b}").replace('"', ""),
                b,
            )
            .await;
        println!("{} {:?}\n{}", a.status, a.headers, a.text());
    }
}
