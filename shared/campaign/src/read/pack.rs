//! Rewards that are given together: the block `pack`.

mod flash;
mod stages;

use blocks::Promise;
use blocks::pack::choose::Choose;
use blocks::pack::{ALREADY, KIND, Params, signature};
use machine::model::{RewardKind, Window};

use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Fields, Key, Keys, Node, Shape};
use crate::source::Place;
use crate::tables::Terms;

/// What `pack` says for all rewards, in the order of the table.
pub(crate) const ALL: &str = "all";

/// What is given for certain.
const GIVEN: Shape = Shape::Either(&[Shape::OneOf(&[ALL]), Shape::List(&Shape::Id)]);

/// The value of `pack`.
pub(crate) const PACK: Shape = Shape::Either(&[
    Shape::OneOf(&[ALL]),
    Shape::List(&Shape::Id),
    Shape::Keys(&KEYS),
]);

static KEYS: Keys = Keys {
    name: "pack",
    doc: "Rewards that are given together: for certain, by choice, in stages, in windows of the day.",
    keys: &[
        Key::optional(
            "always",
            GIVEN,
            "What everybody is given; all rewards unless said, and unless something is chosen.",
        ),
        Key::optional(
            "choose",
            Shape::Keys(&CHOOSE),
            "What users choose; which, their event says as `choice`.",
        ),
        Key::optional(
            "stages",
            Shape::MapOf(&Shape::Either(&[Shape::Id, Shape::List(&Shape::Id)])),
            "What is given on which day: 1 is the day of the first claim.",
        ),
        Key::optional(
            "late",
            Shape::OneOf(&stages::LATE),
            "What becomes of a stage that is not claimed on its day: `keep` (it waits) unless said, or `lost`.",
        ),
        Key::optional(
            "flash",
            Shape::Keys(&flash::KEYS),
            "When in the day it can be claimed, and how many there are then.",
        ),
    ],
};

static CHOOSE: Keys = Keys {
    name: "choice of a pack",
    doc: "Rewards of which each user chooses some.",
    keys: &[
        Key::required(
            "of",
            Shape::List(&Shape::Id),
            "What there is to choose from.",
        ),
        Key::optional(
            "how_many",
            Shape::Int(1, 100),
            "How many are chosen, all different; 1 unless said.",
        ),
    ],
};

/// What one claim gives.
#[derive(Debug, Default)]
struct Contents {
    always: Vec<(u16, Place)>,
    choose: Option<(Choose, Place)>,
}

/// Reads the campaign's `pack`, else the one that its activity ships.
pub(crate) fn read(shipped: Option<&Node>, window: Window, check: &mut Check<'_>) {
    let root = check.root;
    let Some(node) = root.get("pack").or(shipped) else {
        return;
    };
    let place = if root.has("pack") {
        root.key_place("pack")
    } else {
        root.key_place("rewards")
    };
    let params = if node.is_map() {
        let Some(fields) = node.fields(&KEYS, &mut check.out) else {
            return;
        };
        written(&fields, window, check)
    } else {
        let Some(always) = given(node, check) else {
            return;
        };
        let contents = Contents {
            always,
            choose: None,
        };
        plain(contents, check)
    };
    if params.rewards().next().is_none() && !check.out.has_errors() {
        check
            .out
            .error(codes::NOTHING_GIVEN, place, "there is nothing in the pack")
            .help("name the rewards it gives");
    }
    check.add_block(KIND, &params, signature(), place);
}

fn written(fields: &Fields<'_>, window: Window, check: &mut Check<'_>) -> Params {
    if let Some(staged) = fields.entry("stages") {
        for other in ["always", "choose", "flash"] {
            if let Some(other) = fields.entry(other) {
                mixed(staged, other, check);
            }
        }
        check.rejects(ALREADY, &staged.key.place);
        return stages::read(staged, fields.get("late"), check);
    }
    if let Some(node) = fields.get("late") {
        let said = check
            .out
            .error(codes::UNKNOWN_KEY, &node.place, "nothing here can be late");
        said.help("`late` says what becomes of stages: add `stages`, or leave it out");
    }
    let choose = fields.get("choose").and_then(|node| choose(node, check));
    let always = match fields.get("always") {
        Some(node) => given(node, check).unwrap_or_default(),
        None if fields.has("choose") => Vec::new(),
        None => all(check),
    };
    let contents = Contents { always, choose };
    match fields.entry("flash") {
        Some(entry) => {
            check.rejects(ALREADY, &entry.key.place);
            flash::read(entry, &contents, window, check)
        }
        None => plain(contents, check),
    }
}

