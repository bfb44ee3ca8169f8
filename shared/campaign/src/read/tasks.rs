//! Things to do that earn something: the block `tasks`, and for each event that reports one what every state takes.

use std::sync::Arc;

use blocks::Promise;
use blocks::tasks::{
    CLAIMED, DONE, KIND, LOCKED, MOST_TIMES, NOT_DONE, Params, Task, signature, vars,
};
use machine::Type;
use machine::expr::{Expr, IntExpr};
use machine::model::{Action, Choice, Every, Field, On, Transition};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Entry, Fields, Key, Keys, Kind, Node, Shape};
use crate::read::{earn, events};
use crate::tables::Terms;

/// The event with which users claim what a task earned.
const CLAIM: &str = "claim-task";

/// Its field that names the task.
pub(crate) const TASK: &str = "task";

/// The most tasks: each has its variables in every record.
const MOST_TASKS: usize = 24;

/// The largest goal.
const MOST_GOAL: i64 = 1_000_000_000;

/// The keys of a task.
pub(crate) static KEYS: Keys = Keys {
    name: "task",
    doc: "Something to do that earns something.",
    keys: &[
        Key::required("title", Shape::Text, "What is to be done, shown to users."),
        events::FROM,
        events::PAYLOAD,
        Key::optional(
            "event",
            Shape::Id,
            "The event that reports it; one of the task's own name unless said.",
        ),
        Key::optional(
            "goal",
            Shape::Either(&[Shape::Int(1, MOST_GOAL), Shape::Keys(&SUM)]),
            "How often it is to be done, or what a field of the event must add up to; once unless said.",
        ),
        Key::optional(
            "per_day",
            Shape::Int(1, MOST_TIMES as i64),
            "How often it can be done each day; once in all unless said.",
        ),
        Key::optional(
            "per_week",
            Shape::Int(1, MOST_TIMES as i64),
            "How often it can be done each week from Monday.",
        ),
        Key::optional("after", Shape::Id, "The task that must be done before."),
        Key::optional(
            "earns",
            Shape::MapOf(&Shape::Int(1, MOST_GOAL)),
            "The balances that it earns, and how much: `{ chances: 1 }`.",
        ),
        Key::optional(
            "gives",
            Shape::Either(&[Shape::Id, Shape::List(&Shape::Id)]),
            "The rewards that it gives.",
        ),
        Key::optional(
            "claim",
            Shape::OneOf(&HANDS),
            "Whether what it earns comes `by-itself`, unless said, or is claimed `by-hand` (event `claim-task`).",
        ),
    ],
};

static SUM: Keys = Keys {
    name: "task's sum",
    doc: "What a field of the event must add up to.",
    keys: &[
        Key::required("sum", Shape::String, "The field, a whole number."),
        Key::required("at_least", Shape::Int(1, MOST_GOAL), "Up to what."),
    ],
};

const HANDS: [&str; 2] = ["by-itself", "by-hand"];

/// Reads `tasks` into their block and what every state takes for them.
pub(crate) fn read(check: &mut Check<'_>) -> Vec<On> {
    let root = check.root;
    let Some(entries) = root.get("tasks").and_then(|node| node.map(&mut check.out)) else {
        return Vec::new();
    };
    let place = root.key_place("tasks");
    if entries.is_empty() || entries.len() > MOST_TASKS {
        let message = format!("a campaign has 1 to {MOST_TASKS} tasks, or no `tasks`");
        check.out.error(codes::TOO_MANY, place, message);
        return Vec::new();
    }
    let names: Vec<&str> = entries.iter().map(Entry::name).collect();
    check.tables.tasks = names.iter().map(|name| (*name).to_owned()).collect();
    let mut tasks: Vec<Task> = Vec::new();
    for entry in entries {
        tasks.extend(one(entry, &names, check));
    }
    // What could not be read is reported already; places would be others without it.
    if tasks.len() < entries.len() {
        return Vec::new();
    }
    let params = Params { tasks };
    if let Some(at) = circle(&params)
        && let Some(entry) = entries.get(at)
    {
        let message = format!("`{}` comes after itself, by way of others", entry.name());
        check
            .out
            .error(codes::TASK_CIRCLE, &entry.key.place, message)
            .help("leave out one of the `after`: nobody could begin");
        return Vec::new();
    }
    let mut signature = signature();
    signature.vars = vars(&params);
    check.add_block(KIND, &params, signature, place);
    let block = (check.tables.blocks.len() - 1) as u16;
    check.tables.used_blocks.insert(block);
    taken(block, &params, entries, check)
}

