//! A draw from all who entered, at a set time: the block `raffle`.

use blocks::raffle::{CLAIM, ENTER, KIND, Params, Prize, signature};
use machine::calendar::HOUR_MS;
use machine::model::{Action, Machine, On, Reward, Window};
use machine::raffle::MOST_PLACES;

use crate::check::Check;
use crate::codes;
use crate::document::{Fields, Key, Keys, Moment, Node, Shape};
use crate::read::rewards::Slice;
use crate::source::Place;
use crate::tables::Terms;

/// The most entries of one participant.
const MOST_EACH: i64 = 10_000;

/// The longest that a prize can be claimed for: a year.
const LONGEST_MS: i64 = 366 * 24 * HOUR_MS;

/// The keys of `raffle`.
pub(crate) static KEYS: Keys = Keys {
    name: "raffle",
    doc: "A draw at a set time from all who entered.",
    keys: &[
        Key::required(
            "entries_close",
            Shape::DateTime,
            "The first instant at which no entry is taken any more.",
        ),
        Key::required(
            "draw_at",
            Shape::DateTime,
            "When it is drawn: when the entries close, or later.",
        ),
        Key::optional(
            "entries_each",
            Shape::Int(1, MOST_EACH),
            "How often one participant may enter; once unless said. Each entry has the same chance, and nobody wins twice.",
        ),
        Key::required(
            "prizes",
            Shape::List(&Shape::Keys(&PRIZE)),
            "What there is to win, the first prize first.",
        ),
        Key::optional(
            "alternates",
            Shape::Int(0, MOST_PLACES as i64),
            "How many are drawn beside the winners, who come next when a prize is not claimed.",
        ),
        Key::optional(
            "claim_within",
            Shape::Duration,
            "How long a winner has to claim; unless said, prizes are given when they are drawn.",
        ),
    ],
};

/// The keys of a prize.
static PRIZE: Keys = Keys {
    name: "raffle prize",
    doc: "A reward, and how many win it.",
    keys: &[
        Key::required("reward", Shape::Id, "Which reward."),
        Key::optional(
            "winners",
            Shape::Int(1, MOST_PLACES as i64),
            "How many win it; one unless said.",
        ),
    ],
};

/// Whether the campaign has a raffle and nothing to draw otherwise.
pub(crate) fn is_alone(root: &Fields<'_>) -> bool {
    let rewards = root.get("rewards").map(|node| &node.kind);
    let odds = match rewards {
        Some(crate::document::Kind::Map(rewards)) => rewards
            .iter()
            .any(|reward| reward.value.get("odds").is_some()),
        _ => false,
    };
    root.has(KIND) && !odds
}

/// Makes the raffle, if there is one.
pub(crate) fn read(slices: &[Slice<'_>], window: Window, check: &mut Check<'_>) {
    let Some(fields) = check
        .root
        .get(KIND)
        .and_then(|node| node.fields(&KEYS, &mut check.out))
    else {
        return;
    };
    let timezone = check.tables.calendar.timezone;
    let mut moment = |key: &str| {
        let node = fields.get(key)?;
        Some((node.datetime(timezone, &mut check.out)?, node))
    };
    let (close, draw) = (moment("entries_close"), moment("draw_at"));
    let within = fields.get("claim_within").and_then(|node| {
        let span = node.duration(&mut check.out)?;
        Some((span, node))
    });
    let mut int = |key: &str, range: std::ops::RangeInclusive<i64>| {
        fields
            .get(key)
            .and_then(|node| node.int(range, &mut check.out))
    };
    let entries_each = int("entries_each", 1..=MOST_EACH).unwrap_or(1) as u32;
    let alternates = int("alternates", 0..=i64::from(MOST_PLACES)).unwrap_or(0) as u32;
    let prizes = prizes(&fields, slices, within.is_some(), check);
    if let (Some(close), Some(draw)) = (&close, &draw) {
        in_order(close, draw, window, check);
    }
    if let Some((within, draw)) = within.zip(draw.as_ref()) {
        claims(within, draw, alternates, window, check);
    }
    if alternates > 0
        && within.is_none()
        && let Some(node) = fields.get("alternates")
    {
        check
            .out
            .warn(
                codes::RAFFLE_ALTERNATES,
                &node.place,
                "prizes are given when they are drawn: no alternate ever comes next",
            )
            .help("say how long a winner has to claim (`claim_within: 7 days`), or leave `alternates` out");
    }
    let params = Params {
        entries_close: close.map_or(0, |(moment, _)| moment.at),
        draw_at: draw.map_or(0, |(moment, _)| moment.at),
        entries_each,
        prizes,
        alternates,
        claim_within: within.map(|(span, _)| span),
    };
    let places = u64::from(params.winners()) + u64::from(params.alternates);
    let place = check.root.key_place(KIND);
    if places > u64::from(MOST_PLACES) {
        check
            .out
            .error(
                codes::RAFFLE_TOO_MANY,
                place,
                format!(
                    "a raffle draws at most {MOST_PLACES} winners and alternates, this one {places}"
                ),
            )
            .help("draw fewer; what everybody gets needs no draw");
    }
    check.add_block(KIND, &params, signature(), place);
}

/// A point in time and where it was written.
type Written<'a> = (Moment, &'a Node);