/// Stages are days of one user, and so is each of them a whole pack: neither a choice nor a window goes with them.
fn mixed(staged: &Entry, other: &Entry, check: &mut Check<'_>) {
    check
        .out
        .error(
            codes::PACK_MIXED,
            &other.key.place,
            format!("a pack in stages has no `{}`", other.name()),
        )
        .related(&staged.key.place, "the stages")
        .help("name under each day what it gives; for a choice or windows write another campaign");
}

/// A pack that is claimed once, at any time.
fn plain(contents: Contents, check: &mut Check<'_>) -> Params {
    let (gives, choice) = promises("pack", &contents, check);
    Params {
        gives,
        choice,
        choose: contents.choose.map(|(choose, _)| choose),
        ..Params::default()
    }
}

/// The promises of one claim: a rule for each reward, and one for whatever is chosen.
fn promises(
    prefix: &str,
    contents: &Contents,
    check: &mut Check<'_>,
) -> (Vec<Promise>, Option<u16>) {
    let mut gives = Vec::new();
    for (reward, place) in &contents.always {
        let id = check
            .tables
            .reward_at(*reward)
            .map_or_else(String::new, |reward| format!("{prefix}-{}", reward.id));
        gives.push(Promise {
            rule: rule(&id, place, check),
            reward: *reward,
        });
    }
    let choice = contents.choose.as_ref();
    let choice = choice.map(|(_, place)| rule(&format!("{prefix}-choice"), place, check));
    (gives, choice)
}

fn rule(id: &str, place: &Place, check: &mut Check<'_>) -> u16 {
    check
        .tables
        .promise(id, Vec::new(), Terms::Block, place, &mut check.out)
}

/// What is given for certain; nothing where it can't be read.
fn given(node: &Node, check: &mut Check<'_>) -> Option<Vec<(u16, Place)>> {
    if node.scalar() == Some(ALL) {
        return Some(all(check));
    }
    let items = node.list(&mut check.out)?;
    if items.is_empty() {
        check
            .out
            .error(
                codes::NOTHING_GIVEN,
                &node.place,
                "there is nothing in the pack",
            )
            .help("name the rewards it gives");
    }
    Some(named(items, check))
}

fn named(items: &[Node], check: &mut Check<'_>) -> Vec<(u16, Place)> {
    let mut found = Vec::new();
    for item in items {
        found.extend(check.promised(item).map(|at| (at, item.place.clone())));
    }
    found
}

/// All rewards but the one that gives nothing.
fn all(check: &mut Check<'_>) -> Vec<(u16, Place)> {
    let rewards = check.tables.rewards.iter().enumerate();
    let given = rewards.filter(|(_, reward)| reward.what.kind != RewardKind::Nothing);
    let all: Vec<(u16, Place)> = given
        .map(|(at, reward)| (at as u16, reward.place.clone()))
        .collect();
    check.tables.given.extend(all.iter().map(|(at, _)| *at));
    check.tables.named.extend(all.iter().map(|(at, _)| *at));
    all
}

fn choose(node: &Node, check: &mut Check<'_>) -> Option<(Choose, Place)> {
    let fields = node.fields(&CHOOSE, &mut check.out)?;
    let how_many = fields
        .get("how_many")
        .map_or(Some(1), |node| node.int(1..=100, &mut check.out))?;
    let list = fields.get("of")?;
    let items = list.list(&mut check.out)?;
    let mut of: Vec<u16> = Vec::new();
    for item in items {
        let Some(reward) = check.promised(item) else {
            continue;
        };
        if of.contains(&reward) {
            let id = item.scalar().unwrap_or("");
            check
                .out
                .error(
                    codes::CHOICE_NONE,
                    &item.place,
                    format!("`{id}` can be chosen twice over"),
                )
                .help("name each reward once");
        } else {
            of.push(reward);
        }
    }
    if how_many >= items.len() as i64 && !check.out.has_errors() {
        let message = format!(
            "{how_many} of {} are chosen: there is nothing to choose",
            items.len()
        );
        check
            .out
            .error(codes::CHOICE_NONE, &list.place, message)
            .help("name more rewards, lower `how_many`, or give them to everybody: `always`");
    }
    let choose = Choose {
        of,
        how_many: how_many as u32,
    };
    Some((choose, list.place.clone()))
}
