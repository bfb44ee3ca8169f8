//! The schema of each activity knows its sections, and names nothing that is not defined.

use campaign::schema_of;
use serde_json::Value as Json;

use crate::support;

#[test]
fn a_schema_says_what_its_activity_needs() {
    for activity in support::all() {
        let schema = schema_of(activity);
        let text = schema["allOf"].to_string();
        assert!(
            text.contains(&format!("\"const\":\"{}\"", activity.id())),
            "{text}"
        );
        for (section, how) in activity.sections() {
            let needed = text.contains(&format!("\"required\":[\"{section}\"]"));
            assert_eq!(
                needed,
                *how == campaign::Use::Required,
                "{}: {section}",
                activity.id()
            );
        }
    }
}

#[test]
fn every_reference_leads_to_a_definition() {
    let schema = schema_of(support::all()[0]);
    let mut open = vec![&schema];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            Json::Object(map) => {
                if let Some(pointer) = map.get("$ref").and_then(Json::as_str) {
                    references += 1;
                    assert!(
                        schema
                            .pointer(pointer.trim_start_matches('#'))
                            .is_some_and(Json::is_object),
                        "{pointer}"
                    );
                }
                open.extend(map.values());
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(references > 20, "{references}");
}
