//! What can be given: `rewards` and `when_gone`.

use std::sync::Arc;

use machine::model::{Deliver, Reward, RewardKind, VarDecl, VarKind, Window};
use machine::{Type, Value};

use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;
use crate::document::{Entry, Fields, Key, Keys, Node, Odds, Shape};
use crate::read::{context, limits, pool, release};
use crate::tables::{Placed, Var};
use crate::tenant::ConnectorKind;

/// The most rewards of one campaign.
const MOST_REWARDS: usize = 500;

/// The kinds a reward may have, with what each is called.
const KINDS: [(&str, RewardKind); 6] = [
    ("points", RewardKind::Points),
    ("coupon", RewardKind::Coupon),
    ("code", RewardKind::Code),
    ("physical", RewardKind::Physical),
    ("cash", RewardKind::Cash),
    ("entitlement", RewardKind::Entitlement),
];

const KIND_WORDS: [&str; 6] = [
    "points",
    "coupon",
    "code",
    "physical",
    "cash",
    "entitlement",
];

/// The keys of a reward.
pub(crate) static KEYS: Keys = Keys {
    name: "reward",
    doc: "A reward. One with only a title and odds gives nothing: it is what a lost draw shows.",
    keys: &[
        Key::required("title", Shape::Text, "Its title, shown to users."),
        Key::optional("kind", Shape::OneOf(&KIND_WORDS), "What it is."),
        Key::optional(
            "amount",
            Shape::Either(&[Shape::Int(1, i64::MAX), Shape::Money]),
            "How much of it is given at once: points, or money for cash. Points without stock add to a balance of this campaign.",
        ),
        Key::optional(
            "adds_to",
            Shape::String,
            "The balance that points without stock add to; one with the reward's name unless said.",
        ),
        Key::optional(
            "stock",
            Shape::Int(1, u32::MAX as i64),
            "How many units there are; without limit unless said.",
        ),
        Key::optional(
            "release",
            Shape::Keys(&release::KEYS),
            "When how many of them are to be had; all from the beginning unless said.",
        ),
        Key::optional(
            "pool",
            Shape::Id,
            "The tenant's pool that its codes come from, each given once; `gala codes put` puts codes into it.",
        ),
        Key::optional(
            "low_water",
            Shape::Either(&[Shape::Int(1, u32::MAX as i64), Shape::Odds]),
            "With how many codes left staff are warned: a figure, or a share of `stock` such as `10%`.",
        ),
        Key::optional(
            "cost",
            Shape::Money,
            "What one costs, booked against the budget; cash costs its amount unless said.",
        ),
        Key::optional(
            "value",
            Shape::Money,
            "What one is worth, shown to users; `cost` unless said.",
        ),
        Key::optional(
            "odds",
            Shape::Odds,
            "How likely a draw gives it: `10%`, `1/3`, or `rest`.",
        ),
        Key::optional(
            "per_user",
            limits::PER_USER,
            "The most that one participant is given: in all, or `{ day: 1, week: 2, edition: 3 }`.",
        ),
        Key::optional(
            "not_for",
            limits::NOT_FOR,
            "Who can't have it, by lists: what stands in for it is given to them.",
        ),
        Key::optional(
            "expires",
            Shape::Duration,
            "How long after it is given it can be used.",
        ),
        Key::optional("image", Shape::String, "The address of its picture."),
        Key::optional(
            "deliver",
            Shape::Either(&[Shape::String, Shape::Keys(&DELIVER)]),
            "Who hands it over; `manual` unless said.",
        ),
    ],
};

static DELIVER: Keys = Keys {
    name: "delivery",
    doc: "Who hands a reward over.",
    keys: &[
        Key::required("connector", Shape::String, "The tenant's connector."),
        Key::optional(
            "reference",
            Shape::String,
            "What the connector calls the reward; its id unless said.",
        ),
    ],
};

/// The odds of a reward, for the wheel.
pub(crate) struct Slice<'a> {
    pub reward: u16,
    pub odds: Odds,
    pub node: &'a Node,
}

/// Fills the table of rewards, and the balances that some of them add to; the odds are for the wheel.
pub(crate) fn read<'a>(window: Window, check: &mut Check<'a>) -> Vec<Slice<'a>> {
    let root = check.root;
    let Some(entries) = root
        .get("rewards")
        .and_then(|node| node.map(&mut check.out))
    else {
        return Vec::new();
    };
    if entries.len() > MOST_REWARDS {
        let place = root.key_place("rewards");
        check.out.error(
            codes::TOO_MANY,
            place,
            format!(
                "a campaign has at most {MOST_REWARDS} rewards, this one has {}",
                entries.len()
            ),
        );
    }
    let mut slices = Vec::new();
    for entry in entries.iter().take(MOST_REWARDS) {
        slices.extend(one(entry, window, check));
    }
    slices
}

