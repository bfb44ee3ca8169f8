//! What can be proved of a checked campaign before anybody plays it: transitions that never fire, rules that fail, limits
//! that cancel each other, figures that the window or the odds never reach.
//!
//! Errors and warnings are only for what is proved, by ranges of values (`flow`), by arithmetic over the figures, or by
//! an example that the real step has played (`trial`). What can't be decided is not mentioned. All of it is proved for
//! participants who begin under this revision; a record that an earlier one wrote may hold what this one never sets.

mod draws;
mod figures;
mod flow;
mod forecast;
mod guards;
mod packs;
mod paid;
mod path;
mod places;
mod programs;
mod proved;
mod range;
mod ranges;
mod tasks;
mod trial;

use machine::model::Definition;

pub use self::flow::List;
pub use self::proved::Proved;

use crate::diagnostic::Diagnostics;
use crate::document::Node;
use crate::read::expected::Expected;

use self::figures::Figures;
use self::places::Places;
use self::ranges::Ranges;

/// Reports what is proved of a definition that was checked without an error. `machine` is the value that was lowered to
/// its machine, `root` the campaign's own file.
pub(crate) fn report(
    definition: &Definition,
    expected: Option<Expected>,
    machine: &Node,
    root: &Node,
    out: &mut Diagnostics,
) {
    let kinds = ranges::kinds(definition);
    let figures = Figures {
        definition,
        root,
        kinds: &kinds,
    };
    figures::report(figures, out);
    packs::report(figures, out);
    tasks::report(figures, out);
    if let Some(expected) = expected {
        forecast::report(expected, figures, out);
    }
    let places = Places { machine, root };
    let ranges = Ranges::new(definition);
    let found = flow::explore(&ranges);
    let seen = trial::report(definition, places, out);
    // That a dead transition's promise is not kept follows from what is said of the transition.
    if !guards::report(&ranges, &found, &seen, places, out) {
        trial::unkept(definition, &seen, places, out);
    }
    paid::report(definition, &found, places, out);
}