fn in_order(close: &Written<'_>, draw: &Written<'_>, window: Window, check: &mut Check<'_>) {
    let out = &mut check.out;
    if close.0.at <= window.opens || close.0.at > window.closes {
        out.error(
            codes::RAFFLE_TIMES,
            &close.1.place,
            "entries are taken while the campaign is open, and this is at another time",
        )
        .help("`entries_close` is after `opens`, and `closes` at the latest");
    }
    if draw.0.at < close.0.at {
        out.error(
            codes::RAFFLE_TIMES,
            &draw.1.place,
            "it is drawn while entries are still taken",
        )
        .related(&close.1.place, "entries close here")
        .help("draw when the entries close, or later");
    }
    if draw.0.at >= window.claim_until {
        out.error(
            codes::RAFFLE_TIMES,
            &draw.1.place,
            "it is drawn when all is over: nothing could be given any more",
        )
        .help("let claims go on longer (`claim_until`), or draw earlier");
    }
}

fn claims(
    (within, node): (i64, &Node),
    draw: &Written<'_>,
    alternates: u32,
    window: Window,
    check: &mut Check<'_>,
) {
    let out = &mut check.out;
    if !(HOUR_MS..=LONGEST_MS).contains(&within) {
        out.error(
            codes::RAFFLE_CLAIM,
            &node.place,
            "a winner has an hour to claim at least, and a year at most",
        );
        return;
    }
    let end = draw.0.at.saturating_add(within);
    if end > window.claim_until {
        out.error(
            codes::RAFFLE_CLAIM,
            &node.place,
            "winners are promised more time than there is: claims end before that",
        )
        .help("let claims go on longer (`claim_until`), or say less here");
    } else if alternates > 0 && end == window.claim_until {
        out.warn(
            codes::RAFFLE_ALTERNATES,
            &node.place,
            "claims end when the winners' time does: no alternate ever comes next",
        )
        .help("let claims go on longer (`claim_until`), so that alternates have their time, too");
    }
}

