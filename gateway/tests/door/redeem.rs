//! Codes that users type in, over HTTP: each used as often as it may be, by whichever process; guesses run out over all of them; what
//! was answered is answered again; and no code is written down anywhere.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use campaign::tenant::{Alg, KeySource, KeySpec};
use function::clock::{Clock as _, SystemClock};
use function::http::router;
use function::identity::{Minter, Ticket};
use function::registry::material;
use function::serve::{Process, StoreChoice, open};
use futures_util::future::join_all;
use machine::ids::{CampaignKey, Lane};
use machine::ledger::Row;
use machine::typed;
use machine::world::{Action, Admin, AdminOutcome, Lines};
use serde_json::{Value, json};
use testbed::Server;

use crate::one_store::{TENANT, process};
use crate::world::{ACTIVITIES, Answer, write};

const HEAD: &str = "
activity: gift-pack
title: { en: Spring codes }
opens: 2026-01-01
closes: 2036-01-01
durability: standard
rewards:
  coupon: { title: { en: Coupon }, kind: coupon, stock: 100000 }
  mug: { title: { en: Mug }, kind: physical, stock: 3 }
";

/// Ours and words: slips are told.
const SPRING: &str = "
redeem:
  made_by: gala
  tries: { per_user: 3, per: hour }
  codes:
    spring: { list: spring, gives: coupon }
    word: { word: WELCOME 2026, uses: 3, gives: mug }
";

/// Those of others, of which each may be used by two.
const OTHERS: &str = "
redeem:
  per_user: 2
  codes:
    partner: { list: partner, uses: 2, gives: coupon }
    single: { list: single, gives: coupon }
";

/// A code that gala could have made.
fn code(number: u8) -> String {
    typed::make([
        number, 0x5a, 0xc3, 0x11, 0x98, 0x2e, 0x77, 0x4d, 0xb6, number,
    ])
}

/// Two processes over one Redis, or one over a store of its own.
struct House {
    folder: tempfile::TempDir,
    redis: Option<Server>,
    processes: Vec<Process>,
    doors: Vec<Router>,
}

impl House {
    async fn both() -> Vec<Self> {
        vec![Self::over(false).await, Self::over(true).await]
    }

    async fn over(remote: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configs = folder.path().join("configs/acme");
        write(&configs.join("tenant.yaml"), TENANT);
        write(&configs.join("spring.yaml"), format!("{HEAD}{SPRING}"));
        write(&configs.join("others.yaml"), format!("{HEAD}{OTHERS}"));
        write(
            &configs.join("lists/partner.csv"),
            "code\nSHOP-A1B2\nSHOP-C3D4\n",
        );
        write(
            &configs.join("lists/single.csv"),
            "code\nOOOO-0000-IIII\nonce-1\n",
        );
        let (redis, processes) = if remote {
            let redis = Server::with(&[("appendonly", "yes")]);
            let one = process(folder.path(), &redis, true).await;
            let other = process(folder.path(), &redis, false).await;
            (Some(redis), vec![one, other])
        } else {
            let data = folder.path().join("data");
            let choice = StoreChoice::of(None, &data).unwrap();
            let opened = open(&folder.path().join("configs"), &choice, &ACTIVITIES, true).await;
            let opened = opened.unwrap();
            let wrong: Vec<String> = opened
                .report
                .diagnostics
                .iter()
                .filter(|found| found.severity == campaign::Severity::Error)
                .map(|found| found.message.clone())
                .collect();
            assert_eq!(wrong, [""; 0]);
            (None, vec![opened])
        };
        let doors = processes
            .iter()
            .map(|process| router(process.shell(Some("gift-pack"), 0)))
            .collect();
        let house = Self {
            folder,
            redis,
            processes,
            doors,
        };
        house.accept("spring", (0..20).map(code)).await;
        house
    }

    /// Puts a list of codes into the store, as `gala codes accept` does.
    async fn accept(&self, list: &str, codes: impl Iterator<Item = String>) {
        let store = &self.processes[0].store;
        let secret = store.tenant_secret("acme").await.unwrap().unwrap();
        let digests = codes.map(|code| machine::redeem::digest(&secret.0, &code).unwrap());
        let mut digests: Vec<_> = digests.collect();
        digests.sort_unstable();
        let change = Admin {
            tenant: "acme".into(),
            by: "ops".into(),
            at: 1,
            key: None,
            action: Action::PutList {
                list: list.into(),
                version: "".into(),
                members: 0,
                lines: Lines::default(),
                sha256: [1; 32],
            },
            why: None,
        };
        let outcome = store.put_list(Box::new(change), digests).await;
        assert!(matches!(outcome, Ok(AdminOutcome::Done(_))), "{outcome:?}");
        for process in &self.processes {
            process.registry.refresh().await.unwrap();
        }
    }

