//! Codes that users hand in: the block `redeem`, the fact that says what a code is, and what every state takes for them. Which codes
//! there are is the store's to know ([`machine::redeem`]); here is only read where they stand.

use std::sync::Arc;

use blocks::redeem::{
    KIND, Kind, LIMIT, MISTYPED, MOST_PER_USER, Params, UNKNOWN, USED, signature, vars,
};
use machine::model::{Action, Budget, FactDecl, FactKind, Field, On, Transition};
use machine::redeem::{CodeKind, CodesFrom, FIELD, RedeemFact, Tries, word};
use machine::{Type, Value};

use self::worst::Worst;
use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Fields, Key, Keys, Kind as NodeKind, Node, Shape};
use crate::read::give::promises;
use crate::read::{earn, events};

mod worst;

/// The event with which codes come, unless another is named.
const EVENT: &str = "redeem";

/// The most kinds of codes: each has its variable in every record.
const MOST_KINDS: usize = 24;

/// The most often that a code may be used.
const MOST_USES: i64 = 1_000_000_000;

/// How many codes of a list one user may use unless said.
const OF_A_LIST: u32 = 100;

/// The longest text that is taken for a code, in characters: with all the spaces and dashes that people put in.
const LONGEST: u32 = 200;

/// Wrong codes that are borne unless said.
const TRIES: Tries = Tries {
    per_user: 10,
    in_all: 100_000,
    per_secs: 3600,
};

const MAKERS: [&str; 2] = ["gala", "others"];

const SPANS: [(&str, u32); 3] = [("minute", 60), ("hour", 3600), ("day", 86_400)];

const SPAN_WORDS: [&str; 3] = ["minute", "hour", "day"];

const GIVES: Shape = Shape::Either(&[Shape::Id, Shape::List(&Shape::Id)]);

/// The keys of `redeem`.
pub(crate) static KEYS: Keys = Keys {
    name: "redeem",
    doc: "Codes that users type in, and what they give.",
    keys: &[
        Key::required(
            "codes",
            Shape::MapOf(&Shape::Keys(&CODES)),
            "The kinds of codes, by id; a code is of the first that has it.",
        ),
        Key::optional(
            "event",
            Shape::Id,
            "The event with which a code comes, in its field `code`; `redeem` unless said.",
        ),
        Key::optional(
            "made_by",
            Shape::OneOf(&MAKERS),
            "`gala`: all codes on the lists were made by `gala codes make`, so that a slip is told from a guess; `others`, unless said.",
        ),
        Key::optional(
            "per_user",
            Shape::Int(1, MOST_PER_USER as i64),
            "How many codes one user may use in all; as the kinds say unless said.",
        ),
        Key::optional(
            "tries",
            Shape::Keys(&WRONG),
            "How many wrong codes are borne.",
        ),
    ],
};

static CODES: Keys = Keys {
    name: "kind of codes",
    doc: "Codes that give the same: those on a list, or one word.",
    keys: &[
        Key::optional(
            "list",
            Shape::Id,
            "The tenant's list that they stand on: put there with `gala codes accept`, or a file of the folder.",
        ),
        Key::optional(
            "word",
            Shape::String,
            "The one code that everybody is told: `WELCOME2026`.",
        ),
        Key::optional(
            "uses",
            Shape::Int(1, MOST_USES),
            "How often each code may be used, by all users together; once on a list, without end a word, unless said.",
        ),
        Key::optional(
            "per_user",
            Shape::Int(1, MOST_PER_USER as i64),
            "How many of them one user may use; one where a code may be used more than once, else 100, unless said.",
        ),
        Key::optional(
            "gives",
            GIVES,
            "The rewards that one gives: all of them, or the code stays unused.",
        ),
        Key::optional(
            "earns",
            Shape::MapOf(&Shape::Int(1, MOST_USES)),
            "The balances that one earns, and how much: `{ chances: 1 }`.",
        ),
    ],
};

