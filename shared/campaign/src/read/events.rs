//! Events: who may send which, and what they carry. An event is declared in one place: under `events`, or where the
//! machine takes it, or under `earn`; one that is declared nowhere comes from users and carries nothing.

use std::collections::BTreeSet;

use machine::Type;
use machine::model::{Choice, EventDecl, Field, Hears, Sender};

use crate::check::Check;
use crate::codes;
use crate::document::{Entry, Fields, Key, Keys, Node, Shape};
use crate::read::context;
use crate::relays::Ear;
use crate::source::Place;
use crate::tables::Placed;

/// The most events of one campaign.
const MOST_EVENTS: usize = 200;

/// The most campaigns that one campaign listens to: each has its place in every record.
const MOST_SOURCES: usize = 16;

/// The most fields of one event.
const MOST_FIELDS: usize = 32;

/// The largest number a payload may carry unless said: far from the edge, so that sums of many can't fail.
const MOST_NUMBER: i64 = 1_000_000_000;

/// The longest text a payload may carry unless said, in characters.
const LONGEST_TEXT: u32 = 200;

pub(crate) const SENDERS: [(&str, Sender); 4] = [
    ("user", Sender::User),
    ("backend", Sender::Backend),
    ("timer", Sender::Timer),
    ("campaign", Sender::Campaign),
];

pub(crate) const SENDER_WORDS: [&str; 4] = ["user", "backend", "timer", "campaign"];

/// The senders that a word alone names: of a campaign it is to be said which.
const WORDS: [&str; 3] = ["user", "backend", "timer"];

pub(crate) const FROM: Key = Key::optional(
    "from",
    Shape::Either(&[SENDER, Shape::List(&SENDER)]),
    "Who may send it; `user` unless said.",
);

const SENDER: Shape = Shape::Either(&[Shape::OneOf(&WORDS), Shape::Keys(&TOLD)]);

/// The key, and the word of a story, for a sender that is a campaign.
const CAMPAIGN: &str = "campaign";

static TOLD: Keys = Keys {
    name: "sending campaign",
    doc: "Another campaign of the tenant, whose message this event is: `{ campaign: word-checkin }`.",
    keys: &[
        Key::required(
            CAMPAIGN,
            Shape::Either(&[Shape::Id, Shape::List(&Shape::Id)]),
            "Which campaign emits it, or which campaigns.",
        ),
        Key::optional(
            "message",
            Shape::Id,
            "The message's name there; the event's own unless said.",
        ),
    ],
};

pub(crate) const PAYLOAD: Key = Key::optional(
    "payload",
    Shape::MapOf(&FIELD_SHAPE),
    "What it carries, by field; nothing unless said.",
);

pub(crate) const WHILE: Key = Key::optional(
    "while",
    Shape::List(&Shape::OneOf(&["open", "claiming"])),
    "When it is taken: `[open]` unless said, `[open, claiming]` also after play until `claim_until`.",
);

/// The keys of an event under `events`.
pub(crate) static KEYS: Keys = Keys {
    name: "event",
    doc: "Who may send an event, and what it carries.",
    keys: &[FROM, PAYLOAD, WHILE],
};

static FIELD_SHAPE: Shape = Shape::Keys(&FIELD);

static FIELD: Keys = Keys {
    name: "payload field",
    doc: "A field of an event's payload.",
    keys: &[
        Key::required("type", Shape::OneOf(&context::TYPE_WORDS), "What it holds."),
        Key::optional(
            "default",
            Shape::Any,
            "What it is when it is not sent; without one it must be sent.",
        ),
        Key::optional(
            "at_least",
            Shape::Int(i64::MIN, i64::MAX),
            "The smallest number taken; 0 unless said.",
        ),
        Key::optional(
            "at_most",
            Shape::Int(i64::MIN, i64::MAX),
            "The largest number taken; a billion unless said.",
        ),
        Key::optional(
            "max_length",
            Shape::Int(1, 10_000),
            "The longest text taken, in characters; 200 unless said.",
        ),
    ],
};

/// Declares what stands under `events`.
pub(crate) fn read(check: &mut Check<'_>) {
    let Some(entries) = check
        .root
        .get("events")
        .and_then(|node| node.map(&mut check.out))
    else {
        return;
    };
    for entry in entries {
        let Some(event) = named(entry, check) else {
            continue;
        };
        if let Some(fields) = entry.value.fields(&KEYS, &mut check.out) {
            declare(event, entry, &fields, check);
        }
    }
}

/// The event with this name; a new one, from users and without a payload, if there is none yet.
pub(crate) fn named(entry: &Entry, check: &mut Check<'_>) -> Option<u16> {
    let name = entry.key.id("event", &mut check.out)?;
    if let Some(known) = check.tables.event(name) {
        return Some(known);
    }
    if check.tables.events.len() == MOST_EVENTS {
        check.out.error(
            codes::TOO_MANY,
            &entry.key.place,
            format!("a campaign has at most {MOST_EVENTS} events"),
        );
        return None;
    }
    check.tables.events.push(Placed {
        what: EventDecl::named(name),
        place: entry.key.place.clone(),
    });
    Some((check.tables.events.len() - 1) as u16)
}

