//! When journeys begin: the phases, each of one shape.

use std::collections::BTreeSet;

use super::map::{Map, listed};
use super::tree::{Kind, Node, Said};
use super::{MOST_USERS, words};
use crate::scenario::{Phase, Shape};

/// The highest rate that is no slip of the pen, a second.
const MOST_RATE: f64 = 10_000_000.0;

/// All phases.
pub fn read(top: &Map<'_>, said: &mut Said) -> Vec<Phase> {
    let example = "write `arrivals: [{ constant: 100/s, lasts: 1m }]`";
    let Some(node) = top.need("arrivals", example, said) else {
        return Vec::new();
    };
    let Kind::List(items) = &node.kind else {
        said.wrong(node.at, "arrivals are a list of phases", example);
        return Vec::new();
    };
    if items.is_empty() {
        said.wrong(node.at, "nobody comes", example);
    }
    items.iter().filter_map(|item| phase(item, said)).collect()
}

fn phase(node: &Node, said: &mut Said) -> Option<Phase> {
    const KEYS: [&str; 11] = [
        "name", "constant", "ramp", "spike", "curve", "steps", "lasts", "within", "peak", "by",
        "each",
    ];
    const SHAPES: [(&str, &[&str]); 5] = [
        ("constant", &["lasts"]),
        ("ramp", &["lasts"]),
        ("spike", &["within", "lasts"]),
        ("curve", &["peak", "lasts"]),
        ("steps", &["by", "each"]),
    ];
    let map = Map::of(node, "a phase", &KEYS, said);
    let shapes: Vec<&(&str, &[&str])> = SHAPES
        .iter()
        .filter(|(key, _)| map.get(key).is_some())
        .collect();
    let [(shape, with)] = shapes.as_slice() else {
        said.wrong(
            node.at,
            if shapes.is_empty() {
                "this phase has no shape"
            } else {
                "this phase has two shapes"
            },
            "a phase has one of `constant`, `ramp`, `spike`, `curve` and `steps`",
        );
        return None;
    };
    let beside: BTreeSet<&str> = SHAPES.iter().flat_map(|(_, with)| *with).copied().collect();
    for key in beside {
        if map.get(key).is_some() && !with.contains(&key) {
            map.wrong(
                key,
                format!("`{key}` means nothing in a phase of the shape `{shape}`"),
                format!("it has {}", listed(with)),
                said,
            );
        }
    }
    let name = map
        .string("name", said)
        .unwrap_or_else(|| (*shape).to_owned());
    let lasting = |key: &str, said: &mut Said| {
        map.need(key, format!("write how long: `{key}: 30s`"), said)?;
        let time = map.read(key, words::time, said)?;
        if time.is_zero() {
            map.wrong(
                key,
                "this phase takes no time",
                format!("write `{key}: 30s`"),
                said,
            );
        }
        Some(time)
    };
    let sound = |key: &str, rates: &[f64], said: &mut Said| {
        if rates.iter().all(|rate| *rate <= 0.0) {
            map.wrong(
                key,
                "nobody comes at a rate of 0",
                "write a rate above 0, or take the phase out",
                said,
            );
        } else if rates.iter().any(|rate| *rate > MOST_RATE) {
            map.wrong(
                key,
                "no machine sends as many a second",
                "write a lower rate",
                said,
            );
        }
    };
    let shape = match *shape {
        "constant" => {
            let (rate, lasts) = (
                map.read("constant", words::rate, said),
                lasting("lasts", said),
            );
            let rate = rate?;
            sound("constant", &[rate], said);
            Shape::Ramp {
                from: rate,
                to: rate,
                lasts: lasts?,
            }
        }
        "ramp" => {
            let (rates, lasts) = (map.read("ramp", words::rates, said), lasting("lasts", said));
            let (from, to) = rates?;
            sound("ramp", &[from, to], said);
            Shape::Ramp {
                from,
                to,
                lasts: lasts?,
            }
        }
        "spike" => {
            let journeys = map.number("spike", 1, MOST_USERS, said);
            let within = map.read("within", words::time, said).unwrap_or_default();
            let lasts = map.read("lasts", words::time, said).unwrap_or(within);
            if lasts < within {
                map.wrong(
                    "lasts",
                    "the phase is over before all have come",
                    "let it last as long as `within`, or longer",
                    said,
                );
            }
            Shape::Spike {
                journeys: journeys?,
                within,
                lasts,
            }
        }
        "curve" => {
            let weights = map.get("curve").map(|node| match &node.kind {
                Kind::List(items) => {
                    let weight = |item: &Node| {
                        item.text()?
                            .parse::<f64>()
                            .ok()
                            .filter(|weight| *weight >= 0.0 && weight.is_finite())
                    };
                    items.iter().map(weight).collect::<Option<Vec<f64>>>()
                }
                _ => None,
            });
            let weights = weights
                .flatten()
                .filter(|weights| weights.iter().any(|weight| *weight > 0.0));
            if weights.is_none() {
                map.wrong(
                    "curve",
                    "a curve is a list of weights, one of them above 0",
                    "write `curve: [1, 2, 5, 3]`: equal parts of the phase, scaled to its `peak`",
                    said,
                );
            }
            map.need("peak", "write the highest rate: `peak: 100/s`", said);
            let (peak, lasts) = (map.read("peak", words::rate, said), lasting("lasts", said));
            let peak = peak?;
            sound("peak", &[peak], said);
            Shape::Curve {
                weights: weights?,
                peak,
                lasts: lasts?,
            }
        }
        _ => {
            map.need(
                "by",
                "write how much higher each stair is: `by: 100/s`",
                said,
            );
            let (rates, by) = (
                map.read("steps", words::rates, said),
                map.read("by", words::rate, said),
            );
            let each = lasting("each", said);
            let ((from, to), by) = (rates?, by?);
            sound("steps", &[from], said);
            sound("by", &[by], said);
            if to < from {
                map.wrong(
                    "steps",
                    "stairs go up",
                    "write the lowest rate first: `100/s..1000/s`",
                    said,
                );
            } else if by > 0.0 && (to - from) / by > 1000.0 {
                map.wrong(
                    "by",
                    "these are more than 1000 stairs",
                    "make them higher",
                    said,
                );
            }
            Shape::Steps {
                from,
                by,
                to,
                each: each?,
            }
        }
    };
    Some(Phase { name, shape })
}