static WRONG: Keys = Keys {
    name: "tries",
    doc: "How many wrong codes are borne: so many at once, and then one more each time that their number goes into the span.",
    keys: &[
        Key::optional(
            "per_user",
            Shape::Int(1, 1000),
            "Of one user; 10 unless said.",
        ),
        Key::optional(
            "in_all",
            Shape::Int(1, 10_000_000),
            "Of all users of the campaign together; 100000 unless said.",
        ),
        Key::optional(
            "per",
            Shape::OneOf(&SPAN_WORDS),
            "Within what; an hour unless said.",
        ),
    ],
};

/// Reads `redeem` into its fact, its block and what every state takes for it.
pub(crate) fn read(budget: Option<&Budget>, check: &mut Check<'_>) -> Vec<On> {
    let root = check.root;
    let Some(fields) = root
        .get("redeem")
        .and_then(|node| node.fields(&KEYS, &mut check.out))
    else {
        return Vec::new();
    };
    let place = root.key_place("redeem");
    let event = event(&fields, check);
    let made_by = fields.get("made_by");
    let made_by = made_by.and_then(|node| node.one_of(&MAKERS, &mut check.out));
    let per_user = most(&fields, check);
    let tries = fields.get("tries").map_or(TRIES, |node| tries(node, check));
    let entries = fields
        .get("codes")
        .and_then(|node| node.map(&mut check.out))
        .unwrap_or(&[]);
    if entries.is_empty() || entries.len() > MOST_KINDS {
        let message =
            format!("a campaign takes 1 to {MOST_KINDS} kinds of codes, or has no `redeem`");
        check.out.error(codes::TOO_MANY, place, message);
        return Vec::new();
    }
    let mut kinds: Vec<(Kind, CodeKind)> = Vec::new();
    for entry in entries {
        let known: Vec<&CodeKind> = kinds.iter().map(|(_, from)| from).collect();
        let found = one(entry, &known, per_user, check);
        kinds.extend(found);
    }
    check.tables.codes = entries
        .iter()
        .map(|entry| entry.name().to_owned())
        .collect();
    // What could not be read is reported already.
    let Some(event) = event.filter(|_| kinds.len() == entries.len()) else {
        return Vec::new();
    };
    let (kinds, from): (Vec<Kind>, Vec<CodeKind>) = kinds.into_iter().unzip();
    let fact = check.tables.facts.len() as u16;
    let Some(name) = check.tables.event_at(event).map(|event| event.name.clone()) else {
        return Vec::new();
    };
    check.tables.facts.push(FactDecl {
        what: FactKind::Redeem(RedeemFact {
            event: name,
            checked: made_by == Some("gala"),
            kinds: from,
            tries,
        }),
        when_unknown: Value::Bool(false),
    });
    check.tables.redeem = Some((fact, event));
    let params = Params {
        fact,
        event,
        per_user,
        kinds,
    };
    for (kind, entry) in params.kinds.iter().zip(entries) {
        Worst::of(kind, entry, check).report(budget, check);
    }
    let mut signature = signature();
    signature.vars = vars(&params);
    check.add_block(KIND, &params, signature, place);
    taken(event, fact, entries, check)
}

/// What every state takes, unless the machine takes the event itself.
fn taken(event: u16, fact: u16, entries: &[Entry], check: &mut Check<'_>) -> Vec<On> {
    let block = (check.tables.blocks.len() - 1) as u16;
    check.tables.used_blocks.insert(block);
    check.tables.taken.insert(event);
    check.tables.event_asks(event, fact);
    if let Some(first) = entries.first() {
        for code in [UNKNOWN, MISTYPED, USED, LIMIT] {
            check.rejects(code, &first.key.place);
        }
    }
    let redeem = Transition {
        actions: vec![Action::Block {
            block,
            action: 0,
            args: Vec::new(),
        }],
        ..Transition::default()
    };
    vec![On {
        event,
        transitions: vec![redeem],
    }]
}

