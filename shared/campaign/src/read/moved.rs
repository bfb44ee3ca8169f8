//! Rules of earlier revisions, and those that go on where they ended: `rules_moved`. Every rule has an id, a block's too, and a
//! promise that was kept under one that is gone would be made again: which one continues it nobody but the writer knows.

use crate::check::Check;
use crate::codes;
use crate::diagnostic::meant;

/// How many rules a help names at most.
const NAMED: usize = 12;

/// Notes at each rule the ids that it had.
pub(crate) fn read(check: &mut Check<'_>) {
    let root = check.root;
    let entries = root
        .get("rules_moved")
        .and_then(|node| node.map(&mut check.out));
    for entry in entries.unwrap_or(&[]) {
        let was = entry.name();
        let ids = check.tables.rules.iter().map(|known| &*known.what.rule.id);
        if ids.clone().any(|id| id == was) {
            let message = format!("rule `{was}` still exists: what it gave stays its own");
            check
                .out
                .error(codes::NAME_TAKEN, &entry.key.place, message)
                .help("leave this line out");
            continue;
        }
        let Some(to) = entry.value.id("rule", &mut check.out) else {
            continue;
        };
        let Some(at) = ids.clone().position(|id| id == to) else {
            let all: Vec<String> = ids
                .clone()
                .take(NAMED)
                .map(|id| format!("`{id}`"))
                .collect();
            let all = (!all.is_empty()).then(|| format!("the rules are {}", all.join(", ")));
            let help = meant(to, ids).or(all);
            check
                .out
                .error(
                    codes::UNKNOWN_RULE,
                    &entry.value.place,
                    format!("there is no rule `{to}`"),
                )
                .maybe_help(help);
            continue;
        };
        if let Some(known) = check.tables.rules.get_mut(at) {
            known.what.rule.was.push(was.to_owned());
        }
    }
}
