//! Lists: put, replaced, taken away; who is on one is told by its version, exactly.

use std::sync::Arc;

use machine::ids::Pseudonym;
use machine::world::{Action, Admin, AdminOutcome, Lines, List, Refused, first_tampered};

use super::Failed;
use super::sample::{self, admin, user};
use super::stage::Stage;

type Done = Result<(), Failed>;

const NOBODYS: &str = "ffffffffffffffffffffffffffffffff";

fn putting(list: &str, sha256: u8) -> Admin {
    admin(Action::PutList {
        list: list.into(),
        version: "".into(),
        members: 0,
        lines: Lines {
            rows: 9,
            duplicates: 2,
            rejected: 1,
        },
        sha256: [sha256; 32],
    })
}

fn dropping(list: &str) -> Admin {
    admin(Action::DropList { list: list.into() })
}

fn some(numbers: impl IntoIterator<Item = u64>) -> Vec<Pseudonym> {
    let mut all: Vec<Pseudonym> = numbers.into_iter().map(user).collect();
    all.sort_unstable();
    all
}

async fn put(
    stage: &Stage,
    change: Admin,
    members: Vec<Pseudonym>,
) -> Result<AdminOutcome, Failed> {
    Ok(stage.store.put_list(Box::new(change), members).await?)
}

async fn found(stage: &Stage, name: &str) -> Result<Option<List>, Failed> {
    let all = stage.store.lists(sample::TENANT).await?;
    let mut all = all.into_iter();
    Ok(all.find_map(|(known, list)| (*known == *name).then_some(list)))
}

async fn version(stage: &Stage, name: &str) -> Result<Arc<str>, Failed> {
    let found = found(stage, name).await?;
    found
        .map(|list| list.version)
        .ok_or_else(|| Failed(format!("there is no list {name}")))
}

/// Whether each of these is on the version.
async fn on(
    stage: &Stage,
    version: &Arc<str>,
    numbers: &[u64],
) -> Result<Vec<Option<bool>>, Failed> {
    let mut all = Vec::new();
    for number in numbers {
        let versions = [version.clone()];
        let said = stage.store.listed(sample::TENANT, &versions, user(*number));
        all.extend(said.await?);
    }
    Ok(all)
}

pub(super) async fn who_is_on_a_list_is_told(stage: Stage) -> Done {
    same!(stage.store.lists(sample::TENANT).await?, Vec::new());
    let done = put(&stage, putting("vip", 1), some((0..3000).map(|n| n * 2))).await?;
    holds!(matches!(done, AdminOutcome::Done(_)));
    done_by(&stage, putting("staff", 2), some([7])).await?;
    let vip = found(&stage, "vip").await?;
    let told = vip
        .as_ref()
        .map(|list| (list.members, list.sha256, list.at, &*list.by));
    same!(told, Some((3000, [1; 32], sample::START, "ops@acme")));
    let (vip, staff) = (
        version(&stage, "vip").await?,
        version(&stage, "staff").await?,
    );
    same!(
        on(&stage, &vip, &[0, 1, 2, 5998, 5999, 6000]).await?,
        [true, false, true, true, false, false].map(Some)
    );
    // Several at once, and one that is not there: that is unknown, and never a no.
    let versions = [vip, NOBODYS.into(), staff];
    let said = stage.store.listed(sample::TENANT, &versions, user(7));
    same!(said.await?, [Some(false), None, Some(true)]);
    let said = stage.store.listed(sample::TENANT, &[], user(7)).await?;
    same!(said, Vec::new());
    let names: Vec<_> = stage.store.lists(sample::TENANT).await?;
    same!(
        names.iter().map(|(name, _)| &**name).collect::<Vec<_>>(),
        ["staff", "vip"]
    );
    same!(stage.store.lists("another").await?, Vec::new());
    Ok(())
}