/// The event, with the field that the code comes in.
fn event(fields: &Fields<'_>, check: &mut Check<'_>) -> Option<u16> {
    let key = match fields.get("event") {
        Some(node) => node.clone(),
        None => Node {
            place: check.root.key_place("redeem").clone(),
            kind: NodeKind::Scalar {
                text: EVENT.to_owned(),
                quoted: false,
            },
        },
    };
    let named = Entry {
        key,
        value: fields.node.clone(),
    };
    let event = events::named(&named, check)?;
    let known = check.tables.events.get_mut(usize::from(event))?;
    let payload = &mut known.what.payload;
    match payload.iter_mut().find(|field| field.name == FIELD) {
        Some(field) if field.ty == Type::Str && field.default.is_none() => {
            field.max_length = LONGEST;
        }
        Some(_) => {
            let name = known.what.name.clone();
            check
                .out
                .error(
                    codes::CODE_FIELD,
                    &named.key.place,
                    format!("`{FIELD}` of the event `{name}` is the code, and is declared as something else"),
                )
                .help(format!("leave `{FIELD}` out of the event's `payload`: it is added by itself"));
            return None;
        }
        None => payload.push(Field {
            name: FIELD.to_owned(),
            ty: Type::Str,
            default: None,
            at_least: i64::MIN,
            at_most: i64::MAX,
            max_length: LONGEST,
            choice: None,
        }),
    }
    Some(event)
}

fn most(fields: &Fields<'_>, check: &mut Check<'_>) -> Option<u32> {
    let node = fields.get("per_user")?;
    let most = node.int(1..=i64::from(MOST_PER_USER), &mut check.out)?;
    u32::try_from(most).ok()
}

fn tries(node: &Node, check: &mut Check<'_>) -> Tries {
    let mut tries = TRIES;
    let Some(fields) = node.fields(&WRONG, &mut check.out) else {
        return tries;
    };
    let mut figure = |key: &str, most: i64| {
        let found = fields.get(key)?.int(1..=most, &mut check.out)?;
        u32::try_from(found).ok()
    };
    if let Some(per_user) = figure("per_user", 1000) {
        tries.per_user = per_user;
    }
    if let Some(in_all) = figure("in_all", 10_000_000) {
        tries.in_all = in_all;
    }
    let span = fields.get("per");
    let span = span.and_then(|node| node.one_of(&SPAN_WORDS, &mut check.out));
    if let Some((_, secs)) = SPANS.iter().find(|(word, _)| Some(*word) == span) {
        tries.per_secs = *secs;
    }
    if tries.in_all < tries.per_user {
        let place = fields.get("in_all").map_or(&node.place, |node| &node.place);
        let message = format!(
            "one user may be wrong {} times, and all of them together {}",
            tries.per_user, tries.in_all
        );
        check
            .out
            .error(codes::CODE_LIMIT, place, message)
            .help("raise `in_all`, or leave it out: one user would lock out all others");
    }
    tries
}

