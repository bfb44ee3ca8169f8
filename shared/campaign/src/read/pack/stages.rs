//! A pack in stages: `stages` and `late` of `pack`.

use blocks::Promise;
use blocks::pack::Params;
use blocks::pack::stages::{MISSED, NOT_YET, Stage, Stages};

use super::rule;
use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Node};

pub(super) const LATE: [&str; 2] = ["keep", "lost"];

/// More days than a campaign runs.
const MOST_DAYS: i64 = 3660;

pub(super) fn read(staged: &Entry, late: Option<&Node>, check: &mut Check<'_>) -> Params {
    let late = late.and_then(|node| node.one_of(&LATE, &mut check.out));
    let lost = late == Some("lost");
    let entries = staged.value.map(&mut check.out).unwrap_or(&[]);
    let mut each: Vec<Stage> = entries
        .iter()
        .filter_map(|entry| stage(entry, check))
        .collect();
    each.sort_by_key(|stage| stage.day);
    let starts = each.first().is_some_and(|stage| stage.day == 1);
    if !starts && !check.out.has_errors() {
        check
            .out
            .error(
                codes::STAGE_FIRST,
                &staged.key.place,
                "there is nothing to claim on day 1, from which the other days are counted",
            )
            .help("add what the first claim gives: `1: [..]`");
    }
    check.rejects(NOT_YET, &staged.key.place);
    if lost {
        check.rejects(MISSED, &staged.key.place);
    }
    Params {
        stages: Some(Stages { each, lost }),
        ..Params::default()
    }
}

fn stage(entry: &Entry, check: &mut Check<'_>) -> Option<Stage> {
    let day = entry.key.int(1..=MOST_DAYS, &mut check.out)?;
    let mut gives = Vec::new();
    for item in entry.value.one_or_list() {
        let Some(reward) = check.promised(item) else {
            continue;
        };
        let id = check.tables.reward_at(reward)?.id.clone();
        gives.push(Promise {
            rule: rule(&format!("stage-{day}-{id}"), &item.place, check),
            reward,
        });
    }
    if entry.value.one_or_list().is_empty() {
        check
            .out
            .error(
                codes::NOTHING_GIVEN,
                &entry.value.place,
                "this stage gives nothing",
            )
            .help("name a reward, or leave the line out");
    }
    Some(Stage {
        day: day as u32,
        gives,
    })
}