/// What every state takes: the reports, and the claims.
fn taken(block: u16, params: &Params, entries: &[Entry], check: &mut Check<'_>) -> Vec<On> {
    let act = |action, args: &[i64]| {
        let args = args.iter().map(|arg| Expr::Int(IntExpr::Lit(*arg)));
        Transition {
            actions: vec![Action::Block {
                block,
                action,
                args: args.collect(),
            }],
            ..Transition::default()
        }
    };
    let mut found: Vec<On> = Vec::new();
    for (task, entry) in params.tasks.iter().zip(entries) {
        let place = &entry.key.place;
        check.rejects(DONE, place);
        if task.after.is_some() {
            check.rejects(LOCKED, place);
        }
        if found.iter().any(|on| on.event == task.event) {
            continue;
        }
        check.tables.taken.insert(task.event);
        found.push(On {
            event: task.event,
            transitions: vec![act(0, &[i64::from(task.event), 1])],
        });
    }
    let by_hand = params.tasks.iter().zip(entries).filter(|(task, _)| task.by_hand);
    let of: Vec<Arc<str>> = by_hand.clone().map(|(task, _)| task.id.clone()).collect();
    if let Some((_, first)) = by_hand.clone().next()
        && let Some((event, slot)) = claims(first, of, check)
    {
        check.rejects(NOT_DONE, &first.key.place);
        check.rejects(CLAIMED, &first.key.place);
        check.tables.taken.insert(event);
        found.push(On {
            event,
            transitions: vec![act(1, &[i64::from(slot)])],
        });
    }
    found
}

/// The event with which what a task earned is claimed, and the place of its field that says which.
fn claims(first: &Entry, of: Vec<Arc<str>>, check: &mut Check<'_>) -> Option<(u16, u16)> {
    let key = Node {
        place: first.key.place.clone(),
        kind: Kind::Scalar {
            text: CLAIM.to_owned(),
            quoted: false,
        },
    };
    let named = Entry {
        key,
        value: first.value.clone(),
    };
    let event = events::named(&named, check)?;
    let choice = Choice { of, how_many: 1 };
    let slot = events::chosen_in(event, TASK, choice, &first.key.place, check)?;
    Some((event, slot))
}

fn one(entry: &Entry, names: &[&str], check: &mut Check<'_>) -> Option<Task> {
    let id: Arc<str> = entry.key.id("task", &mut check.out)?.into();
    let fields = entry.value.fields(&KEYS, &mut check.out)?;
    let title = fields.get("title").and_then(|node| check.text(node));
    let event = event(entry, &fields, check);
    let (every, times) = times(&fields, check);
    let after = fields.get("after").map(|node| after(node, names, check));
    let hand = fields.get("claim");
    let hand = hand.and_then(|node| node.one_of(&HANDS, &mut check.out));
    let by_hand = hand == Some("by-hand");
    let earns = earns(&fields, check);
    let gives = gives(&id, &fields, check);
    let event = event?;
    let (goal, sum) = goal(event, &fields, check)?;
    let nothing = !fields.has("earns") && !fields.has("gives");
    if nothing && by_hand {
        let message = format!("`{id}` is claimed by hand, and there is nothing to claim");
        check
            .out
            .error(codes::EARNS_NOTHING, &entry.key.place, message)
            .help("say what it earns (`earns: { points: 5 }`, `gives: coupon`), or leave `claim` out");
    }
    if !nothing {
        earn::anyone(event, entry, check);
    }
    Some(Task {
        id,
        title: title?,
        event,
        goal,
        sum,
        every,
        times,
        after: after.map_or(Some(None), |found| found.map(Some))?,
        by_hand,
        earns,
        gives,
    })
}

/// The event that reports it: declared here, or elsewhere.
fn event(entry: &Entry, fields: &Fields<'_>, check: &mut Check<'_>) -> Option<u16> {
    let Some(other) = fields.get("event") else {
        let event = events::named(entry, check)?;
        events::declare(event, entry, fields, check);
        return Some(event);
    };
    let named = Entry {
        key: other.clone(),
        value: entry.value.clone(),
    };
    let event = events::named(&named, check)?;
    if fields.has("from") || fields.has("payload") {
        events::declare(event, &named, fields, check);
    }
    Some(event)
}

/// Within what it can be done again, and how often.
fn times(fields: &Fields<'_>, check: &mut Check<'_>) -> (Every, u32) {
    let mut times = |key: &str| {
        let node = fields.get(key)?;
        node.int(1..=i64::from(MOST_TIMES), &mut check.out)
    };
    let (day, week) = (times("per_day"), times("per_week"));
    if let (Some(_), Some(other)) = (fields.get("per_day"), fields.get("per_week")) {
        check
            .out
            .error(
                codes::PACK_MIXED,
                &other.place,
                "a task is done again each day or each week, not both",
            )
            .help("leave one of them out; or make two tasks of one `event`");
    }
    match (day, week) {
        (Some(times), _) => (Every::Day, times as u32),
        (None, Some(times)) => (Every::Week, times as u32),
        (None, None) => (Every::Ever, 1),
    }
}