async fn done_by(stage: &Stage, change: Admin, members: Vec<Pseudonym>) -> Done {
    match put(stage, change, members).await? {
        AdminOutcome::Done(_) => Ok(()),
        other => Err(Failed(format!("a list came out as {other:?}"))),
    }
}

pub(super) async fn a_list_is_replaced_as_a_whole(stage: Stage) -> Done {
    done_by(&stage, putting("vip", 1), some([1, 2, 3])).await?;
    let first = version(&stage, "vip").await?;
    done_by(&stage, putting("vip", 2), some([3, 4])).await?;
    let second = version(&stage, "vip").await?;
    holds!(first != second);
    same!(
        on(&stage, &second, &[1, 2, 3, 4]).await?,
        [false, false, true, true].map(Some)
    );
    // Who still looks at the old one sees the old one whole, or that it is gone.
    let old = on(&stage, &first, &[1, 2, 3, 4]).await?;
    holds!(old == [true, true, true, false].map(Some) || old == [None, None, None, None]);
    // None at all is a list, too.
    done_by(&stage, putting("vip", 3), Vec::new()).await?;
    let third = version(&stage, "vip").await?;
    same!(
        on(&stage, &third, &[1, 3]).await?,
        [Some(false), Some(false)]
    );
    same!(
        found(&stage, "vip").await?.map(|list| list.members),
        Some(0)
    );
    Ok(())
}

pub(super) async fn a_list_is_taken_away(stage: Stage) -> Done {
    let none = AdminOutcome::Refused(Refused::NoSuchList("vip".into()));
    same!(stage.admin(dropping("vip")).await?, none);
    done_by(&stage, putting("vip", 1), some([1])).await?;
    stage.done_by(dropping("vip")).await?;
    same!(found(&stage, "vip").await?, None);
    same!(stage.admin(dropping("vip")).await?, none);
    done_by(&stage, putting("vip", 1), some([2])).await?;
    let again = version(&stage, "vip").await?;
    same!(
        on(&stage, &again, &[1, 2]).await?,
        [Some(false), Some(true)]
    );
    Ok(())
}

pub(super) async fn a_list_is_audited_and_put_once(stage: Stage) -> Done {
    let mut keyed = putting("vip", 1);
    keyed.key = Some(("put".into(), [1; 32]));
    done_by(&stage, keyed.clone(), some([1])).await?;
    done_by(&stage, putting("vip", 2), some([2])).await?;
    let now = version(&stage, "vip").await?;
    holds!(matches!(
        put(&stage, keyed.clone(), some([1])).await?,
        AdminOutcome::Replayed(_)
    ));
    let mut other = keyed;
    other.key = Some(("put".into(), [2; 32]));
    same!(
        put(&stage, other, some([5])).await?,
        AdminOutcome::KeyReused
    );
    same!(version(&stage, "vip").await?, now);
    let mut stranger = putting("vip", 1);
    stranger.tenant = "nobody".into();
    let refused = Refused::NoSuchTenant("nobody".into());
    same!(
        put(&stage, stranger, some([1])).await?,
        AdminOutcome::Refused(refused)
    );
    // Out of order, or one of them twice: that is no list.
    for wrong in [vec![user(2), user(1)], vec![user(1), user(1)]] {
        holds!(put(&stage, putting("vip", 3), wrong).await.is_err());
    }
    stage.done_by(dropping("vip")).await?;
    let audit = stage.store.audit(sample::TENANT, 0).await?;
    let words: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    same!(
        words,
        [
            "create-tenant",
            "publish",
            "put-list",
            "put-list",
            "drop-list"
        ]
    );
    let details = audit.get(2).map(|entry| entry.details.clone());
    let details = details.unwrap_or_default();
    holds!(details.contains("\"list\":\"vip\"") && details.contains("\"members\":1"));
    holds!(details.contains("\"rejected\":1") && details.contains(&"01".repeat(32)));
    same!(first_tampered(&audit), None);
    Ok(())
}