    /// Somebody hands a code in at the door of one of the processes.
    async fn hand_in(
        &self,
        door: usize,
        campaign: &str,
        user: &str,
        key: &str,
        code: &str,
    ) -> Answer {
        let spec = KeySpec {
            kid: "users".into(),
            alg: Alg::HS256,
            source: KeySource::Dev,
        };
        let configs = self.folder.path().join("configs");
        let minter = Minter::hs256("users", &material(&configs, "acme", &spec).unwrap()).unwrap();
        let token = minter.sign(&Ticket::user("acme", user), SystemClock.now() / 1000);
        let request = Request::builder()
            .method("POST")
            .uri(format!("/v1/acme/{campaign}/events/redeem"))
            .header("authorization", format!("Bearer {}", token.unwrap()))
            .header("idempotency-key", key)
            .body(Body::from(json!({ "code": code }).to_string()))
            .unwrap();
        let door = &self.doors[door % self.doors.len()];
        Answer::to(door.clone(), request).await
    }

    fn lane(campaign: &str) -> CampaignKey {
        CampaignKey {
            tenant: "acme".into(),
            campaign: campaign.into(),
            edition: 1,
            lane: Lane::Live,
        }
    }

    /// How many grants there are, and that all books agree.
    async fn grants(&self, campaign: &str) -> usize {
        let store = &*self.processes[0].store;
        let key = Self::lane(campaign);
        let report = store::reconcile::reconcile(store, &key)
            .await
            .unwrap()
            .unwrap();
        assert!(report.agrees(), "{:?}", report.differences);
        let rows = store.ledger(&key, 0, 100_000).await.unwrap();
        rows.iter()
            .filter(|row| matches!(row.row, Row::Grant(_)))
            .count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_users_with_one_code_exactly_one_is_given_something() {
    for house in House::both().await {
        let calls = (0..64).map(|number| {
            let house = &house;
            async move {
                let user = format!("user-{number}");
                house.hand_in(number, "spring", &user, "k", &code(1)).await
            }
        });
        let answers = join_all(calls).await;
        let given = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(given, 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.no(409, "code-used");
        }
        assert_eq!(house.grants("spring").await, 1);
        // Who comes later meets the same, and another code is another code.
        house
            .hand_in(0, "spring", "late", "a", &code(1))
            .await
            .no(409, "code-used");
        assert_eq!(
            house
                .hand_in(1, "spring", "late", "b", &code(2))
                .await
                .rewards(),
            ["coupon"]
        );
        assert_eq!(house.grants("spring").await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_and_a_partners_code_are_used_as_often_as_they_may_be() {
    for house in House::both().await {
        let calls = (0..12).map(|number| {
            let house = &house;
            async move {
                let user = format!("user-{number}");
                house
                    .hand_in(number, "spring", &user, "k", "welcome-2026")
                    .await
            }
        });
        let answers = join_all(calls).await;
        let given = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(given, 3, "so many uses, and as many mugs");
        assert_eq!(house.grants("spring").await, 3);
        let hand = async |door, user: &str, key: &str, code: &str| {
            house.hand_in(door, "others", user, key, code).await
        };
        assert_eq!(hand(0, "ann", "1", "shop a1b2").await.rewards(), ["coupon"]);
        // One of a list whose codes many may use is one user's once.
        hand(1, "ann", "2", "ｓｈｏｐ－ａ１ｂ２")
            .await
            .no(409, "code-limit");
        hand(1, "ann", "3", "SHOPC3D4").await.no(409, "code-limit");
        assert_eq!(hand(1, "bob", "1", "SHOP.A1B2").await.rewards(), ["coupon"]);
        hand(0, "cid", "1", "SHOP-A1B2").await.no(409, "code-used");
        // Of others' codes no letter is another.
        hand(0, "cid", "2", "0000-0000-IIII")
            .await
            .no(409, "code-unknown");
        assert_eq!(
            hand(0, "cid", "3", "oooo 0000 iiii").await.rewards(),
            ["coupon"]
        );
        assert_eq!(hand(0, "cid", "4", "once1").await.rewards(), ["coupon"]);
        hand(0, "cid", "5", "SHOP-C3D4").await.no(409, "code-limit");
        // A code of another campaign is as unknown as one that nobody made.
        let other = hand(0, "dan", "1", &code(3)).await.no(409, "code-unknown");
        let none = hand(0, "dan", "2", "NOBODY-MADE-THIS")
            .await
            .no(409, "code-unknown");
        let said = |body: &Value| {
            let mut body = body.clone();
            body.as_object_mut().unwrap().remove("request_id");
            body
        };
        assert_eq!(said(&other), said(&none));
        assert_eq!(house.grants("others").await, 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_run_out_over_all_processes_and_slips_and_right_ones_cost_nothing() {
    for house in House::both().await {
        let hand = async |door, key: &str, code: &str| {
            house.hand_in(door, "spring", "ann", key, code).await
        };
        for number in 0..5 {
            let answer = hand(usize::from(number), &format!("r{number}"), &code(number)).await;
            assert_eq!(answer.rewards(), ["coupon"]);
        }
        let slip = code(9).replace('A', "B").replace('5', "6");
        assert!(typed::read(&slip).is_err());
        for number in 0..6 {
            let answer = hand(number, &format!("s{number}"), &slip).await;
            answer.no(409, "code-mistyped");
        }
        for number in 0..3 {
            let wrong = typed::make([200, number, 1, 2, 3, 4, 5, 6, 7, 8]);
            let answer = hand(usize::from(number), &format!("w{number}"), &wrong).await;
            answer.no(409, "code-unknown");
        }
        for (door, text) in [
            (0, code(6)),
            (1, typed::make([201; 10])),
            (0, "WELCOME2026".into()),
        ] {
            let answer = hand(door, &format!("x{text}"), &text).await;
            answer.no(429, "rate-limited");
            let after: u32 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!(
                (1100..=1200).contains(&after),
                "one comes back in twenty minutes: {after}"
            );
        }
        // Who has none left is told of slips all the same, others guess for themselves, and what was answered is answered again.
        hand(0, "slip", &slip).await.no(409, "code-mistyped");
        let other = house.hand_in(1, "spring", "bob", "1", &code(6)).await;
        assert_eq!(other.rewards(), ["coupon"]);
        let again = hand(1, "r0", &code(0).to_lowercase()).await;
        assert!(again.replayed() && again.rewards() == ["coupon"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_bytes_however_the_code_is_typed() {
    for house in House::both().await {
        let first = house.hand_in(0, "spring", "ann", "k", &code(1)).await;
        for (door, text) in [
            (0, code(1)),
            (1, code(1).to_lowercase()),
            (1, code(1).replace('-', " ")),
        ] {
            let again = house.hand_in(door, "spring", "ann", "k", &text).await;
            assert!(again.replayed());
            assert_eq!(again.text(), first.text());
        }
        // What stands on the list since then does not matter; another code is another call.
        house.accept("spring", [code(7)].into_iter()).await;
        let again = house.hand_in(1, "spring", "ann", "k", &code(1)).await;
        assert_eq!((again.replayed(), again.text()), (true, first.text()));
        let other = house.hand_in(0, "spring", "ann", "k", &code(7)).await;
        other.no(422, "idempotency-key-reused");
        house
            .hand_in(0, "spring", "bob", "k", &code(2))
            .await
            .no(409, "code-unknown");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_written_down_anywhere() {
    for house in House::both().await {
        let others = ["OOOO-0000-IIII", "SHOP-A1B2"].map(str::to_owned);
        let mut all = vec![code(1), code(1), code(2), "WELCOME2026".to_owned()];
        for (number, text) in all.iter().enumerate() {
            let user = format!("user-{number}");
            let _ = house.hand_in(number, "spring", &user, "k", text).await;
        }
        for (number, text) in others.iter().enumerate() {
            let user = format!("user-{number}");
            let _ = house.hand_in(number, "others", &user, "k", text).await;
        }
        assert_eq!(house.grants("spring").await, 3);
        assert_eq!(house.grants("others").await, 2);
        all.extend(others);
        let forms: Vec<String> = all
            .iter()
            .flat_map(|code| {
                let bare = code.replace('-', "");
                [code.clone(), code.to_lowercase(), bare.to_lowercase(), bare]
            })
            .collect();
        let mut seen = 0;
        if let Some(redis) = &house.redis {
            let keys: Vec<Vec<u8>> = redis.ask(&["KEYS", "*"]);
            assert!(keys.len() > 10);
            redis.command(&["SAVE"]);
            seen += look(redis.folder(), &forms);
        } else {
            seen += look(&house.folder.path().join("data"), &forms);
        }
        assert!(seen > 10_000, "{seen} bytes were looked at");
    }
}

/// Looks for these texts in all files below; how many bytes there were.
fn look(folder: &Path, forms: &[String]) -> usize {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            seen += look(&path, forms);
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        seen += bytes.len();
        for form in forms {
            let found = bytes
                .windows(form.len())
                .any(|some| some == form.as_bytes());
            assert!(!found, "{form} stands in {}", path.display());
        }
    }
    seen
}
