//! Actions: what a `do` list says. Besides the machine's own there are those of the blocks that a campaign has.

use std::sync::Arc;

use machine::Type;
use machine::expr::{Expr, IntExpr};
use machine::model::{Action, Emit, Every, Give};

use super::of_blocks;
use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Entry, Key, Keys, Node, Shape};
use crate::read::earn::balance;
use crate::read::limits;
use crate::relays::Emitted;
use crate::scope::{Scope, Setting};
use crate::tables::{Placed, Terms};

/// A `do` list.
pub(super) const DO: Shape = Shape::List(&Shape::Keys(&ACTION));

/// One action: exactly one of these keys. The check reads actions by themselves ([`one`], [`of_blocks`]), since which
/// of them a campaign has depends on its blocks; this table is what editors know.
static ACTION: Keys = Keys {
    name: "action",
    doc: "One action.",
    keys: &[
        Key::optional(
            "set",
            Shape::MapOf(&Shape::Expr),
            "Sets variables, all at once.",
        ),
        Key::optional("add", Shape::MapOf(&Shape::Expr), "Adds to balances."),
        Key::optional(
            "take",
            Shape::MapOf(&Shape::Expr),
            "Takes from balances; too little there is a rejection.",
        ),
        Key::optional(
            "give",
            Shape::Either(&[Shape::Id, Shape::Keys(&GIVE)]),
            "Gives a reward.",
        ),
        Key::optional(
            "emit",
            Shape::Either(&[Shape::Id, Shape::Keys(&EMIT)]),
            "Sends a message to the tenant.",
        ),
        Key::optional(
            "draw",
            BLOCK,
            "Draws from the wheel, or several times at once: `{ of: wheel, times: 10 }`; outcomes `won` (if any did), `missed`.",
        ),
        Key::optional("sign", BLOCK, "Signs today; outcome `signed`."),
        Key::optional(
            "make_up",
            BLOCK,
            "Signs a missed day: `{ of: streak, day: .. }`; outcome `made-up`.",
        ),
        Key::optional(
            "measure",
            BLOCK,
            "Adds to what today has brought: `{ of: streak, amount: .. }`; outcome `signed` once it makes the day count.",
        ),
        Key::optional(
            "claim",
            BLOCK,
            "Claims the pack; outcome `claimed`, or `more` where more of it is to come.",
        ),
        Key::optional(
            "report",
            BLOCK,
            "Reports the event to the tasks that it is of; what is done already is passed over.",
        ),
        Key::optional(
            "claim_task",
            BLOCK,
            "Claims what the task that the event's field `task` names has earned.",
        ),
        Key::optional(
            "redeem",
            BLOCK,
            "Takes in the code that the event brings: `{ redeem: redeem }`.",
        ),
        Key::optional("enter", BLOCK, "Enters the raffle, once."),
        Key::optional(
            "claim_prize",
            BLOCK,
            "Claims what was won in the raffle; outcome `claimed`.",
        ),
    ],
};

/// A block's action: the block's name, or a map with it and the arguments.
const BLOCK: Shape = Shape::Either(&[Shape::Id, Shape::MapOf(&Shape::Any)]);

/// The machine's own actions.
pub(super) const OWN: [&str; 5] = ["set", "add", "take", "give", "emit"];

/// The most actions of one list.
const MOST_ACTIONS: usize = 64;

const EVERY: [&str; 4] = ["ever", "day", "week", "month"];

static GIVE: Keys = Keys {
    name: "giving",
    doc: "A reward under a rule.",
    keys: &[
        Key::required("reward", Shape::Id, "The reward."),
        Key::optional(
            "rule",
            Shape::Id,
            "The promise's id, stable over revisions; the reward's id unless said.",
        ),
        Key::optional(
            "was",
            Shape::Either(&[Shape::Id, Shape::List(&Shape::Id)]),
            "The ids it had in earlier revisions.",
        ),
        Key::optional(
            "every",
            Shape::OneOf(&EVERY),
            "Within what it gives again; `ever`: once in the edition, unless said.",
        ),
        Key::optional(
            "at_most",
            Shape::Int(1, 1_000_000),
            "How often within that; once unless said.",
        ),
    ],
};

static EMIT: Keys = Keys {
    name: "message to the tenant",
    doc: "A message to the tenant's systems.",
    keys: &[
        Key::required("message", Shape::Id, "Its name."),
        Key::optional("with", Shape::MapOf(&Shape::Expr), "Its fields."),
    ],
};

