//! What a draw looks like: `look`.

use std::collections::{BTreeMap, BTreeSet};

use blocks::wheel::Params;
use blocks::wheel::picture::{Cell, Kind, Picture};

use crate::check::Check;
use crate::codes;
use crate::document::{Fields, Key, Keys, Node, Shape, short};

const KINDS: [(&str, Kind); 4] = [
    ("wheel", Kind::Wheel),
    ("scratch-card", Kind::ScratchCard),
    ("egg", Kind::Egg),
    ("nine-grid", Kind::NineGrid),
];

const WORDS: [&str; 4] = ["wheel", "scratch-card", "egg", "nine-grid"];

/// A nine-grid is a square of three by three with a button in its middle.
const CELLS: usize = 8;

/// The most segments of a wheel, and the most eggs.
const MOST_SEGMENTS: usize = 60;
const MOST_EGGS: i64 = 100;

/// The keys of `look`.
pub(crate) static KEYS: Keys = Keys {
    name: "look",
    doc: "What a draw looks like: data for whoever draws the page. No draw depends on it.",
    keys: &[
        Key::required("kind", Shape::OneOf(&WORDS), "The picture."),
        Key::optional(
            "segments",
            CELL_LIST,
            "A wheel's segments, clockwise from the top; one for each reward unless said.",
        ),
        Key::optional(
            "cells",
            CELL_LIST,
            "A nine-grid's eight cells, clockwise from the top left.",
        ),
        Key::optional(
            "eggs",
            Shape::Int(1, MOST_EGGS),
            "How many eggs there are to choose from; three unless said.",
        ),
        Key::optional("images", Shape::Keys(&IMAGES), "The addresses of pictures."),
    ],
};

/// The shape of `look`: the picture's kind alone, or a map.
pub(crate) const SHAPE: Shape = Shape::Either(&[Shape::OneOf(&WORDS), Shape::Keys(&KEYS)]);

const CELL_LIST: Shape = Shape::List(&Shape::Either(&[Shape::Id, Shape::Keys(&CELL)]));

static CELL: Keys = Keys {
    name: "cell",
    doc: "A segment or cell: which reward it shows, and its colour.",
    keys: &[
        Key::required("reward", Shape::Id, "The reward."),
        Key::optional("color", Shape::String, "Its colour: `#e60012`."),
    ],
};

static IMAGES: Keys = Keys {
    name: "images of a look",
    doc: "The addresses of pictures: `https://..`, or a path of the page's own.",
    keys: &[
        Key::optional("background", Shape::String, "Behind all of it."),
        Key::optional("button", Shape::String, "What is pressed."),
        Key::optional(
            "cover",
            Shape::String,
            "What is scratched off; a whole egg.",
        ),
        Key::optional("opened", Shape::String, "What is under it; a broken egg."),
    ],
};

pub(super) fn read(params: &Params, check: &mut Check<'_>) -> Option<Picture> {
    let node = check.root.get("look")?;
    if !node.is_map() {
        let kind = kind(node, check)?;
        return finish(kind, Vec::new(), None, BTreeMap::new(), node, params, check);
    }
    let fields = node.fields(&KEYS, &mut check.out)?;
    let kind = kind(fields.get("kind")?, check)?;
    fitting(kind, &fields, check);
    let listed = match kind {
        Kind::Wheel => fields.get("segments"),
        Kind::NineGrid => fields.get("cells"),
        Kind::Egg | Kind::ScratchCard => None,
    };
    let cells = listed.map(|node| cells(node, check)).unwrap_or_default();
    let eggs = fields
        .get("eggs")
        .and_then(|node| node.int(1..=MOST_EGGS, &mut check.out));
    let images = fields
        .get("images")
        .map(|node| images(node, check))
        .unwrap_or_default();
    let place = listed.unwrap_or(node);
    finish(kind, cells, eggs, images, place, params, check)
}

fn kind(node: &Node, check: &mut Check<'_>) -> Option<Kind> {
    let word = node.one_of(&WORDS, &mut check.out)?;
    let found = KINDS.iter().find(|(known, _)| *known == word);
    found.map(|(_, kind)| *kind)
}

