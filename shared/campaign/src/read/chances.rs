//! Spendable entries: the block `chances`.

use blocks::chances::{KIND, Params, signature};

use crate::check::Check;
use crate::codes;
use crate::document::{Key, Keys, Shape};

/// More than anybody draws.
const MOST: i64 = 1_000_000;

/// The keys of `chances`.
pub(crate) static KEYS: Keys = Keys {
    name: "chances",
    doc: "Spendable entries. The balance is called `chances`.",
    keys: &[
        Key::optional(
            "first_visit",
            Shape::Int(0, MOST),
            "How many on the first visit.",
        ),
        Key::optional(
            "each_day",
            Shape::Int(0, MOST),
            "How many each calendar day, the first one included.",
        ),
        Key::optional(
            "unused",
            Shape::OneOf(&["keep", "lost"]),
            "What becomes of those left at the end of a day; `keep` unless said.",
        ),
        Key::optional(
            "hold_at_most",
            Shape::Int(1, MOST),
            "The most that one participant holds; further ones are lost.",
        ),
    ],
};

pub(crate) fn read(check: &mut Check<'_>) {
    let Some(fields) = check
        .root
        .get("chances")
        .and_then(|node| node.fields(&KEYS, &mut check.out))
    else {
        return;
    };
    let out = &mut check.out;
    let mut int =
        |key: &str, least: i64| fields.get(key).and_then(|node| node.int(least..=MOST, out));
    let (first_visit, each_day) = (
        int("first_visit", 0).unwrap_or(0),
        int("each_day", 0).unwrap_or(0),
    );
    let hold_at_most = int("hold_at_most", 1);
    let lost = fields
        .get("unused")
        .and_then(|node| node.one_of(&["keep", "lost"], out))
        == Some("lost");
    if let Some((most, node)) = hold_at_most.zip(fields.get("hold_at_most"))
        && most < first_visit.max(each_day)
    {
        out.error(
            codes::NEVER_REACHED,
            &node.place,
            format!(
                "nobody can hold the {} chances that are given at once",
                first_visit.max(each_day)
            ),
        )
        .help("raise `hold_at_most`");
    }
    let params = Params {
        first_visit,
        each_day,
        lost,
    };
    check.add_block(
        KIND,
        &params,
        signature(hold_at_most.unwrap_or(i64::MAX)),
        check.root.key_place(KIND),
    );
}