/// One kind.
fn one(
    entry: &Entry,
    known: &[&CodeKind],
    in_all: Option<u32>,
    check: &mut Check<'_>,
) -> Option<(Kind, CodeKind)> {
    let id: Arc<str> = entry.key.id("kind of codes", &mut check.out)?.into();
    let fields = entry.value.fields(&CODES, &mut check.out)?;
    let from = from(entry, &fields, known, check);
    let said = fields.get("uses");
    let said = said.and_then(|node| node.int(1..=MOST_USES, &mut check.out));
    let said = said.and_then(|uses| u32::try_from(uses).ok());
    let uses = said.or(fields.has("list").then_some(1));
    let often = uses.is_none_or(|uses| uses > 1);
    let per_user = most(&fields, check);
    if fields.has("list")
        && often
        && let Some(most) = per_user.filter(|most| *most > 1)
        && let Some(node) = fields.get("per_user")
    {
        let message = format!(
            "each code may be used by many, and one user may use {most} of them: one code {most} times over, too"
        );
        check
            .out
            .error(codes::CODE_LIMIT, &node.place, message)
            .help("write `per_user: 1`, or leave it out; or let each code be used once");
    }
    if let (Some(most), Some(in_all), Some(node)) = (per_user, in_all, fields.get("per_user"))
        && most > in_all
    {
        let message = format!("one user may use {most} of these, and {in_all} codes in all");
        check
            .out
            .error(codes::CODE_LIMIT, &node.place, message)
            .help("lower it, or raise the `per_user` of `redeem`");
    }
    let per_user = per_user.unwrap_or(if often { 1 } else { OF_A_LIST });
    let earns = earns(&fields, check);
    let gives = fields
        .get("gives")
        .map(|node| promises(&format!("code-{id}"), node, check))
        .unwrap_or_default();
    if !fields.has("earns") && !fields.has("gives") {
        check
            .out
            .error(
                codes::EARNS_NOTHING,
                &entry.key.place,
                format!("the codes `{id}` give nothing"),
            )
            .help("say what one gives (`gives: coupon`) or earns (`earns: { chances: 1 }`)");
    }
    let kind = Kind {
        id: id.clone(),
        uses,
        per_user,
        earns,
        gives,
    };
    Some((kind, CodeKind { id, from: from? }))
}

/// Where the codes of a kind stand.
fn from(
    entry: &Entry,
    fields: &Fields<'_>,
    known: &[&CodeKind],
    check: &mut Check<'_>,
) -> Option<CodesFrom> {
    let (node, from) = match (fields.get("list"), fields.get("word")) {
        (Some(node), None) => {
            let list = node.id("list", &mut check.out)?;
            (node, CodesFrom::List(list.into()))
        }
        (None, Some(node)) => {
            let text = node.string(&mut check.out)?;
            let input = check.input;
            let Some(hash) = word(&input.tenant.id, input.campaign, text) else {
                check
                    .out
                    .error(
                        codes::CODE_WORD,
                        &node.place,
                        "nobody can type this as a code: it has 1 to 64 letters and digits, and no signs but spaces and dashes",
                    )
                    .help("write a word such as `WELCOME2026`");
                return None;
            };
            (node, CodesFrom::Word(hash.into()))
        }
        (None, None) => {
            check
                .out
                .error(
                    codes::CODE_SOURCE,
                    &entry.key.place,
                    format!("it is not said which codes `{}` are", entry.name()),
                )
                .help("name the list that they stand on (`list: spring-codes`), or the one word that everybody is told (`word: WELCOME2026`)");
            return None;
        }
        (Some(_), Some(node)) => {
            check
                .out
                .error(
                    codes::CODE_SOURCE,
                    &node.place,
                    "these codes stand on a list, or are one word, not both",
                )
                .help("make two kinds of them");
            return None;
        }
    };
    if let Some(other) = known.iter().find(|other| other.from == from) {
        check
            .out
            .error(
                codes::CODE_TWICE,
                &node.place,
                format!("these are the codes of `{}`", other.id),
            )
            .help("a code is of one kind: leave one of the two out, or name other codes");
    }
    Some(from)
}

fn earns(fields: &Fields<'_>, check: &mut Check<'_>) -> Vec<(u16, i64)> {
    let Some(node) = fields.get("earns") else {
        return Vec::new();
    };
    let entries = node.map(&mut check.out).unwrap_or(&[]);
    let mut found = Vec::new();
    for entry in entries {
        found.extend(earn::amount(entry, check));
    }
    if node.is_map() && entries.is_empty() {
        check
            .out
            .error(
                codes::EARNS_NOTHING,
                &node.place,
                "these codes earn nothing",
            )
            .help("say what one earns: `earns: { chances: 1 }`");
    }
    found
}
