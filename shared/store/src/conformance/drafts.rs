//! Drafts: edited over what was seen, approved by others, published once and gone.

use std::sync::Arc;

use machine::luck::Seed;
use machine::world::{
    Action, Admin, AdminOutcome, Base, Draft, DraftDeed, DraftText, FromDraft, Publication,
    Refused, first_tampered,
};

use super::Failed;
use super::sample::{self, CAMPAIGN, START, TENANT, admin};
use super::stage::Stage;

type Done = Result<(), Failed>;

const BASE: Base = Base {
    edition: 1,
    revision: 1,
};

fn by(who: &str, deed: DraftDeed) -> Admin {
    let campaign = CAMPAIGN.into();
    let mut change = admin(Action::Draft { campaign, deed });
    change.by = who.into();
    change
}

fn text(document: &str) -> Arc<DraftText> {
    Arc::new(DraftText {
        document: document.into(),
        stories: Some(vec![("spring.yaml".into(), "stories: []".into())]),
        rules: Some(vec![("en".into(), "One each.".into())]),
        posters: Some(vec![("posters/a.svg".into(), "<svg/>".into())]),
    })
}

fn save(who: &str, over: u64, document: &str) -> Admin {
    let (base, text) = (BASE, text(document));
    by(who, DraftDeed::Save { over, base, text })
}

fn approve(who: &str, version: u64) -> Admin {
    let comment = None;
    by(who, DraftDeed::Approve { version, comment })
}

fn object(who: &str, version: u64, comment: Option<&str>) -> Admin {
    let comment = comment.map(Arc::from);
    by(who, DraftDeed::Object { version, comment })
}

fn schedule(version: u64, at: Option<i64>) -> Admin {
    let mut change = by("pub@acme", DraftDeed::Schedule { version, at });
    change.why = at.map(|_| "a bad harvest".into());
    change
}

/// A publish of the draft by a definition.
fn publish(definition: &str, from: FromDraft) -> Admin {
    let new = Publication {
        campaign: CAMPAIGN.into(),
        edition: 1,
        definition: definition.as_bytes().into(),
        stock: vec![("mug".into(), 4), ("cup".into(), 5)],
        budget: Some(1000),
        seeds: (Seed([1; 32]), Seed([2; 32])),
    };
    admin(Action::PublishDraft(new, from))
}

fn from(version: u64, over: u32) -> FromDraft {
    FromDraft {
        version,
        over,
        approvals: 0,
        scheduled: None,
    }
}

async fn draft(stage: &Stage) -> Result<Draft, Failed> {
    let found = stage.store.draft(TENANT, CAMPAIGN).await?;
    found.ok_or_else(|| Failed::new(file!(), line!(), "there is no draft"))
}

fn moved(version: u64) -> AdminOutcome {
    AdminOutcome::Refused(Refused::DraftMoved(CAMPAIGN.into(), version))
}

fn gone() -> AdminOutcome {
    AdminOutcome::Refused(Refused::NoSuchDraft(CAMPAIGN.into()))
}

pub(super) async fn a_draft_is_kept_whole(stage: Stage) -> Done {
    same!(stage.store.draft(TENANT, CAMPAIGN).await?, None);
    same!(stage.store.drafts(TENANT).await?, Vec::new());
    let long = "草稿 # \0\u{7f}\n".repeat(40_000);
    same!(
        stage.done_by(save("ed@acme", 0, &long)).await?.draft,
        Some(1)
    );
    let kept = draft(&stage).await?;
    same!((kept.version, kept.base, kept.at), (1, BASE, START));
    same!(kept.text, text(&long));
    same!(&*kept.by, "ed@acme");
    same!(stage.store.drafts(TENANT).await?, vec![kept.outline()]);
    // A draft may be of a campaign that has no revision.
    let mut other = save("ed@acme", 0, "{}");
    let Action::Draft { campaign, .. } = &mut other.action else {
        return Ok(());
    };
    *campaign = "autumn".into();
    stage.done_by(other).await?;
    let names = stage.store.drafts(TENANT).await?;
    let names: Vec<_> = names.iter().map(|draft| &*draft.campaign).collect();
    same!(names, ["autumn", CAMPAIGN]);
    same!(stage.store.drafts("other").await?, Vec::new());
    let too_long = save("ed@acme", 1, &"x".repeat(machine::world::DRAFT_BYTES));
    let refused = AdminOutcome::Refused(Refused::TooLong(CAMPAIGN.into()));
    same!(stage.admin(too_long).await?, refused);
    let audit = stage.store.audit(TENANT, 0).await?;
    same!(first_tampered(&audit), None);
    same!(audit[2].action, "save-draft");
    same!(audit[2].campaign.as_deref(), Some(CAMPAIGN));
    Ok(())
}