/// Under what circumstances a list runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    pub setting: Setting,
    /// Whether a draw was made before: nothing may say no any more.
    pub drawn: bool,
}

/// A list, lowered, with what the check learned of it.
#[derive(Debug)]
pub(super) struct Lowered {
    pub actions: Vec<Action>,
    /// The outcomes that its last action may raise.
    pub outcomes: Option<&'static [&'static str]>,
    /// Whether it draws.
    pub draws: bool,
    /// Whether a figure of value comes from what the sender says of itself.
    pub reported: bool,
    /// Whether all of it could be read.
    pub complete: bool,
}

impl Default for Lowered {
    fn default() -> Self {
        Self {
            actions: Vec::new(),
            outcomes: None,
            draws: false,
            reported: false,
            complete: true,
        }
    }
}

/// Lowers a list.
pub(super) fn lower(node: &Node, when: When, check: &mut Check<'_>) -> Lowered {
    let mut list = Lowered::default();
    let Some(items) = node.list(&mut check.out) else {
        return Lowered {
            complete: false,
            ..list
        };
    };
    if items.len() > MOST_ACTIONS {
        check.out.error(
            codes::TOO_MANY,
            &node.place,
            format!("a list has at most {MOST_ACTIONS} actions"),
        );
    }
    for item in items.iter().take(MOST_ACTIONS) {
        let entries = item.map(&mut check.out).unwrap_or(&[]);
        let [entry] = entries else {
            if item.is_map() {
                check
                    .out
                    .error(codes::WRONG_SHAPE, &item.place, "an action has exactly one key")
                    .help("write each action as an item of its own: `[{ take: { chances: 1 } }, { draw: wheel }]`");
            }
            list.complete = false;
            continue;
        };
        if list.outcomes.is_some() {
            check
                .out
                .error(
                    codes::OUTCOME_NOT_LAST,
                    &item.place,
                    "the action before this raises an outcome: nothing may follow it in its list",
                )
                .help("do this before it, or under `then`, by outcome");
        }
        let after_draw = When {
            drawn: when.drawn || list.draws,
            ..when
        };
        if one(entry, after_draw, &mut list, check).is_none() {
            list.complete = false;
        }
    }
    list
}

/// Lowers one action into the list; nothing after an error.
fn one(entry: &Entry, when: When, list: &mut Lowered, check: &mut Check<'_>) -> Option<()> {
    let value = &entry.value;
    match entry.name() {
        "set" => list.actions.push(set(value, when.setting, check)?),
        "add" => {
            amounts(value, when.setting, list, check, Action::Add)?;
            for action in &list.actions {
                if let Action::Add(slot, _) = action {
                    check.tables.fed(Some(*slot));
                }
            }
        }
        "take" => {
            if when.drawn {
                after_draw(entry, check);
            }
            amounts(value, when.setting, list, check, Action::Take)?;
        }
        "give" => {
            let giving = give(value, check)?;
            if let (Setting::Nobody, Action::Give(give)) = (when.setting, &giving) {
                limits::looked_up(&value.place, Some(&[give.reward]), check);
            }
            list.actions.push(giving);
        }
        "emit" => list.actions.push(emit(value, when.setting, check)?),
        _ => of_blocks::lower(entry, when, list, check)?,
    }
    Some(())
}

pub(super) fn after_draw(entry: &Entry, check: &mut Check<'_>) {
    check
        .out
        .error(
            codes::AFTER_DRAW,
            &entry.key.place,
            format!(
                "`{}` may say no, and a draw was made already: it would be made again",
                entry.name()
            ),
        )
        .help("do it before the draw");
}

fn set(node: &Node, setting: Setting, check: &mut Check<'_>) -> Option<Action> {
    let mut slots = Vec::new();
    for entry in node.map(&mut check.out)? {
        let Some((slot, ty)) = settable(&entry.key, check) else {
            continue;
        };
        let program =
            Scope::new(&mut check.tables, setting).lower(&entry.value, ty, &mut check.out);
        slots.extend(program.map(|program| (slot, program)));
    }
    Some(Action::Set(slots))
}

