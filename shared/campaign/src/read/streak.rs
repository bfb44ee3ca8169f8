//! Days: the block `streak`, made of `streak` (how days in a row are counted), `give` (what they give) and `day_counts` (what
//! a day must bring).

use blocks::streak::{
    Cards, Cycle, FREEZE_CARDS, Forgive, KIND, MAKEUP_CARDS, Makeup, NO_CARDS, Params, Remind,
    Span, TOO_DEAR, signature_of,
};
use machine::Type;
use machine::calendar::HOUR_MS;
use machine::model::Window;

use crate::check::Check;
use crate::codes;
use crate::document::{Fields, Key, Keys, Node, Shape};
use crate::read::give::{self, MOST_DAYS};
use crate::read::{earn, measured};
use crate::relays::Emitted;
use crate::tables::Placed;

/// The keys of `streak`.
pub(crate) static KEYS: Keys = Keys {
    name: "streak",
    doc: "How days in a row are counted.",
    keys: &[
        Key::optional(
            "cycle",
            Shape::Either(&[Shape::OneOf(&["none", "month"]), Shape::Duration]),
            "When a streak starts over by itself: `none`, `month`, or after days: `7 days`; `none` unless said.",
        ),
        Key::optional(
            "makeup",
            Shape::Keys(&MAKEUP),
            "Whether missed days can be made up.",
        ),
        Key::optional(
            "forgive",
            Shape::Keys(&FORGIVE),
            "Missed days that neither break nor count, by themselves.",
        ),
        Key::optional(
            "freeze",
            Shape::Keys(&CARDS),
            "Cards that keep a streak over a missed day, one a day, by themselves. The balance is called `freeze_cards`.",
        ),
        Key::optional(
            "remind",
            Shape::Keys(&REMIND),
            "A message to the tenant for whoever has not signed and has a streak to lose.",
        ),
    ],
};

static MAKEUP: Keys = Keys {
    name: "make-up",
    doc: "Signing in for a day that was missed.",
    keys: &[
        Key::required("days_back", Shape::Int(1, 366), "How many days back."),
        Key::optional(
            "at_most",
            Shape::Int(1, 366),
            "How many in the whole edition; it may be left out where something else limits them.",
        ),
        Key::optional(
            "per_month",
            Shape::Int(1, 31),
            "How many in a calendar month, by the day on which they are made.",
        ),
        Key::optional(
            "cost",
            Shape::MapOf(&Shape::Int(1, MOST_COST)),
            "What each costs, of one balance: `{ points: 20 }`.",
        ),
        Key::optional(
            "cards",
            Shape::Keys(&CARDS),
            "Each takes a card. The balance is called `makeup_cards`.",
        ),
    ],
};

static CARDS: Keys = Keys {
    name: "cards",
    doc: "A balance of cards, which `earn`, `add` and a reward of points with its name add to.",
    keys: &[
        Key::optional(
            "start",
            Shape::Int(0, MOST_CARDS),
            "How many everybody begins with; 0 unless said.",
        ),
        Key::optional(
            "hold_at_most",
            Shape::Int(1, MOST_CARDS),
            "The most that one participant holds; further ones are lost.",
        ),
    ],
};

static FORGIVE: Keys = Keys {
    name: "forgiveness",
    doc: "Missed days that are forgiven: `{ days: 1, every: month }`.",
    keys: &[
        Key::required("days", Shape::Int(1, 366), "So many missed days ..."),
        Key::required(
            "every",
            Shape::Either(&[Shape::OneOf(&["month", "week"]), Shape::Duration]),
            "... in each of these: `month`, `week` (from Monday), or days from the opening on: `7 days`.",
        ),
    ],
};

static REMIND: Keys = Keys {
    name: "reminder",
    doc: "One message a day: its fields are `streak` (a number) and `day` (a date).",
    keys: &[
        Key::required(
            "at",
            Shape::Clock,
            "When, by the clock on the wall; before `day_starts` it is the night that still belongs to the day.",
        ),
        Key::required("message", Shape::Id, "The message's name."),
        Key::optional(
            "from_streak",
            Shape::Int(1, MOST_DAYS),
            "From how long a streak on; 1 unless said.",
        ),
    ],
};