pub(super) async fn a_stale_edit_changes_nothing(stage: Stage) -> Done {
    same!(stage.admin(save("a", 1, "none")).await?, gone());
    stage.done_by(save("a", 0, "one")).await?;
    same!(stage.admin(save("b", 0, "another")).await?, moved(1));
    same!(stage.done_by(save("b", 1, "two")).await?.draft, Some(2));
    same!(stage.admin(save("a", 1, "three")).await?, moved(2));
    let kept = draft(&stage).await?;
    same!((kept.text, &*kept.by), (text("two"), "b"));
    same!(kept.authors, [Arc::<str>::from("a"), "b".into()]);
    let drop = |version| by("a", DraftDeed::Drop { version });
    same!(stage.admin(drop(1)).await?, moved(2));
    stage.done_by(drop(2)).await?;
    same!(stage.admin(drop(2)).await?, gone());
    same!(stage.store.draft(TENANT, CAMPAIGN).await?, None);
    same!(stage.store.drafts(TENANT).await?, Vec::new());
    // A version is never used again: who still holds one of the draft before overwrites nothing.
    same!(stage.done_by(save("c", 0, "new")).await?.draft, Some(3));
    same!(stage.admin(save("a", 2, "old")).await?, moved(3));
    same!(draft(&stage).await?.authors, [Arc::<str>::from("c")]);
    Ok(())
}

pub(super) async fn of_many_editors_one_is_first(stage: Stage) -> Done {
    stage.done_by(save("a", 0, "one")).await?;
    let tries = (0..8).map(|number| {
        let store = stage.store.clone();
        let edit = save(&format!("editor-{number}"), 1, &format!("by {number}"));
        tokio::spawn(async move { store.admin(Box::new(edit)).await })
    });
    let tries: Vec<_> = tries.collect();
    let mut won = 0;
    for each in tries {
        let outcome = each
            .await
            .map_err(|error| Failed::new(file!(), line!(), &error.to_string()))?;
        match outcome? {
            AdminOutcome::Done(_) => won += 1,
            other => same!(other, moved(2)),
        }
    }
    same!(won, 1);
    same!(stage.store.audit(TENANT, 0).await?.len(), 4);
    Ok(())
}

pub(super) async fn a_save_is_replayed(stage: Stage) -> Done {
    let mut first = save("a", 0, "one");
    first.key = Some(("k".into(), [1; 32]));
    let done = stage.done_by(first.clone()).await?;
    stage.done_by(save("b", 1, "two")).await?;
    let AdminOutcome::Replayed(answer) = stage.admin(first).await? else {
        return Err(Failed::new(file!(), line!(), "it was not replayed"));
    };
    same!(&*answer, &*serde_json::to_vec(&done).unwrap_or_default());
    same!(draft(&stage).await?.version, 2);
    Ok(())
}

pub(super) async fn others_approve_and_an_edit_ends_that(stage: Stage) -> Done {
    stage.done_by(save("a", 0, "one")).await?;
    stage.done_by(save("b", 1, "two")).await?;
    for author in ["a", "b"] {
        let own = Refused::OwnDraft(CAMPAIGN.into(), author.into());
        same!(
            stage.admin(approve(author, 2)).await?,
            AdminOutcome::Refused(own)
        );
    }
    same!(stage.admin(approve("c", 1)).await?, moved(2));
    stage.done_by(approve("c", 2)).await?;
    stage.done_by(approve("c", 2)).await?;
    same!(draft(&stage).await?.approvals.len(), 1);
    let mut two = from(2, 1);
    two.approvals = 2;
    let few = Refused::NotApproved {
        campaign: CAMPAIGN.into(),
        has: 1,
        wants: 2,
    };
    same!(
        stage.admin(publish("{}2", two.clone())).await?,
        AdminOutcome::Refused(few)
    );
    // An objection stands in the way until whoever raised it takes it back or approves; an edit does not answer it.
    stage.done_by(object("d", 2, Some("too dear"))).await?;
    stage.done_by(save("a", 2, "three")).await?;
    let kept = draft(&stage).await?;
    same!((kept.approvals.len(), kept.objections.len()), (0, 1));
    stage.done_by(approve("c", 3)).await?;
    stage.done_by(approve("e", 3)).await?;
    let mut now = from(3, 1);
    now.approvals = 2;
    let no = AdminOutcome::Refused(Refused::Objected(CAMPAIGN.into(), "d".into()));
    same!(stage.admin(publish("{}2", now.clone())).await?, no);
    same!(
        stage.admin(object("c", 3, None)).await?,
        AdminOutcome::Already
    );
    stage.done_by(object("d", 3, None)).await?;
    same!(stage.done_by(publish("{}2", now)).await?.revision, Some(2));
    Ok(())
}

