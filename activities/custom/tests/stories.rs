//! The activity's own stories hold.

use custom::Custom;

#[test]
fn its_stories_hold() {
    let report = campaign::story::examples(&Custom).map_err(|diagnostics| diagnostics.to_string());
    assert_eq!(report.map(|report| report.failures.to_string()), Ok(String::new()));
}
