//! The activity's own stories hold.

use lottery::Lottery;

#[test]
fn its_stories_hold() {
    let report =
        campaign::story::examples(&Lottery).unwrap_or_else(|wrong| panic!("{}", wrong.lines()));
    assert!(report.played > 0);
    assert_eq!(report.failures.lines(), "");
}