fn one<'a>(entry: &'a Entry, window: Window, check: &mut Check<'a>) -> Option<Slice<'a>> {
    let id: Arc<str> = entry
        .key
        .id("reward", &mut check.out)
        .unwrap_or_else(|| entry.name())
        .into();
    let fields = entry.value.fields(&KEYS, &mut check.out)?;
    let title = fields
        .get("title")
        .and_then(|node| check.text(node))
        .unwrap_or_default();
    let kind = kind(&id, entry, &fields, check);
    let figures = figures(kind, &fields, check);
    let release = release::read(&fields, figures.stock, window, check);
    let limit = limits::per_user(&fields, check);
    let not_for = limits::not_for(&fields, check);
    let pool = pool::read(&fields, kind, figures.stock, check);
    let out = &mut check.out;
    let expires = fields.get("expires").and_then(|node| node.duration(out));
    let image = fields
        .get("image")
        .and_then(|node| node.string(out))
        .map(str::to_owned);
    let odds = fields
        .get("odds")
        .and_then(|node| node.odds(out).map(|odds| (node, odds)));
    let deliver = deliver(&id, fields.get("deliver"), check);
    let balance = (kind == RewardKind::Points && !fields.has("stock"))
        .then(|| balance(&id, &fields, entry, check));
    if let Some(node) = fields.get("adds_to").filter(|_| balance.is_none()) {
        check
            .out
            .error(
                codes::REWARD_KIND,
                &node.place,
                "only points without stock add to a balance",
            )
            .help("leave `adds_to` out, or make it `kind: points` without `stock`");
    }
    let reward = Reward {
        id,
        title,
        kind,
        image,
        amount: figures.amount,
        stock: figures.stock,
        release,
        pool,
        value: figures.value,
        cost: figures.cost,
        deliver,
        expires,
        per_user: limit.edition,
        within: limit.within,
        not_for,
        balance,
        when_gone: None,
    };
    check.tables.rewards.push(Placed {
        what: reward,
        place: entry.key.place.clone(),
    });
    let at = (check.tables.rewards.len() - 1) as u16;
    odds.map(|(node, odds)| {
        check.tables.given.insert(at);
        Slice {
            reward: at,
            odds,
            node,
        }
    })
}

/// The kind as written; a reward of a title and odds alone is the one that gives nothing.
fn kind(id: &str, entry: &Entry, fields: &Fields<'_>, check: &mut Check<'_>) -> RewardKind {
    if let Some(node) = fields.get("kind") {
        let word = node.one_of(&KIND_WORDS, &mut check.out);
        return KINDS
            .iter()
            .find(|(known, _)| Some(*known) == word)
            .map_or(RewardKind::Coupon, |(_, kind)| *kind);
    }
    let figures = [
        "amount", "adds_to", "stock", "release", "pool", "cost", "value", "per_user", "not_for",
        "expires", "deliver",
    ];
    if let Some(figure) = figures.iter().find(|figure| fields.has(figure)) {
        check
            .out
            .error(codes::REWARD_KIND, &entry.key.place, format!("`{id}` has `{figure}` and no `kind`"))
            .help(format!("say what it is: `kind: coupon`, or one of {}; without figures it is what a lost draw shows", KIND_WORDS.join(", ")));
        return RewardKind::Coupon;
    }
    RewardKind::Nothing
}

struct Figures {
    amount: i64,
    stock: Option<u32>,
    cost: i64,
    value: i64,
}

fn figures(kind: RewardKind, fields: &Fields<'_>, check: &mut Check<'_>) -> Figures {
    let digits = check.input.tenant.currency.digits;
    let out = &mut check.out;
    let amount = fields.get("amount").and_then(|node| match kind {
        RewardKind::Cash => node.decimal(digits, out),
        _ => node.int(1..=i64::from(u32::MAX), out),
    });
    if amount.is_none()
        && matches!(kind, RewardKind::Points | RewardKind::Cash)
        && !fields.has("amount")
    {
        let what = if kind == RewardKind::Cash {
            "how much money"
        } else {
            "how many points"
        };
        out.error(
            codes::REWARD_KIND,
            fields.key_place("kind"),
            format!("it does not say {what}"),
        )
        .help("add `amount`");
    }
    let stock = fields.get("stock").and_then(|node| {
        let stock = node.int(0..=i64::from(u32::MAX), out)?;
        if stock == 0 {
            out.error(
                codes::ZERO_STOCK,
                &node.place,
                "there is not a single unit of this reward",
            )
            .help("leave `stock` out for no limit, or leave the reward out");
        }
        Some(stock as u32)
    });
    let mut money = |key: &str| fields.get(key).and_then(|node| node.decimal(digits, out));
    let booked = if kind == RewardKind::Cash {
        amount.unwrap_or(0)
    } else {
        0
    };
    let cost = money("cost").unwrap_or(booked);
    Figures {
        amount: amount.unwrap_or(0),
        stock,
        cost,
        value: money("value").unwrap_or(cost),
    }
}