pub(super) async fn a_draft_is_published_once_and_gone(stage: Stage) -> Done {
    same!(stage.admin(publish("{}2", from(1, 1))).await?, gone());
    stage.done_by(save("a", 0, "one")).await?;
    stage.done_by(save("a", 1, "two")).await?;
    same!(stage.admin(publish("{}2", from(1, 1))).await?, moved(2));
    let base = AdminOutcome::Refused(Refused::BaseMoved(CAMPAIGN.into(), 1));
    same!(stage.admin(publish("{}2", from(2, 0))).await?, base);
    same!(stage.store.published().await?[0].newest, 1);
    let done = stage.done_by(publish("{}2", from(2, 1))).await?;
    same!((done.revision, done.draft), (Some(2), Some(2)));
    same!(stage.store.draft(TENANT, CAMPAIGN).await?, None);
    same!(stage.counter(&sample::stock("mug")).await?.ceiling, 4);
    same!(stage.admin(publish("{}3", from(2, 2))).await?, gone());
    let audit = stage.store.audit(TENANT, 0).await?;
    same!(first_tampered(&audit), None);
    same!(
        audit.last().map(|last| last.action.as_str()),
        Some("publish")
    );
    // The first of a new edition, too.
    stage.done_by(save("a", 0, "next")).await?;
    let mut next = publish("{}", from(3, 0));
    if let Action::PublishDraft(new, _) = &mut next.action {
        new.edition = 2;
    }
    same!(stage.done_by(next).await?.revision, Some(1));
    same!(stage.store.published().await?.len(), 2);
    Ok(())
}

pub(super) async fn of_many_publishers_one_publishes(stage: Stage) -> Done {
    stage.done_by(save("a", 0, "one")).await?;
    let tries = (0..6).map(|_| {
        let store = stage.store.clone();
        tokio::spawn(async move { store.admin(Box::new(publish("{}2", from(1, 1)))).await })
    });
    let tries: Vec<_> = tries.collect();
    let mut won = 0;
    for each in tries {
        let outcome = each
            .await
            .map_err(|error| Failed::new(file!(), line!(), &error.to_string()))?;
        won += u32::from(matches!(outcome?, AdminOutcome::Done(_)));
    }
    same!(won, 1);
    same!(stage.store.published().await?[0].newest, 2);
    Ok(())
}

pub(super) async fn a_schedule_is_kept_and_an_edit_cancels_it(stage: Stage) -> Done {
    let at = START + 60_000;
    stage.done_by(save("a", 0, "one")).await?;
    same!(stage.admin(schedule(1, None)).await?, AdminOutcome::Already);
    stage.done_by(schedule(1, Some(at))).await?;
    let kept = stage.store.drafts(TENANT).await?;
    let kept = kept.first().and_then(|draft| draft.schedule.clone());
    let kept = kept.map(|schedule| (schedule.at, schedule.by, schedule.reason));
    same!(
        kept,
        Some((at, "pub@acme".into(), Some("a bad harvest".into())))
    );
    stage.done_by(save("b", 1, "two")).await?;
    same!(draft(&stage).await?.schedule, None);
    let mut due = from(2, 1);
    due.scheduled = Some(at);
    let no = AdminOutcome::Refused(Refused::NotScheduled(CAMPAIGN.into()));
    same!(stage.admin(publish("{}2", due.clone())).await?, no);
    let miss = |scheduled| {
        let why = "it would strand somebody".into();
        by(
            "schedule",
            DraftDeed::Miss {
                version: 2,
                scheduled,
                why,
            },
        )
    };
    same!(stage.admin(miss(at)).await?, AdminOutcome::Already);
    stage.done_by(schedule(2, Some(at))).await?;
    same!(stage.admin(miss(at + 1)).await?, AdminOutcome::Already);
    stage.done_by(miss(at)).await?;
    let kept = draft(&stage).await?;
    same!(kept.schedule, None);
    same!(
        kept.missed.map(|missed| (missed.scheduled, missed.why)),
        Some((at, "it would strand somebody".into()))
    );
    stage.done_by(schedule(2, Some(at))).await?;
    same!(draft(&stage).await?.missed, None);
    same!(stage.done_by(publish("{}2", due)).await?.revision, Some(2));
    Ok(())
}
