//! The activity's own stories hold.

use gift_pack::GiftPack;

#[test]
fn its_stories_hold() {
    let report = campaign::story::examples(&GiftPack).map_err(|diagnostics| diagnostics.to_string());
    assert_eq!(report.map(|report| report.failures.to_string()), Ok(String::new()));
}