fn prizes(
    fields: &Fields<'_>,
    slices: &[Slice<'_>],
    claimed: bool,
    check: &mut Check<'_>,
) -> Vec<Prize> {
    let Some(items) = fields
        .get("prizes")
        .and_then(|node| node.list(&mut check.out))
    else {
        return Vec::new();
    };
    if let Some(node) = fields.get("prizes").filter(|_| items.is_empty()) {
        check
            .out
            .error(codes::NOTHING_GIVEN, &node.place, "there is nothing to win")
            .help("name a reward, and how many win it");
    }
    let mut found: Vec<Prize> = Vec::new();
    let elsewhere = check.tables.named.len();
    for item in items {
        let Some(prize) = item.fields(&PRIZE, &mut check.out) else {
            continue;
        };
        let winners = prize.get("winners").map_or(Some(1), |node| {
            node.int(1..=i64::from(MOST_PLACES), &mut check.out)
        });
        let Some((node, winners)) = prize.get("reward").zip(winners) else {
            continue;
        };
        let Some(reward) = check.promised(node) else {
            continue;
        };
        if found.iter().any(|known| known.reward == reward) {
            check
                .out
                .error(
                    codes::RAFFLE_PRIZE_TWICE,
                    &node.place,
                    "this prize stands here twice",
                )
                .help("write it once, with all its winners");
            continue;
        }
        let winners = winners as u32;
        in_stock(reward, winners, slices, &node.place, check);
        if !claimed {
            for_everybody(reward, &node.place, check);
        }
        let id = check
            .tables
            .reward_at(reward)
            .map_or_else(String::new, |reward| format!("raffle-{}", reward.id));
        let rule = check
            .tables
            .promise(&id, Vec::new(), Terms::Block, &node.place, &mut check.out);
        found.push(Prize {
            reward,
            rule,
            winners,
        });
    }
    // What is named here is not named elsewhere.
    check.tables.named.truncate(elsewhere);
    found
}

/// What is given when it is drawn is given while nobody is there who could be looked up.
fn for_everybody(reward: u16, place: &Place, check: &mut Check<'_>) {
    let found = check.tables.reward_at(reward);
    let Some(found) = found.filter(|found| found.not_for.is_some()) else {
        return;
    };
    let message = format!(
        "`{}` is not for everybody, and a prize that is given when it is drawn looks nobody up: whoever won it would never get it",
        found.id
    );
    check
        .out
        .error(codes::RAFFLE_NOT_FOR, place, message)
        .help("say how long a winner has to claim (`claim_within: 7 days`), or keep those it is not for from entering (`audience`)");
}

/// A prize must be there when it is claimed: enough units, and nobody else who takes them.
fn in_stock(reward: u16, winners: u32, slices: &[Slice<'_>], place: &Place, check: &mut Check<'_>) {
    let Some(stock) = check
        .tables
        .reward_at(reward)
        .and_then(|reward| reward.stock)
    else {
        return;
    };
    if stock < winners {
        check
            .out
            .error(
                codes::RAFFLE_STOCK,
                place,
                format!("{winners} can win this, and there are {stock}"),
            )
            .help("raise its `stock`, or let fewer win it");
    } else if slices.iter().any(|slice| slice.reward == reward) {
        check
            .out
            .error(
                codes::RAFFLE_STOCK,
                place,
                "the wheel gives this, too: its units may be gone when winners come for them",
            )
            .help("make it two rewards, each with its stock");
    }
}

/// Says of a prize that the campaign gives it elsewhere, too, where that may leave a winner without it: its units may be gone, or
/// the winner may have had it.
fn given_elsewhere(reward: u16, check: &mut Check<'_>) {
    let found = check.tables.rewards.get(usize::from(reward));
    let limited = |found: &Reward| {
        found.stock.is_some() || found.per_user.is_some() || found.within.is_some()
    };
    let Some(found) = found.filter(|found| limited(&found.what)) else {
        return;
    };
    let message = if found.what.stock.is_some() {
        format!(
            "`{}` is given without the raffle, too: its units may be gone when winners come for them",
            found.what.id
        )
    } else {
        format!(
            "`{}` is given without the raffle, too, and limited for each user: a winner may have had it",
            found.what.id
        )
    };
    let place = found.place.clone();
    check
        .out
        .error(codes::RAFFLE_STOCK, &place, message)
        .help("make it two rewards, each with its stock");
}

/// Looks whether the machine lets anybody enter and claim.
pub(crate) fn uses(machine: &Machine, window: Window, check: &mut Check<'_>) {
    let Some((at, params)) = check.tables.block(KIND).and_then(|(at, built)| {
        let params: Params = serde_json::from_str(&built.spec.params).ok()?;
        Some((at, params))
    }) else {
        return;
    };
    let states = machine.states.iter().flat_map(|state| &state.events);
    let all: Vec<&On> = states.chain(&machine.events).collect();
    let doing = |wanted: u16| {
        let does = move |action: &Action| matches!(action, Action::Block { block, action, .. } if *block == at && *action == wanted);
        let found = all.iter().filter(move |on| {
            on.transitions.iter().any(|transition| {
                let then = transition.then.iter().flat_map(|(_, then)| &then.actions);
                transition.actions.iter().chain(then).any(does)
            })
        });
        found.map(|on| on.event).collect::<Vec<_>>()
    };
    let prizes = params.prizes.iter().map(|prize| prize.reward);
    let shared: Vec<u16> = prizes
        .filter(|reward| check.tables.named.contains(reward))
        .collect();
    let (enter, claim) = (doing(ENTER), doing(CLAIM));
    for reward in shared {
        given_elsewhere(reward, check);
    }
    let place = check.root.key_place(KIND).clone();
    if enter.is_empty() {
        check
            .out
            .error(codes::RAFFLE_UNUSED, &place, "nobody can enter this raffle")
            .help("let an event do it: `enter: [{ do: [{ enter: raffle }] }]`");
        return;
    }
    if params.claim_within.is_none() {
        return;
    }
    if claim.is_empty() {
        check
            .out
            .error(codes::RAFFLE_UNUSED, &place, "nobody can claim a prize of this raffle")
            .help("let an event do it: `claim-prize: { while: [open, claiming], transitions: [{ do: [{ claim_prize: raffle }] }] }`");
        return;
    }
    let late = params
        .draw_at
        .saturating_add(params.claim_within.unwrap_or(0))
        > window.closes;
    let events = claim
        .iter()
        .filter_map(|event| check.tables.event_at(*event));
    if late && events.clone().all(|event| !event.while_claiming) {
        check
            .out
            .error(
                codes::RAFFLE_UNUSED,
                &place,
                "winners have time to claim after play, and no event takes a claim then",
            )
            .help("declare it with `while: [open, claiming]`");
    }
}
