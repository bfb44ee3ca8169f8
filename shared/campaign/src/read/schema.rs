//! The JSON Schema of an activity's campaigns: every campaign's, with what this activity needs.

use serde_json::{Value as Json, json};

use crate::activity::{Activity, Use};
use crate::schema;

/// The schema (draft 2020-12) of a campaign's file.
pub fn schema(activity: &dyn Activity) -> Json {
    let mut schema = schema::of(&super::KEYS);
    schema["title"] = json!(format!("A campaign of `{}`", activity.id()));
    let mut all = vec![json!({ "properties": { "activity": { "const": activity.id() } } })];
    for (section, _) in activity
        .sections()
        .iter()
        .filter(|(_, how)| *how == Use::Required)
    {
        // A machine of the campaign's own may do without what the default one needs.
        let needed = json!({ "required": [section] });
        let replaced = json!({
            "required": ["machine"],
            "properties": { "machine": { "not": { "required": ["extends"] } } },
        });
        all.push(if activity.machine().is_some() {
            json!({ "anyOf": [needed, replaced] })
        } else {
            needed
        });
    }
    schema["allOf"] = Json::Array(all);
    schema
}