/// Declares an event, unless that was done elsewhere.
pub(crate) fn declare(event: u16, entry: &Entry, fields: &Fields<'_>, check: &mut Check<'_>) {
    let (from, payload) = (
        fields
            .get("from")
            .map(|node| senders(node, entry.name(), check)),
        fields.get("payload"),
    );
    let (from, hears) = from.unwrap_or_else(|| (vec![Sender::User], Vec::new()));
    let payload = payload.map_or_else(Vec::new, |node| payload_fields(node, check));
    if from == [Sender::Timer] && !payload.is_empty() {
        check
            .out
            .error(
                codes::NOT_A_TIMER,
                &entry.key.place,
                "time itself brings no payload",
            )
            .help("leave `payload` out");
    }
    let while_claiming = fields
        .get("while")
        .is_some_and(|node| while_claiming(node, check));
    if let Some(first) = check.tables.declared.insert(event, entry.key.place.clone()) {
        check
            .out
            .error(codes::EVENT_TWICE, &entry.key.place, format!("event `{}` is declared in two places", entry.name()))
            .related(&first, "the other one")
            .help("say `from`, `payload` and `while` in one of them, and only list transitions in the other");
        return;
    }
    if let Some(known) = check.tables.events.get_mut(usize::from(event)) {
        known.what.while_claiming = while_claiming;
    }
    declare_as(event, &entry.key.place, from, hears, payload, check);
}

/// Declares an event that is declared nowhere else.
pub(super) fn declare_as(
    event: u16,
    place: &Place,
    from: Vec<Sender>,
    hears: Vec<Placed<Hears>>,
    payload: Vec<Field>,
    check: &mut Check<'_>,
) {
    check.tables.declared.insert(event, place.clone());
    if let Some(known) = check.tables.events.get_mut(usize::from(event)) {
        known.what.from = from;
        known.what.hears = hears.iter().map(|hears| hears.what.clone()).collect();
        known.what.payload = payload;
    }
    for hears in hears {
        listens(event, hears, check);
    }
}

/// Who may send an event, and which campaigns' messages it is.
pub(super) fn senders(
    node: &Node,
    event: &str,
    check: &mut Check<'_>,
) -> (Vec<Sender>, Vec<Placed<Hears>>) {
    let (mut found, mut hears) = (Vec::new(), Vec::new());
    for item in node.one_or_list() {
        let sender = if item.is_map() {
            hears.extend(told(item, event, check));
            Some(Sender::Campaign)
        } else if item.scalar() == Some(CAMPAIGN) {
            check
                .out
                .error(
                    codes::WHICH_CAMPAIGN,
                    &item.place,
                    "it is not said which campaign this comes from",
                )
                .help(format!(
                    "name it: `from: {{ campaign: some-campaign }}`; it is then that campaign's message `{event}`, or the one \
                     that `message` names"
                ));
            None
        } else {
            let word = item.one_of(&SENDER_WORDS, &mut check.out);
            let known = SENDERS.iter().find(|(known, _)| Some(*known) == word);
            known.map(|(_, sender)| *sender)
        };
        found.extend(sender.filter(|sender| !found.contains(sender)));
    }
    if node.one_or_list().is_empty() {
        check
            .out
            .error(codes::EMPTY, &node.place, "nobody may send this event")
            .help("name one of user, backend, timer, or a campaign: `{ campaign: some-campaign }`");
    }
    (found, hears)
}

