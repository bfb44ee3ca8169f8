//! What a wheel looks like: a wheel, a card to scratch, eggs to break, a grid to run around. Data for whoever draws the page; no draw
//! depends on it.

use std::collections::BTreeMap;

use machine::Campaign;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// The kinds of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Segments around a hub.
    Wheel,
    /// Something to scratch off.
    ScratchCard,
    /// Eggs, one of which is broken.
    Egg,
    /// Eight cells around a button.
    NineGrid,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Its kind.
    pub kind: Kind,
    /// A wheel's segments or a grid's cells, clockwise from the top, from the top left: what each shows. A reward may have several.
    pub cells: Vec<Cell>,
    /// How many eggs there are to choose from.
    pub eggs: Option<u32>,
    /// Addresses of images, by what they show: `cover`, `opened`, `button`, `background`.
    pub images: BTreeMap<String, String>,
}

/// What a segment or cell shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The reward.
    pub reward: u16,
    /// Its colour: `#rrggbb`.
    pub color: Option<String>,
}

impl Picture {
    /// As clients get it: rewards by their ids.
    pub(super) fn shown(&self, campaign: &Campaign) -> Json {
        let id = |place: u16| {
            let reward = campaign.rewards.get(usize::from(place));
            reward.map_or(Json::Null, |reward| json!(&*reward.id))
        };
        let cells = self.cells.iter().map(|cell| {
            let mut shown = json!({ "reward": id(cell.reward) });
            if let Some(color) = &cell.color {
                shown["color"] = json!(color);
            }
            shown
        });
        let mut shown = json!({ "kind": self.kind });
        if !self.cells.is_empty() {
            shown["cells"] = cells.collect();
        }
        if let Some(eggs) = self.eggs {
            shown["eggs"] = json!(eggs);
        }
        if !self.images.is_empty() {
            shown["images"] = json!(self.images);
        }
        shown
    }
}