fn after(node: &Node, names: &[&str], check: &mut Check<'_>) -> Option<u16> {
    let name = node.string(&mut check.out)?;
    let found = names.iter().position(|known| *known == name);
    if found.is_none() {
        let help = meant(name, names.iter().copied())
            .unwrap_or_else(|| format!("the tasks are {}", names.join(", ")));
        check
            .out
            .error(
                codes::UNKNOWN_TASK,
                &node.place,
                format!("there is no task `{name}`"),
            )
            .help(help);
    }
    found.map(|at| at as u16)
}

/// A task that comes after itself, by its place.
fn circle(params: &Params) -> Option<usize> {
    let comes_back = |start: usize| {
        let mut at = start;
        for _ in 0..params.tasks.len() {
            let Some(before) = params.tasks.get(at).and_then(|task| task.after) else {
                return false;
            };
            at = usize::from(before);
            if at == start {
                return true;
            }
        }
        false
    };
    (0..params.tasks.len()).find(|at| comes_back(*at))
}

/// How much it takes, and of which field.
fn goal(event: u16, fields: &Fields<'_>, check: &mut Check<'_>) -> Option<(i64, Option<u16>)> {
    let Some(node) = fields.get("goal") else {
        return Some((1, None));
    };
    if !node.is_map() {
        return Some((node.int(1..=MOST_GOAL, &mut check.out)?, None));
    }
    let sum = node.fields(&SUM, &mut check.out)?;
    let goal = sum
        .get("at_least")
        .and_then(|node| node.int(1..=MOST_GOAL, &mut check.out));
    let named = sum.get("sum")?;
    let name = named.string(&mut check.out)?.to_owned();
    let own = !fields.has("event");
    let slot = summed(event, &name, own, named, check)?;
    Some((goal?, Some(slot)))
}

/// The field that is summed. An event that the task declares itself carries it from now on, if it does not already.
fn summed(
    event: u16,
    name: &str,
    own: bool,
    node: &Node,
    check: &mut Check<'_>,
) -> Option<u16> {
    let known = check.tables.events.get_mut(usize::from(event))?;
    let payload = &mut known.what.payload;
    let at = payload.iter().position(|field| field.name == name);
    if at.is_none() && own {
        payload.push(Field {
            name: name.to_owned(),
            ty: Type::Int,
            default: None,
            at_least: 0,
            at_most: MOST_GOAL,
            max_length: 0,
            choice: None,
        });
        return Some((payload.len() - 1) as u16);
    }
    let field = at.and_then(|at| payload.get(at));
    let event = known.what.name.clone();
    match field {
        Some(field) if field.ty != Type::Int => {
            let message = format!("`{name}` is of type {}: only whole numbers are summed", field.ty);
            check
                .out
                .error(codes::TASK_SUM, &node.place, message)
                .help("name a field of type `int`");
            None
        }
        Some(field) if field.at_most <= 0 => {
            let message = format!("`{name}` is never more than {}: nobody comes to the goal", field.at_most);
            check
                .out
                .error(codes::TASK_SUM, &node.place, message)
                .help("raise the field's `at_most`");
            None
        }
        Some(_) => at.map(|at| at as u16),
        None => {
            let message = format!("the event `{event}` has no field `{name}`");
            check
                .out
                .error(codes::TASK_SUM, &node.place, message)
                .help(format!(
                    "declare it: `events: {{ {event}: {{ payload: {{ {name}: {{ type: int }} }} }} }}`"
                ));
            None
        }
    }
}

fn earns(fields: &Fields<'_>, check: &mut Check<'_>) -> Vec<(u16, i64)> {
    let Some(node) = fields.get("earns") else {
        return Vec::new();
    };
    let entries = node.map(&mut check.out).unwrap_or(&[]);
    let mut found: Vec<(u16, i64)> = Vec::new();
    for entry in entries {
        found.extend(earn::amount(entry, check));
    }
    if node.is_map() && entries.is_empty() {
        check
            .out
            .error(codes::EARNS_NOTHING, &node.place, "this task earns nothing")
            .help("say what it earns: `earns: { points: 5 }`");
    }
    found
}

fn gives(id: &str, fields: &Fields<'_>, check: &mut Check<'_>) -> Vec<Promise> {
    let Some(node) = fields.get("gives") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in node.one_or_list() {
        let Some(reward) = check.promised(item) else {
            continue;
        };
        let Some(named) = check.tables.reward_at(reward) else {
            continue;
        };
        let rule = format!("task-{id}-{}", named.id);
        let rule = check
            .tables
            .promise(&rule, Vec::new(), Terms::Block, &item.place, &mut check.out);
        found.push(Promise { rule, reward });
    }
    if node.one_or_list().is_empty() {
        check
            .out
            .error(codes::NOTHING_GIVEN, &node.place, "this gives nothing")
            .help("name a reward, or leave the line out");
    }
    found
}
