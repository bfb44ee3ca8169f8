//! The activities' own campaigns pass the check, and their stories hold.

use campaign::story;

use crate::support;

#[test]
fn the_activities_own_stories_hold() {
    let mut wrong = String::new();
    for activity in support::all() {
        match story::examples(activity) {
            Ok(report) => {
                assert!(report.played > 2, "{}", activity.id());
                wrong.push_str(&report.failures.lines());
            }
            Err(diagnostics) => wrong.push_str(&diagnostics.lines()),
        }
    }
    assert_eq!(wrong, "");
}
