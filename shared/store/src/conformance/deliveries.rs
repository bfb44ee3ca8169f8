//! Marks and parked events.

use std::sync::Arc;

use machine::world::{
    Action, Admin, AdminOutcome, PARKED_DATA_BYTES, PARKED_MOST, Parked, ParkedFrom, Refused,
    first_tampered,
};

use super::Failed;
use super::sample::{self, START, TENANT, admin, live, test};
use super::stage::Stage;

type Done = Result<(), Failed>;

const NAME: &str = "relay/summer/1";

pub(super) async fn a_mark_only_grows(stage: Stage) -> Done {
    let store = &stage.store;
    same!(store.marks(&live()).await?, Vec::new());
    same!(store.mark(&live(), NAME, 0).await?, 0);
    for (at, stands) in [(7, 7), (12, 12), (9, 12), (12, 12), (0, 12), (100, 100)] {
        same!(store.mark(&live(), NAME, at).await?, stands);
    }
    same!(store.marks(&live()).await?, vec![(NAME.into(), 100)]);
    // Beyond what a number with a fraction tells apart.
    for at in [(1 << 53) + 1, u64::MAX - 1, u64::MAX] {
        same!(store.mark(&live(), NAME, at).await?, at);
        same!(store.marks(&live()).await?, vec![(NAME.into(), at)]);
    }
    Ok(())
}

pub(super) async fn marks_are_apart(stage: Stage) -> Done {
    let store = &stage.store;
    let long: Arc<str> = "n".repeat(200).into();
    store.mark(&live(), "relay/b/1", 1).await?;
    store.mark(&live(), "relay/a/1", 2).await?;
    store.mark(&live(), &long, 3).await?;
    store.mark(&test(), "relay/b/1", 4).await?;
    let marks = vec![(long, 3), ("relay/a/1".into(), 2), ("relay/b/1".into(), 1)];
    same!(store.marks(&live()).await?, marks);
    same!(store.marks(&test()).await?, vec![("relay/b/1".into(), 4)]);
    for bad in ["", "a b", "ü", "a\n", &"n".repeat(201)] {
        holds!(store.mark(&live(), bad, 1).await.is_err());
    }
    Ok(())
}

pub(super) async fn a_mark_is_of_a_lane_that_is_there(stage: Stage) -> Done {
    let store = &stage.store;
    let mut elsewhere = live();
    elsewhere.edition = 2;
    same!(store.mark(&elsewhere, NAME, 5).await?, 0);
    same!(store.marks(&elsewhere).await?, Vec::new());
    for key in [live(), test()] {
        same!(store.mark(&key, NAME, 5).await?, 5);
    }
    stage
        .done_by(admin(Action::Purge {
            campaign: sample::CAMPAIGN.into(),
            edition: 1,
            reason: None,
        }))
        .await?;
    for key in [live(), test()] {
        same!(store.marks(&key).await?, Vec::new());
        same!(store.mark(&key, NAME, 1).await?, 0);
        same!(store.marks(&key).await?, Vec::new());
    }
    Ok(())
}

/// An event of a queue that could not be delivered.
fn parked(number: u64, at: i64) -> Parked {
    Parked::new(
        ParkedFrom::Trigger,
        "/ckafka/orders/0",
        &number.to_string(),
        at,
    )
    .of_kind("order.paid", Some("2027-01-15T08:00:00Z"))
    .because("no-such-campaign", "there is no campaign `sping`")
    .meant_for(Some("sping"))
    .saying(&[0, 0xff, number as u8])
}

/// The same without what it says.
fn outline(parked: &Parked) -> Parked {
    Parked {
        data: Arc::from([]),
        ..parked.clone()
    }
}

fn unpark(id: &str, reason: Option<&str>) -> Admin {
    admin(Action::Unpark {
        id: id.into(),
        reason: reason.map(Arc::from),
    })
}

pub(super) async fn what_is_parked_is_kept_whole(stage: Stage) -> Done {
    let store = &stage.store;
    let (one, mut two) = (parked(1, START), parked(2, START + 1));
    two.from = ParkedFrom::Relay;
    two.campaign = None;
    two.time = None;
    same!(store.parking(TENANT).await?.events.len(), 0);
    same!(store.park(TENANT, one.clone()).await?, 1);
    same!(store.park(TENANT, two.clone()).await?, 1);
    let kept = store.parking(TENANT).await?;
    same!(kept.events, [outline(&one), outline(&two)]);
    same!(kept.dropped, 0);
    for parked in [one, two] {
        same!(store.parked(TENANT, &parked.id).await?, Some(parked));
    }
    same!(store.parked(TENANT, "nothing").await?, None);
    let long = parked(3, START).saying(&vec![b'x'; PARKED_DATA_BYTES + 1]);
    holds!(long.is_cut());
    store.park(TENANT, long.clone()).await?;
    same!(store.parked(TENANT, &long.id).await?, Some(long));
    Ok(())
}