fn deliver(id: &str, node: Option<&Node>, check: &mut Check<'_>) -> Deliver {
    let manual = || Deliver {
        connector: "manual".to_owned(),
        reference: id.to_owned(),
    };
    let Some(node) = node else { return manual() };
    let (connector, reference) = if node.is_map() {
        let Some(fields) = node.fields(&DELIVER, &mut check.out) else {
            return manual();
        };
        (fields.get("connector"), fields.get("reference"))
    } else {
        (Some(node), None)
    };
    let reference = reference
        .and_then(|node| node.string(&mut check.out))
        .unwrap_or(id)
        .to_owned();
    let Some((node, name)) =
        connector.and_then(|node| node.string(&mut check.out).map(|name| (node, name)))
    else {
        return manual();
    };
    let known = &check.input.tenant.connectors;
    if name != "manual" && !known.contains_key(name) {
        let help = meant(name, known.keys().map(String::as_str).chain(["manual"]));
        check
            .out
            .error(
                codes::UNKNOWN_CONNECTOR,
                &node.place,
                format!("the tenant has no connector `{name}`"),
            )
            .help(
                help.unwrap_or_else(|| "declare it in tenant.yaml under `connectors`".to_owned()),
            );
    }
    if known
        .get(name)
        .is_some_and(|connector| connector.kind == ConnectorKind::Http)
    {
        check
            .out
            .error(
                codes::DELIVER_SERVICE,
                &node.place,
                format!("`{name}` is a service that is asked for facts: it delivers nothing"),
            )
            .help(
                "name a connector that hands rewards over, or leave `deliver` out: then people do",
            );
    }
    Deliver {
        connector: name.to_owned(),
        reference,
    }
}

/// The balance that points add to: named like the reward, as expressions can write it, unless another is said. Several rewards
/// may add to one.
fn balance(id: &str, fields: &Fields<'_>, entry: &Entry, check: &mut Check<'_>) -> u16 {
    let said = fields
        .get("adds_to")
        .and_then(|node| Some((node.string(&mut check.out)?, &node.place)));
    let own = id.replace('-', "_");
    let (name, place) = said.map_or((own.as_str(), &entry.key.place), |said| said);
    context::readable(name, place, &mut check.out);
    if let Some((slot, known)) = check.tables.var(name)
        && known.decl.kind == VarKind::Balance
    {
        return slot;
    }
    let name = name.to_owned();
    let decl = VarDecl {
        name,
        ty: Type::Int,
        default: Value::Int(0),
        show: true,
        kind: VarKind::Balance,
        at_most: i64::MAX,
    };
    check.tables.add_var(
        Var {
            decl,
            settable: false,
        },
        &entry.key.place,
        &mut check.out,
    )
}

/// Sets what stands in for what, and makes sure that each chain ends.
pub(crate) fn when_gone(check: &mut Check<'_>) {
    let Some(entries) = check
        .root
        .get("when_gone")
        .and_then(|node| node.map(&mut check.out))
    else {
        return;
    };
    for entry in entries {
        let (gone, instead) = (check.reward_named(&entry.key), check.reward(&entry.value));
        if let Some(gone) = gone.and_then(|gone| check.tables.rewards.get_mut(usize::from(gone))) {
            gone.what.when_gone = instead;
        }
    }
    let mut told = Vec::new();
    for entry in entries {
        let Some(first) = check.tables.reward(entry.name()) else {
            continue;
        };
        let chain = chain(first, check);
        let circle = chain.len() > 1 && chain.last() == Some(&first);
        // Each circle once, at the first of its rewards.
        if circle && !told.contains(&first) {
            let ids = chain
                .iter()
                .filter_map(|at| check.tables.reward_at(*at))
                .map(|reward| &*reward.id);
            let ids = ids.collect::<Vec<_>>().join(" -> ");
            let message = format!("these rewards stand in for each other in a circle: {ids}");
            check
                .out
                .error(codes::GONE_CYCLE, &entry.key.place, message)
                .help("end the chain with a reward that is never gone");
            told.extend(chain);
        }
    }
}

/// What is given in turn when each is gone: up to the end, or up to the first that comes a second time.
fn chain(first: u16, check: &Check<'_>) -> Vec<u16> {
    let mut chain = vec![first];
    let mut at = first;
    while let Some(next) = check
        .tables
        .reward_at(at)
        .and_then(|reward| reward.when_gone)
    {
        let again = chain.contains(&next);
        chain.push(next);
        if again {
            break;
        }
        at = next;
    }
    chain
}