/// A variable that `set` may change.
fn settable(node: &Node, check: &mut Check<'_>) -> Option<(u16, Type)> {
    let name = node.string(&mut check.out)?;
    let found = check
        .tables
        .var(name)
        .map(|(slot, var)| (slot, var.decl.ty, var.settable, var.decl.kind));
    match found {
        Some((slot, ty, true, _)) => Some((slot, ty)),
        Some((_, _, false, kind)) => {
            let help = if kind == machine::model::VarKind::Balance {
                "use `add` and `take`"
            } else {
                "it belongs to a block, which alone changes it"
            };
            check
                .out
                .error(
                    codes::UNKNOWN_VAR,
                    &node.place,
                    format!("`{name}` can't be set"),
                )
                .help(help);
            None
        }
        None => {
            let known = check
                .tables
                .vars
                .iter()
                .filter(|var| var.what.settable)
                .map(|var| var.what.decl.name.as_str());
            let help = meant(name, known)
                .unwrap_or_else(|| format!("declare it: `context: {{ {name}: 0 }}`"));
            check
                .out
                .error(
                    codes::UNKNOWN_VAR,
                    &node.place,
                    format!("there is no variable `{name}`"),
                )
                .help(help);
            None
        }
    }
}

fn amounts(
    node: &Node,
    setting: Setting,
    list: &mut Lowered,
    check: &mut Check<'_>,
    action: fn(u16, IntExpr) -> Action,
) -> Option<()> {
    for entry in node.map(&mut check.out)? {
        let slot = balance(&entry.key, check);
        let mut scope = Scope::new(&mut check.tables, setting);
        let amount = scope.lower_int(&entry.value, &mut check.out);
        list.reported |= scope.reads_report();
        if matches!(amount, Some(IntExpr::Lit(..0))) {
            check
                .out
                .error(
                    codes::NEGATIVE,
                    &entry.value.place,
                    "an amount can't be negative",
                )
                .help("use `take` for less, `add` for more");
        }
        list.actions
            .extend(slot.zip(amount).map(|(slot, amount)| action(slot, amount)));
    }
    Some(())
}

fn give(node: &Node, check: &mut Check<'_>) -> Option<Action> {
    if !node.is_map() {
        let reward = check.promised(node)?;
        let id = node.string(&mut check.out)?;
        return Some(promise(id, reward, Vec::new(), Every::Ever, 1, node, check));
    }
    let fields = node.fields(&GIVE, &mut check.out)?;
    let every = fields
        .get("every")
        .and_then(|node| node.one_of(&EVERY, &mut check.out));
    let every = match every {
        Some("day") => Every::Day,
        Some("week") => Every::Week,
        Some("month") => Every::Month,
        _ => Every::Ever,
    };
    let at_most = fields
        .get("at_most")
        .and_then(|node| node.int(1..=1_000_000, &mut check.out))
        .unwrap_or(1);
    let was = fields.get("was").map_or(&[][..], Node::one_or_list);
    let was = was
        .iter()
        .filter_map(|node| node.id("rule", &mut check.out).map(str::to_owned))
        .collect();
    let reward_node = fields.get("reward")?;
    let reward = check.promised(reward_node)?;
    let named = fields.get("rule").unwrap_or(reward_node);
    let id = named.id("rule", &mut check.out)?;
    Some(promise(
        id,
        reward,
        was,
        every,
        at_most as u32,
        named,
        check,
    ))
}

fn promise(
    id: &str,
    reward: u16,
    was: Vec<String>,
    every: Every,
    at_most: u32,
    node: &Node,
    check: &mut Check<'_>,
) -> Action {
    let terms = Terms::Give {
        reward,
        every,
        at_most,
    };
    let rule = check
        .tables
        .promise(id, was, terms, &node.place, &mut check.out);
    Action::Give(Give {
        rule,
        reward,
        every,
        at_most,
    })
}

fn emit(node: &Node, setting: Setting, check: &mut Check<'_>) -> Option<Action> {
    let mut with: Vec<(Arc<str>, Expr)> = Vec::new();
    let mut types: Vec<(Arc<str>, Type)> = Vec::new();
    let message: Arc<str> = if node.is_map() {
        let fields = node.fields(&EMIT, &mut check.out)?;
        let message = fields.get("message")?.id("message", &mut check.out)?;
        for entry in fields
            .get("with")
            .and_then(|node| node.map(&mut check.out))
            .unwrap_or(&[])
        {
            let program =
                Scope::new(&mut check.tables, setting).lower_any(&entry.value, &mut check.out);
            if let Some((ty, program)) = program {
                types.push((entry.name().into(), ty));
                with.push((entry.name().into(), program));
            }
        }
        message.into()
    } else {
        node.id("message", &mut check.out)?.into()
    };
    check.tables.emitted.push(Placed {
        what: Emitted {
            message: message.clone(),
            fields: types,
        },
        place: node.place.clone(),
    });
    Some(Action::Emit(Emit {
        message,
        fields: with,
    }))
}