pub(super) async fn parked_again_is_one_entry(stage: Stage) -> Done {
    let store = &stage.store;
    let (one, two) = (parked(1, START), parked(2, START + 1));
    for parked in [&one, &two] {
        same!(store.park(TENANT, parked.clone()).await?, 1);
    }
    let again = parked(1, START + 9).because("paused", "it is paused now");
    same!(store.park(TENANT, again.clone()).await?, 2);
    same!(store.park(TENANT, again.clone()).await?, 3);
    let want = Parked {
        at: START,
        times: 3,
        ..again
    };
    same!(
        store.parking(TENANT).await?.events,
        [outline(&two), outline(&want)]
    );
    same!(store.parked(TENANT, &one.id).await?, Some(want));
    Ok(())
}

pub(super) async fn the_newest_are_kept_and_the_rest_counted(stage: Stage) -> Done {
    let store = &stage.store;
    let most = PARKED_MOST as u64;
    for number in 0..most {
        store.park(TENANT, parked(number, START)).await?;
    }
    // The oldest is the newest again.
    store.park(TENANT, parked(0, START)).await?;
    same!(store.parking(TENANT).await?.dropped, 0);
    for number in most..most + 3 {
        store.park(TENANT, parked(number, START)).await?;
    }
    let kept = store.parking(TENANT).await?;
    same!(kept.dropped, 3);
    let ids: Vec<_> = kept.events.iter().map(|known| &*known.event_id).collect();
    let numbers = (4..most).chain([0]).chain(most..most + 3);
    let want: Vec<_> = numbers.map(|number| number.to_string()).collect();
    same!(ids, want);
    same!(store.parked(TENANT, &parked(1, START).id).await?, None);
    Ok(())
}

pub(super) async fn what_is_taken_away_is_in_the_audit(stage: Stage) -> Done {
    let store = &stage.store;
    let (one, two) = (parked(1, START), parked(2, START));
    for parked in [&one, &two] {
        store.park(TENANT, parked.clone()).await?;
    }
    let mut gone = unpark(&one.id, Some("a test message"));
    gone.key = Some(("k".into(), [1; 32]));
    let done = stage.done_by(gone.clone()).await?;
    same!(store.parked(TENANT, &one.id).await?, None);
    let AdminOutcome::Replayed(answer) = stage.admin(gone.clone()).await? else {
        return Err(Failed("the same again is no replay".to_owned()));
    };
    holds!(String::from_utf8_lossy(&answer).contains(&format!("\"audit\":{}", done.audit)));
    gone.key = Some(("k".into(), [2; 32]));
    same!(stage.admin(gone.clone()).await?, AdminOutcome::KeyReused);
    gone.key = None;
    let refused = AdminOutcome::Refused(Refused::NoSuchParked(one.id.clone()));
    same!(stage.admin(gone).await?, refused);
    stage.done_by(unpark(&two.id, None)).await?;
    same!(store.parking(TENANT).await?.events.len(), 0);
    let audit = store.audit(TENANT, 2).await?;
    let told: Vec<_> = audit.iter().map(|entry| &*entry.action).collect();
    same!(told, ["drop-parked", "retry-parked"]);
    let details: Vec<_> = audit.iter().map(|entry| &*entry.details).collect();
    holds!(details[0].contains("a test message") && details[0].contains(&*one.id));
    holds!(details[1].contains(&*two.id));
    same!(first_tampered(&store.audit(TENANT, 0).await?), None);
    // It is new when it comes again.
    same!(store.park(TENANT, one).await?, 1);
    Ok(())
}

pub(super) async fn tenants_are_apart(stage: Stage) -> Done {
    let store = &stage.store;
    let one = parked(1, START);
    holds!(store.park("nobody", one.clone()).await.is_err());
    same!(store.parking("nobody").await?.events.len(), 0);
    let mut create = admin(Action::CreateTenant {
        secret: machine::luck::Seed([7; 32]),
    });
    create.tenant = "other".into();
    stage.done_by(create).await?;
    store.park("other", one.clone()).await?;
    same!(store.parking(TENANT).await?.events.len(), 0);
    same!(store.parked(TENANT, &one.id).await?, None);
    let refused = AdminOutcome::Refused(Refused::NoSuchParked(one.id.clone()));
    same!(stage.admin(unpark(&one.id, None)).await?, refused);
    same!(store.parked("other", &one.id).await?, Some(one));
    Ok(())
}