/// More than anything costs.
const MOST_COST: i64 = 1_000_000_000;

/// More cards than there are days.
const MOST_CARDS: i64 = 10_000;

const DAY_MS: i64 = 24 * HOUR_MS;

pub(crate) fn read(window: Window, check: &mut Check<'_>) {
    let root = check.root;
    let sections = ["streak", "give", "day_counts"];
    let Some(first) = sections.into_iter().find(|section| root.has(section)) else {
        return;
    };
    let mut params = Params::default();
    if let Some(fields) = root
        .get("streak")
        .and_then(|node| node.fields(&KEYS, &mut check.out))
    {
        section(&fields, &mut params, check);
    }
    params.measure = measured::read(check);
    give::read(&mut params, window, check);
    let held = [
        (FREEZE_CARDS, params.freeze),
        (MAKEUP_CARDS, params.makeup.and_then(|makeup| makeup.cards)),
    ];
    let held = held.into_iter().filter(|(_, cards)| cards.is_some());
    let shared: Vec<&str> = held.map(|(name, _)| name).collect();
    let signature = signature_of(&params);
    check.add_block_over(KIND, &params, signature, &shared, root.key_place(first));
}

fn section(fields: &Fields<'_>, params: &mut Params, check: &mut Check<'_>) {
    params.cycle = fields
        .get("cycle")
        .and_then(|node| cycle(node, check))
        .unwrap_or_default();
    params.makeup = fields.get("makeup").and_then(|node| makeup(node, check));
    params.forgive = fields.get("forgive").and_then(|node| forgive(node, check));
    params.freeze = fields.get("freeze").and_then(|node| cards(node, check));
    params.remind = fields
        .get("remind")
        .and_then(|node| remind(node, params.cycle, check));
}

fn cycle(node: &Node, check: &mut Check<'_>) -> Option<Cycle> {
    match node.string(&mut check.out)? {
        "none" => Some(Cycle::None),
        "month" => Some(Cycle::Month),
        _ => days(
            node,
            "a cycle is a whole number of days",
            "write `7 days`, `month` or `none`",
            check,
        )
        .map(Cycle::Days),
    }
}

/// A whole number of days.
fn days(node: &Node, wrong: &str, help: &str, check: &mut Check<'_>) -> Option<u32> {
    let span = node.duration(&mut check.out)?;
    let days = span / DAY_MS;
    if span % DAY_MS != 0 || !(1..=MOST_DAYS).contains(&days) {
        check
            .out
            .error(codes::NOT_DURATION, &node.place, wrong)
            .help(help);
        return None;
    }
    Some(days as u32)
}

fn makeup(node: &Node, check: &mut Check<'_>) -> Option<Makeup> {
    let fields = node.fields(&MAKEUP, &mut check.out)?;
    let mut int = |key: &str, most: i64| {
        fields
            .get(key)
            .and_then(|node| node.int(1..=most, &mut check.out))
    };
    let days_back = int("days_back", 366);
    let (at_most, per_month) = (int("at_most", 366), int("per_month", 31));
    if !["at_most", "per_month", "cost", "cards"]
        .iter()
        .any(|key| fields.has(key))
    {
        check
            .out
            .error(
                codes::MISSING_KEY,
                &node.place,
                "nothing limits how many days can be made up",
            )
            .help("add `at_most`, `per_month`, `cost` or `cards`");
    }
    let cost = fields.get("cost").and_then(|node| cost(node, check));
    let held = fields.get("cards").and_then(|node| cards(node, check));
    if let Some(node) = fields.get("cost") {
        check.rejects(TOO_DEAR, &node.place);
    }
    if let Some(node) = fields.get("cards") {
        check.rejects(NO_CARDS, &node.place);
    }
    Some(Makeup {
        days_back: days_back? as u32,
        at_most: at_most.map_or(Makeup::WITHOUT_LIMIT, |most| most as u32),
        per_month: per_month.map(|most| most as u32),
        cost,
        cards: held,
    })
}

