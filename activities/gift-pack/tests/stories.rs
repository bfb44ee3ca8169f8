//! The activity's own stories hold.

use gift_pack::GiftPack;

#[test]
fn its_stories_hold() {
    let report =
        campaign::story::examples(&GiftPack).unwrap_or_else(|wrong| panic!("{}", wrong.lines()));
    assert!(report.played > 0);
    assert_eq!(report.failures.lines(), "");
}