/// The messages that a sender of the form `{ campaign: .., message: .. }` names.
fn told(node: &Node, event: &str, check: &mut Check<'_>) -> Vec<Placed<Hears>> {
    let Some(fields) = node.fields(&TOLD, &mut check.out) else {
        return Vec::new();
    };
    let message = match fields.get("message") {
        Some(node) => node.id("message", &mut check.out),
        None => Some(event),
    };
    let (Some(message), Some(named)) = (message, fields.get(CAMPAIGN)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in named.one_or_list() {
        let Some(campaign) = item.id("campaign", &mut check.out) else {
            continue;
        };
        if campaign == check.input.campaign {
            check
                .out
                .error(
                    codes::RELAY_CIRCLE,
                    &item.place,
                    "a campaign can't listen to itself",
                )
                .help("do it where the message is emitted, or in a state that this leads to (`always`, `entry`)");
            continue;
        }
        found.push(Placed {
            what: Hears {
                campaign: campaign.into(),
                message: message.into(),
            },
            place: item.place.clone(),
        });
    }
    if named.one_or_list().is_empty() {
        check
            .out
            .error(codes::EMPTY, &named.place, "no campaign is named")
            .help("name the campaign that emits the message");
    }
    found
}

/// Notes that an event listens for a message. That one has one effect, so it is one event.
fn listens(event: u16, hears: Placed<Hears>, check: &mut Check<'_>) {
    let known = &mut check.tables.ears;
    if let Some(other) = known.iter().find(|other| other.what.hears == hears.what) {
        let Hears { campaign, message } = &hears.what;
        check
            .out
            .error(
                codes::HEARD_TWICE,
                &hears.place,
                format!("the message `{message}` of `{campaign}` is listened for in two places"),
            )
            .related(&other.place, "the other one")
            .help("let one event take it, and do there all that it is to do");
        return;
    }
    let sources = known.iter().map(|ear| &ear.what.hears.campaign);
    let sources: BTreeSet<_> = sources.chain([&hears.what.campaign]).collect();
    if sources.len() > MOST_SOURCES {
        let message = format!("a campaign listens to at most {MOST_SOURCES} others");
        check.out.error(codes::TOO_MANY, &hears.place, message);
        return;
    }
    known.push(Placed {
        what: Ear {
            event,
            hears: hears.what,
        },
        place: hears.place,
    });
}

/// The field in which an event says what is chosen: made, where it does not declare one of this name. Its place among the
/// event's fields; nothing where the one that is declared can't hold a choice.
pub(crate) fn chosen_in(
    event: u16,
    name: &str,
    choice: Choice,
    place: &Place,
    check: &mut Check<'_>,
) -> Option<u16> {
    let ty = if choice.how_many == 1 {
        Type::Str
    } else {
        Type::Strs
    };
    let known = check.tables.events.get_mut(usize::from(event))?;
    let fields = &mut known.what.payload;
    let at = fields.iter().position(|field| field.name == name);
    let at = at.unwrap_or_else(|| {
        fields.push(Field {
            name: name.to_owned(),
            ty,
            default: None,
            at_least: i64::MIN,
            at_most: i64::MAX,
            max_length: LONGEST_TEXT,
            choice: None,
        });
        fields.len() - 1
    });
    let field = fields.get_mut(at)?;
    if field.ty != ty || field.default.is_some() {
        let event = &known.what.name;
        check
            .out
            .error(
                codes::CHOICE_FIELD,
                place,
                format!("`{name}` of the event `{event}` says what is chosen, and is declared as something else"),
            )
            .help(format!("leave `{name}` out of the event's `payload`: it is added by itself"));
        return None;
    }
    field.choice = Some(choice);
    Some(at as u16)
}

fn while_claiming(node: &Node, check: &mut Check<'_>) -> bool {
    let words: Vec<_> = node
        .one_or_list()
        .iter()
        .filter_map(|item| item.one_of(&["open", "claiming"], &mut check.out))
        .collect();
    if !words.is_empty() && !words.contains(&"open") {
        check
            .out
            .error(
                codes::NOT_ONE_OF,
                &node.place,
                "an event is always taken while the campaign is open",
            )
            .help("write `while: [open, claiming]`");
    }
    words.contains(&"claiming")
}

fn payload_fields(node: &Node, check: &mut Check<'_>) -> Vec<Field> {
    let Some(entries) = node.map(&mut check.out) else {
        return Vec::new();
    };
    if entries.len() > MOST_FIELDS {
        check.out.error(
            codes::TOO_MANY,
            &node.place,
            format!("an event carries at most {MOST_FIELDS} fields"),
        );
    }
    entries
        .iter()
        .take(MOST_FIELDS)
        .filter_map(|entry| field(entry, check))
        .collect()
}

fn field(entry: &Entry, check: &mut Check<'_>) -> Option<Field> {
    context::readable(entry.name(), &entry.key.place, &mut check.out);
    let fields = entry.value.fields(&FIELD, &mut check.out)?;
    let ty = fields
        .get("type")
        .and_then(|node| context::ty(node, &mut check.out))?;
    for (key, only) in [
        ("at_least", Type::Int),
        ("at_most", Type::Int),
        ("max_length", Type::Str),
    ] {
        if ty != only
            && let Some(node) = fields.get(key)
        {
            check.out.error(
                codes::UNKNOWN_KEY,
                &node.place,
                format!("`{key}` is for fields of type {only}, this one is of type {ty}"),
            );
        }
    }
    let out = &mut check.out;
    let mut bound = |key: &str| {
        fields
            .get(key)
            .and_then(|node| node.int(i64::MIN..=i64::MAX, out))
    };
    let at_least = bound("at_least").unwrap_or(0);
    let at_most = bound("at_most").unwrap_or_else(|| MOST_NUMBER.max(at_least));
    if at_least > at_most {
        let node = fields
            .get("at_least")
            .or(fields.get("at_most"))
            .unwrap_or(&entry.value);
        out.error(
            codes::NEVER_REACHED,
            &node.place,
            format!("no number is at least {at_least} and at most {at_most}"),
        );
    }
    let max_length = fields
        .get("max_length")
        .and_then(|node| node.int(1..=10_000, out));
    let default = match fields.get("default") {
        Some(node) => Some(context::constant(node, ty, &check.tables.calendar, out)?),
        None => None,
    };
    Some(Field {
        name: entry.name().to_owned(),
        ty,
        default,
        at_least,
        at_most,
        max_length: max_length.map_or(LONGEST_TEXT, |most| most as u32),
        choice: None,
    })
}