/// Reports keys that belong to another picture.
fn fitting(kind: Kind, fields: &Fields<'_>, check: &mut Check<'_>) {
    let owners = [
        ("segments", Kind::Wheel, "a wheel"),
        ("cells", Kind::NineGrid, "a nine-grid"),
        ("eggs", Kind::Egg, "eggs"),
    ];
    for (key, owner, what) in owners {
        if fields.has(key) && kind != owner {
            check
                .out
                .error(
                    codes::LOOK_CELLS,
                    fields.key_place(key),
                    format!("`{key}` belongs to {what}, and this is another picture"),
                )
                .help("leave it out, or change `kind`");
        }
    }
}

fn cells(node: &Node, check: &mut Check<'_>) -> Vec<Cell> {
    let items = node.list(&mut check.out).unwrap_or(&[]);
    items.iter().filter_map(|item| cell(item, check)).collect()
}

fn cell(node: &Node, check: &mut Check<'_>) -> Option<Cell> {
    if !node.is_map() {
        let reward = check.reward_named(node)?;
        return Some(Cell {
            reward,
            color: None,
        });
    }
    let fields = node.fields(&CELL, &mut check.out)?;
    let reward = check.reward_named(fields.get("reward")?)?;
    let color = fields.get("color").and_then(|node| color(node, check));
    Some(Cell { reward, color })
}

fn color(node: &Node, check: &mut Check<'_>) -> Option<String> {
    let text = node.string(&mut check.out)?;
    let digits = text.strip_prefix('#').unwrap_or("");
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(text.to_ascii_lowercase());
    }
    check
        .out
        .error(
            codes::WRONG_SHAPE,
            &node.place,
            format!("`{}` is no colour", short(text)),
        )
        .help("write it as `\"#e60012\"`, in quotes: what follows a bare `#` is a comment");
    None
}

fn images(node: &Node, check: &mut Check<'_>) -> BTreeMap<String, String> {
    let Some(fields) = node.fields(&IMAGES, &mut check.out) else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for entry in fields.entries() {
        if let Some(address) = entry.value.string(&mut check.out) {
            found.insert(entry.name().to_owned(), address.to_owned());
        }
    }
    found
}

/// Fills what is not said, and makes sure that whatever a draw ends in can be shown.
fn finish(
    kind: Kind,
    mut cells: Vec<Cell>,
    eggs: Option<i64>,
    images: BTreeMap<String, String>,
    place: &Node,
    params: &Params,
    check: &mut Check<'_>,
) -> Option<Picture> {
    let ends = ends(params, check);
    if kind == Kind::Wheel && cells.is_empty() {
        let all = ends.iter().map(|reward| Cell {
            reward: *reward,
            color: None,
        });
        cells = all.collect();
    }
    let place = &place.place;
    if kind == Kind::NineGrid && cells.len() != CELLS {
        check
            .out
            .error(
                codes::LOOK_CELLS,
                place,
                format!(
                    "a nine-grid has {CELLS} cells around its button, this one has {}",
                    cells.len()
                ),
            )
            .help("name a reward for each: `cells: [coupon, nothing, ..]`; one may have several");
        return None;
    }
    if cells.len() > MOST_SEGMENTS {
        let message = format!("a wheel has at most {MOST_SEGMENTS} segments");
        check.out.error(codes::TOO_MANY, place, message);
    }
    if matches!(kind, Kind::Wheel | Kind::NineGrid) {
        for reward in ends {
            if cells.iter().any(|cell| cell.reward == reward) {
                continue;
            }
            let id = check.tables.reward_at(reward).map(|reward| &*reward.id);
            let message = format!(
                "a draw may end in `{}`, and nothing here shows it",
                id.unwrap_or_default()
            );
            check
                .out
                .error(codes::LOOK_CELLS, place, message)
                .help("give it a place of its own: clients have to stop somewhere");
        }
    }
    Some(Picture {
        kind,
        cells,
        eggs: (kind == Kind::Egg).then(|| eggs.unwrap_or(3) as u32),
        images,
    })
}

/// Every reward that a draw may end in: those with odds, pity's, and what stands in for any of them.
fn ends(params: &Params, check: &Check<'_>) -> BTreeSet<u16> {
    let mut found: BTreeSet<u16> = params.names.iter().map(|(place, _)| *place).collect();
    let budget = check.root.get("budget");
    let spent = budget.and_then(|budget| budget.get("when_spent")?.scalar());
    found.extend(spent.and_then(|id| check.tables.reward(id)));
    loop {
        let next = |place: &u16| check.tables.reward_at(*place)?.when_gone;
        let more: Vec<u16> = found.iter().filter_map(next).collect();
        let before = found.len();
        found.extend(more);
        if found.len() == before {
            return found;
        }
    }
}