/// So much of one balance.
fn cost(node: &Node, check: &mut Check<'_>) -> Option<(u16, i64)> {
    let entries = node.map(&mut check.out)?;
    let [entry] = entries else {
        check
            .out
            .error(
                codes::MAKEUP_COST,
                &node.place,
                "a make-up costs so much of one balance",
            )
            .help("name one: `cost: { points: 20 }`");
        return None;
    };
    let slot = earn::balance(&entry.key, check);
    let amount = entry.value.int(1..=MOST_COST, &mut check.out);
    slot.zip(amount)
}

fn cards(node: &Node, check: &mut Check<'_>) -> Option<Cards> {
    let fields = node.fields(&CARDS, &mut check.out)?;
    let mut int = |key: &str, least: i64| {
        fields
            .get(key)
            .and_then(|node| node.int(least..=MOST_CARDS, &mut check.out))
    };
    let (start, most) = (int("start", 0).unwrap_or(0), int("hold_at_most", 1));
    if let Some((most, node)) = most.zip(fields.get("hold_at_most"))
        && start > most
    {
        check
            .out
            .error(
                codes::NEVER_REACHED,
                &node.place,
                format!("nobody can hold the {start} cards that everybody begins with"),
            )
            .help("raise `hold_at_most`");
    }
    Some(Cards {
        start,
        hold_at_most: most.unwrap_or(i64::MAX),
    })
}

fn forgive(node: &Node, check: &mut Check<'_>) -> Option<Forgive> {
    let fields = node.fields(&FORGIVE, &mut check.out)?;
    let days_node = fields.get("days")?;
    let many = days_node.int(1..=366, &mut check.out);
    let every = span(fields.get("every")?, check);
    let (many, every) = (many? as u32, every?);
    let (shortest, what) = match every {
        Span::Month => (28, "a month".to_owned()),
        Span::Week => (7, "a week".to_owned()),
        Span::Days(length) => (length, format!("{length} days")),
    };
    if many >= shortest {
        check
            .out
            .error(
                codes::NEVER_BREAKS,
                &days_node.place,
                format!(
                    "{many} forgiven days in {what} are all there are: no streak would ever break"
                ),
            )
            .help("forgive fewer days, or leave `forgive` out and promise under `total_days`");
    }
    Some(Forgive { days: many, every })
}

fn span(node: &Node, check: &mut Check<'_>) -> Option<Span> {
    match node.string(&mut check.out)? {
        "month" => Some(Span::Month),
        "week" => Some(Span::Week),
        _ => days(
            node,
            "days are forgiven within a whole number of days",
            "write `month`, `week` or `7 days`",
            check,
        )
        .map(Span::Days),
    }
}

fn remind(node: &Node, cycle: Cycle, check: &mut Check<'_>) -> Option<Remind> {
    let fields = node.fields(&REMIND, &mut check.out)?;
    let at_secs = fields.get("at").and_then(|node| node.clock(&mut check.out));
    let from = fields.get("from_streak").and_then(|node| {
        let from = node.int(1..=MOST_DAYS, &mut check.out)?;
        Some((node, from))
    });
    // On a day that is not signed yet, the longest streak is one short of the whole cycle.
    let longest = match cycle {
        Cycle::None => None,
        Cycle::Month => Some(30),
        Cycle::Days(days) => Some(i64::from(days) - 1),
    };
    let from_streak = from.map_or(1, |(_, from)| from);
    if let Some(longest) = longest.filter(|longest| from_streak > *longest) {
        let place = from.map_or(&node.place, |(node, _)| &node.place);
        check
            .out
            .error(
                codes::NEVER_REMINDED,
                place,
                format!("nobody is ever reminded: before a day is signed a streak is at most {longest} here, since it starts over"),
            )
            .help("lower `from_streak`, or lengthen `cycle`");
    }
    let message = fields.get("message")?;
    let name = message.id("message", &mut check.out)?;
    check.tables.emitted.push(Placed {
        what: Emitted {
            message: name.into(),
            fields: vec![("streak".into(), Type::Int), ("day".into(), Type::Date)],
        },
        place: message.place.clone(),
    });
    Some(Remind {
        at_secs: at_secs?,
        message: name.to_owned(),
        from_streak: from_streak as u32,
    })
}
