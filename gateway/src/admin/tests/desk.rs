//! Kill switches, blocks, grants by hand, what becomes of a grant, and the settlement: over both stores, and by what users
//! meet afterwards.

use std::collections::BTreeMap;

use campaign::verify::{Promise, Published, Row, verify};
use function::identity::Role;
use machine::luck::Seed;
use serde_json::{Value as Json, json};

use super::house::House;

mod settlement;

const ACME: &str = "/admin/v1/acme";
const WHEEL: &str = "/admin/v1/acme/campaigns/wheel";

impl House {
    /// Has staff of this role do something; the answer's status and body.
    async fn does(&self, role: Role, path: &str, key: &str, body: &Json) -> (u16, Json) {
        let token = self.staff("acme", role);
        let answer = self.post(&token, path, key, &body.to_string()).await;
        (answer.status.as_u16(), answer.json())
    }

    /// The same, which must succeed.
    async fn done(&self, role: Role, path: &str, key: &str, body: &Json) -> Json {
        let (status, told) = self.does(role, path, key, body).await;
        assert_eq!(status, 200, "{path} {body}: {told}");
        told
    }

    async fn read(&self, role: Role, path: &str) -> Json {
        let answer = self.get(&self.staff("acme", role), path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// What a draw of a member came to: the reward given, or the code of the no.
    async fn drawn(&self, member: &str, key: &str) -> Result<Option<String>, String> {
        let answer = self.play("acme", member, key).await;
        let told = answer.json();
        if answer.status != 200 {
            return Err(told["code"].as_str().unwrap().to_owned());
        }
        let given = told["grants"].as_array().unwrap().first();
        Ok(given.map(|grant| grant["reward"].as_str().unwrap().to_owned()))
    }

    /// The coupons of so many draws of new members.
    async fn coupons(&self, who: &str, draws: usize) -> usize {
        let mut coupons = 0;
        for number in 0..draws {
            let drawn = self.drawn(&format!("{who}-{number}"), "a").await.unwrap();
            coupons += usize::from(drawn.is_some());
        }
        coupons
    }

    async fn statuses(&self, member: &str) -> Vec<String> {
        let grants = self.look("acme", member, "/grants").await.json();
        let grants = grants["grants"].as_array().unwrap().clone();
        grants
            .iter()
            .map(|grant| grant["status"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Whether ledger, counters and records agree, and every draw can be made again.
    async fn is_sound(&self) {
        let books = self
            .read(Role::Finance, &format!("{WHEEL}/reconcile"))
            .await;
        assert_eq!(books["found"], 0, "{books}");
        let lines = self
            .get(
                &self.staff("acme", Role::Finance),
                "/admin/v1/acme/ledger?campaign=wheel",
            )
            .await
            .lines();
        let key = machine::ids::CampaignKey {
            tenant: "acme".into(),
            campaign: "wheel".into(),
            edition: 1,
            lane: machine::ids::Lane::Live,
        };
        let seed: Seed = self.store.lane(&key).await.unwrap().unwrap().seed;
        let stored = self.store.revision("acme", "wheel", 1, 1).await;
        let stored = stored.unwrap().unwrap();
        let published = Published {
            sha256: stored.sha256,
            definition: stored.definition.to_vec(),
        };
        let promise = Promise {
            revisions: &BTreeMap::from([(1, published)]),
            seed: &seed,
            commitment: seed.commitment(),
            whole: true,
        };
        let rows = lines
            .into_iter()
            .map(|line| serde_json::from_value::<Row>(line).unwrap());
        let report = verify(&promise, rows);
        assert!(report.holds(), "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_stopped_reward_is_given() {
    for house in House::of_each_store().await {
        let reward = format!("{WHEEL}/rewards/coupon");
        let why = json!({ "reason": "wrong batch" });
        let stop = format!("{reward}/stop");
        house.done(Role::Risk, &stop, "s", &why).await;
        assert_eq!(house.coupons("a", 12).await, 0);
        let stats = house.read(Role::Viewer, &format!("{WHEEL}/stats")).await;
        assert_eq!(stats["stopped"], json!(["coupon"]));
        assert_eq!(stats["lanes"][0]["stock"][0]["left"], 3);
        let again = house.done(Role::Risk, &stop, "t", &why).await;
        assert!(again["audit"].is_null(), "{again}");
        for nothing in ["nothing", "laptop"] {
            let path = format!("{WHEEL}/rewards/{nothing}/stop");
            assert_eq!(house.does(Role::Risk, &path, nothing, &why).await.0, 404);
        }
        let start = format!("{reward}/start");
        assert_eq!(house.does(Role::Risk, &start, "u", &json!({})).await.0, 403);
        house.done(Role::Publisher, &start, "u", &json!({})).await;
        assert!(house.coupons("b", 12).await > 0);

        // What is left is withdrawn: as good as stopped, and exact.
        let stock = format!("{WHEEL}/stock");
        let stats = house.read(Role::Viewer, &format!("{WHEEL}/stats")).await;
        let issued = stats["lanes"][0]["stock"][0]["issued"].clone();
        house
            .done(
                Role::Publisher,
                &stock,
                "v",
                &json!({ "reward": "coupon", "add": 2 }),
            )
            .await;
        let all = json!({ "reward": "coupon", "withdraw": "all" });
        let done = house.done(Role::Publisher, &stock, "w", &all).await;
        assert_eq!(done["ceiling"], issued, "{done}");
        assert_eq!(house.coupons("c", 12).await, 0);
        for (number, wrong) in [
            json!({ "reward": "coupon" }),
            json!({ "reward": "coupon", "withdraw": 0 }),
            json!({ "reward": "coupon", "withdraw": "some" }),
            json!({ "reward": "coupon", "withdraw": 1, "add": 1 }),
        ]
        .iter()
        .enumerate()
        {
            let (status, told) = house
                .does(Role::Publisher, &stock, &format!("x{number}"), wrong)
                .await;
            assert_eq!(status, 422, "{wrong}: {told}");
        }
        house.is_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_paused_with_all_its_campaigns() {
    for house in House::of_each_store().await {
        let stop = json!({ "reason": "an incident", "notice": "back soon" });
        let pause = format!("{ACME}/pause");
        house.done(Role::Publisher, &pause, "p", &stop).await;
        assert_eq!(house.drawn("ann", "a").await, Err("paused".to_owned()));
        let view = house.look("acme", "ann", "").await.json();
        assert_eq!(
            (&view["phase"], &view["notice"]),
            (&json!("paused"), &json!("back soon"))
        );
        // A campaign's own switch does not end it.
        let own = house
            .done(Role::Publisher, &format!("{WHEEL}/resume"), "q", &json!({}))
            .await;
        assert!(own["audit"].is_null());
        assert_eq!(house.drawn("ann", "a").await, Err("paused".to_owned()));
        let stats = house.read(Role::Viewer, &format!("{WHEEL}/stats")).await;
        assert_eq!(stats["tenant_paused"]["reason"], "an incident");
        let one = json!({ "reason": "r", "event": "draw" });
        assert_eq!(house.does(Role::Publisher, &pause, "r", &one).await.0, 422);
        house
            .done(Role::Publisher, &format!("{ACME}/resume"), "s", &json!({}))
            .await;
        assert!(house.drawn("ann", "a").await.is_ok());

        let said = json!({ "text": { "en": "parcels are late", "zh-CN": "发货推迟" }, "until": "2026-11-23T00:00:00+08:00" });
        let notice = format!("{WHEEL}/notice");
        house.done(Role::Publisher, &notice, "n", &said).await;
        let told = |page: Json| page["notice"].clone();
        assert_eq!(
            told(house.look("acme", "ann", "?lang=zh-CN").await.json()),
            "发货推迟"
        );
        assert_eq!(
            told(house.look("acme", "ann", "/public").await.json()),
            "parcels are late"
        );
        assert!(house.drawn("ann", "b").await.is_ok());
        house.set("2026-11-23T00:00:00+08:00");
        assert_eq!(told(house.look("acme", "ann", "").await.json()), Json::Null);
        let none = json!({ "text": null });
        house.done(Role::Publisher, &notice, "o", &none).await;
        for wrong in [json!({ "text": {} }), json!({ "text": { "en": " " } })] {
            assert_eq!(
                house.does(Role::Publisher, &notice, "p2", &wrong).await.0,
                422
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_user_is_refused_and_sees_it() {
    for house in House::of_each_store().await {
        let first = house.play("acme", "ann", "a").await;
        let why = json!({ "reason": "a farm" });
        let block = format!("{ACME}/users/ann/block");
        house.done(Role::Risk, &block, "b", &why).await;
        assert_eq!(
            house.drawn("ann", "c").await,
            Err("risk-refused".to_owned())
        );
        // What was answered is answered again, and gives nothing new.
        assert_eq!(house.play("acme", "ann", "a").await.body, first.body);
        let view = house.look("acme", "ann", "").await.json();
        assert_eq!(
            view["eligible"],
            json!({ "ok": false, "code": "risk-refused" })
        );
        assert_eq!(view["events"][0]["possible"], false, "{view}");
        assert_eq!(view["events"][0]["code"], "risk-refused");
        assert!(house.drawn("bob", "a").await.is_ok());
        let seen = house
            .read(Role::Support, &format!("{ACME}/users/ann"))
            .await;
        assert_eq!(seen["blocked"]["reason"], "a farm");
        assert_eq!(seen["blocked"]["holds"], true);
        let other = seen["user"].as_str().unwrap().to_owned();
        let path = format!("{ACME}/users/pseudonym:{other}/unblock");
        house
            .done(Role::Support, &path, "d", &json!({ "reason": "a mistake" }))
            .await;
        assert!(house.drawn("ann", "c").await.is_ok());
        // Until a time.
        let until = json!({ "reason": "a day off", "until": "2026-11-23T12:00:00+08:00" });
        house.done(Role::Risk, &block, "e", &until).await;
        assert_eq!(
            house.drawn("ann", "d").await,
            Err("risk-refused".to_owned())
        );
        house.set("2026-11-23T12:00:00+08:00");
        assert!(house.drawn("ann", "d").await.is_ok());
        let late = json!({ "reason": "r", "until": "2026-11-22T12:00:00+08:00" });
        assert_eq!(house.does(Role::Risk, &block, "f", &late).await.0, 422);
        let audit = house
            .read(Role::Finance, &format!("{ACME}/audit"))
            .await
            .to_string();
        for told in ["block-user", "unblock-user", "a mistake", &other] {
            assert!(audit.contains(told), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_gives_once() {
    for house in House::of_each_store().await {
        let path = format!("{ACME}/users/ann/grants");
        let asks = |ticket: &str, n: u32| json!({ "campaign": "wheel", "reward": "coupon", "ticket": ticket, "reason": "it broke", "n": n });
        let grant =
            async |key: &str, body: &Json| house.does(Role::Support, &path, key, body).await;
        let first = grant("a", &asks("T-1", 2)).await;
        assert_eq!(first.0, 200, "{first:?}");
        // By the key as by the ticket.
        let same = |told: &(u16, Json)| (told.0, told.1["grants"].clone());
        assert_eq!(same(&grant("a", &asks("T-1", 2)).await), same(&first));
        let other = grant("b", &asks("T-1", 2)).await;
        assert_eq!(same(&other), same(&first));
        assert!(other.1["audit"].is_null());
        let more = grant("c", &asks("T-1", 1)).await;
        assert_eq!((more.0, &more.1["code"]), (409, &json!("not-possible")));
        assert_eq!(grant("a", &asks("T-9", 1)).await.0, 422, "the key was used");
        assert_eq!(house.statuses("ann").await, ["pending", "pending"]);
        // One is left, and it takes what it gives.
        let gone = grant("d", &asks("T-2", 2)).await;
        assert_eq!(
            (gone.0, &gone.1["code"]),
            (409, &json!("sold-out")),
            "{gone:?}"
        );
        assert_eq!(grant("e", &asks("T-2", 1)).await.0, 200);
        assert_eq!(house.coupons("b", 12).await, 0);
        let add = json!({ "reward": "coupon", "add": 20 });
        house
            .done(Role::Publisher, &format!("{WHEEL}/stock"), "f", &add)
            .await;
        let spent = grant("g", &asks("T-3", 3)).await;
        assert_eq!(
            (spent.0, &spent.1["code"]),
            (409, &json!("budget-spent")),
            "{spent:?}"
        );
        let why = json!({ "reason": "r" });
        house
            .done(
                Role::Risk,
                &format!("{WHEEL}/rewards/coupon/stop"),
                "h",
                &why,
            )
            .await;
        assert_eq!(grant("i", &asks("T-4", 1)).await.1["code"], "sold-out");
        house
            .done(
                Role::Publisher,
                &format!("{WHEEL}/rewards/coupon/start"),
                "j",
                &json!({}),
            )
            .await;
        house
            .done(Role::Risk, &format!("{ACME}/users/ann/block"), "k", &why)
            .await;
        assert_eq!(grant("l", &asks("T-4", 1)).await.1["code"], "risk-refused");
        house
            .done(Role::Risk, &format!("{ACME}/users/ann/unblock"), "m", &why)
            .await;
        house
            .done(Role::Publisher, &format!("{WHEEL}/pause"), "n", &why)
            .await;
        assert_eq!(grant("o", &asks("T-4", 1)).await.1["code"], "paused");
        house
            .done(Role::Publisher, &format!("{WHEEL}/resume"), "p", &json!({}))
            .await;
        for wrong in [
            json!({ "campaign": "wheel", "reward": "nothing", "ticket": "T", "reason": "r" }),
            json!({ "campaign": "wheel", "reward": "coupon", "ticket": "a b", "reason": "r" }),
            json!({ "campaign": "wheel", "reward": "coupon", "ticket": "T", "reason": " " }),
            json!({ "campaign": "wheel", "reward": "coupon", "ticket": "T", "reason": "r", "n": 101 }),
        ] {
            assert_eq!(grant("q", &wrong).await.0, 422, "{wrong}");
        }
        // After the end, for who complains on the last day; and not for ever.
        house.set("2026-12-05T00:00:00+08:00");
        assert_eq!(grant("r", &asks("T-4", 1)).await.0, 200);
        house.set("2027-01-05T00:00:00+08:00");
        let late = grant("s", &asks("T-5", 1)).await;
        assert_eq!((late.0, &late.1["code"]), (409, &json!("closed")));
        // A newcomer's record is begun by it.
        house.set("2026-12-05T00:00:00+08:00");
        let path = format!("{ACME}/users/newcomer/grants");
        house.done(Role::Support, &path, "t", &asks("T-1", 1)).await;

        let seen = house
            .read(Role::Support, &format!("{ACME}/users/ann"))
            .await;
        let rows = seen["rows"].as_array().unwrap();
        let hand = rows.iter().find(|row| row["type"] == "hand").unwrap();
        assert_eq!(
            hand["hand"],
            json!({ "reward": "coupon", "n": 2, "ticket": "T-1", "by": "support@acme", "why": "it broke" })
        );
        assert_eq!(
            (&hand["from"], &hand["event"]),
            (&json!("staff"), &Json::Null)
        );
        house.is_sound().await;
        // No rule of the campaign is bound by it.
        let next = super::house::WHEEL.replace("odds: 50%", "odds: 60%");
        let next = json!({ "document": next });
        house
            .done(Role::Publisher, &format!("{WHEEL}/publish"), "u", &next)
            .await;
        let (status, told) = house
            .does(
                Role::Support,
                &format!("{ACME}/users/ann/grants"),
                "v",
                &asks("T-1", 2),
            )
            .await;
        assert_eq!(
            (status, &told["grants"]),
            (200, &first.1["grants"]),
            "carried over"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_is_held_released_and_taken_back() {
    for house in House::of_each_store().await {
        let asks = json!({ "campaign": "wheel", "reward": "coupon", "ticket": "T-1", "reason": "r", "n": 2 });
        let given = house
            .done(
                Role::Support,
                &format!("{ACME}/users/ann/grants"),
                "a",
                &asks,
            )
            .await;
        let id = |place: usize| given["grants"][place]["id"].as_str().unwrap().to_owned();
        let of =
            |user: &str, id: &str, what: &str| format!("{ACME}/users/{user}/grants/{id}/{what}");
        let why = json!({ "reason": "a look" });
        house
            .done(Role::Risk, &of("ann", &id(0), "hold"), "b", &why)
            .await;
        assert_eq!(house.statuses("ann").await, ["held", "pending"]);
        let again = house
            .done(Role::Risk, &of("ann", &id(0), "hold"), "c", &why)
            .await;
        assert!(
            again["audit"].is_null() && again["status"] == "held",
            "{again}"
        );
        house
            .done(Role::Finance, &of("ann", &id(0), "release"), "d", &why)
            .await;
        assert_eq!(house.statuses("ann").await, ["pending", "pending"]);
        // While all is stopped and the user blocked: that is when it is needed.
        house
            .done(Role::Publisher, &format!("{WHEEL}/pause"), "e", &why)
            .await;
        house
            .done(Role::Risk, &format!("{ACME}/users/ann/block"), "f", &why)
            .await;
        house
            .done(Role::Risk, &of("ann", &id(1), "hold"), "g", &why)
            .await;
        let void = house
            .done(Role::Risk, &of("ann", &id(1), "void"), "h", &why)
            .await;
        assert_eq!(
            (&void["status"], &void["was"]),
            (&json!("reversed"), &json!("held"))
        );
        assert_eq!(house.statuses("ann").await, ["pending", "reversed"]);
        let twice = house
            .done(Role::Risk, &of("ann", &id(1), "void"), "i", &why)
            .await;
        assert!(twice["audit"].is_null());
        for what in ["hold", "release"] {
            let (status, told) = house
                .does(Role::Risk, &of("ann", &id(1), what), what, &why)
                .await;
            assert_eq!((status, &told["code"]), (409, &json!("not-possible")));
        }
        assert_eq!(
            house
                .does(Role::Risk, &of("bob", &id(0), "void"), "j", &why)
                .await
                .0,
            404
        );
        assert_eq!(
            house
                .does(Role::Support, &of("ann", &id(0), "void"), "k", &why)
                .await
                .0,
            403
        );
        // The unit goes back to nobody.
        let stats = house.read(Role::Viewer, &format!("{WHEEL}/stats")).await;
        assert_eq!(stats["lanes"][0]["stock"][0]["left"], 1);
        let audit = house
            .read(Role::Finance, &format!("{ACME}/audit"))
            .await
            .to_string();
        for told in [
            "hold-grant",
            "release-grant",
            "void-grant",
            "grant-by-hand",
            &id(1),
        ] {
            assert!(audit.contains(told), "{told}");
        }
        let seen = house.read(Role::Risk, &format!("{ACME}/users/ann")).await;
        let last = seen["rows"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&last["type"], &last["amended"]["grant"]),
            (&json!("amended"), &json!(id(1)))
        );
        house.is_sound().await;
    }
}
