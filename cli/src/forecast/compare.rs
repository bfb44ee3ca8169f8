//! Two forecasts with the same people side by side.

use super::Named;
use super::figures::{Section, sections};
use super::table::{head, section};

/// Two forecasts as text.
pub fn compare(one: &Named, other: &Named) -> String {
    let mut text = String::new();
    for named in [one, other] {
        text.push_str(&named.name);
        text.push_str(": ");
        text.push_str(&head(&named.forecast));
    }
    text.push('\n');
    for part in side_by_side(one, other) {
        section(&mut text, &part);
    }
    text
}

/// The sections of both: a row for each figure, one column each, and a mark where they differ.
pub fn side_by_side(one: &Named, other: &Named) -> Vec<Section> {
    let (left, right) = (sections(&one.forecast), sections(&other.forecast));
    let only_right = right
        .iter()
        .filter(|part| !left.iter().any(|known| known.title == part.title));
    let parts = left.iter().chain(only_right);
    parts
        .map(|part| {
            let of = |all: &'_ [Section]| -> Vec<(String, String)> {
                all.iter()
                    .filter(|known| known.title == part.title)
                    .flat_map(figures)
                    .collect()
            };
            let (mine, theirs) = (of(&left), of(&right));
            let added = theirs
                .iter()
                .filter(|(name, _)| !mine.iter().any(|(known, _)| known == name));
            let names = mine.iter().chain(added).map(|(name, _)| name);
            let value = |all: &[(String, String)], name: &String| {
                let found = all.iter().find(|(known, _)| known == name);
                found.map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
            };
            let rows = names.map(|name| {
                let (mine, theirs) = (value(&mine, name), value(&theirs, name));
                let mark = if mine == theirs { "" } else { "*" };
                vec![name.clone(), mine, theirs, mark.to_owned()]
            });
            Section {
                title: part.title.clone(),
                head: vec![
                    String::new(),
                    one.name.clone(),
                    other.name.clone(),
                    String::new(),
                ],
                rows: rows.collect(),
                note: None,
            }
        })
        .collect()
}

/// A section's cells one by one, each with its name: `coupon, won`.
fn figures(section: &Section) -> Vec<(String, String)> {
    let two = section.head.len() == 2;
    let rows = section.rows.iter().flat_map(|row| {
        let name = row.first().cloned().unwrap_or_default();
        let cells = section.head.iter().zip(row).skip(1);
        cells.map(move |(column, value)| {
            let name = if two {
                name.clone()
            } else {
                format!("{name}, {column}")
            };
            (name, value.clone())
        })
    });
    rows.collect()
}
