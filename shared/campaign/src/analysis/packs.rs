//! Packs in stages that the window is too short for.

use blocks::pack::{KIND, Params};

use crate::codes;
use crate::diagnostic::Diagnostics;

use super::figures::Figures;
use super::places::entries;

/// Reports them.
pub(super) fn report(figures: Figures<'_>, out: &mut Diagnostics) {
    let packs = figures.definition.blocks.iter();
    let packs = packs.filter(|spec| spec.kind == KIND);
    let params = packs.filter_map(|spec| serde_json::from_str::<Params>(&spec.params).ok());
    for stages in params.filter_map(|params| params.stages) {
        let most = figures.length();
        for stage in stages.each.iter().filter(|stage| i64::from(stage.day) > most) {
            let list = figures.at(&["pack", "stages"]).map_or(&[][..], entries);
            let day = stage.day.to_string();
            let written = list.iter().find(|entry| entry.name() == day);
            let place = written.map_or(figures.place(&["pack"]), |entry| &entry.key.place);
            let message = format!(
                "the window has {most} days: nobody comes to day {day} of the pack"
            );
            out.error(codes::STAGE_BEYOND, place, message)
                .help("give it on an earlier day, or let the campaign run longer");
        }
    }
}
