//! JSON Schema from tables of keys, for editors: completion, help at the cursor, and the first half of the check.
//!
//! It says what may stand where, no more: what only the whole file can say (a name that nothing declares, odds beyond
//! 100%) is for the check.

use serde_json::{Map, Value as Json, json};

use crate::document::{Keys, Shape};

/// The schema (draft 2020-12) of a file whose keys are these.
pub fn of(keys: &'static Keys) -> Json {
    let mut definitions = Map::new();
    define(keys, &mut definitions);
    let mut schema =
        json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": pointer(keys) });
    schema["$defs"] = Json::Object(definitions);
    schema
}

fn pointer(keys: &Keys) -> String {
    format!("#/$defs/{}", keys.name.replace([' ', '/', '~'], "-"))
}

/// Adds a table's definition, and those it leads to; tables may lead back to themselves.
fn define(keys: &'static Keys, definitions: &mut Map<String, Json>) {
    let name = keys.name.replace([' ', '/', '~'], "-");
    if definitions.contains_key(&name) {
        return;
    }
    definitions.insert(name.clone(), Json::Null);
    let mut properties = Map::new();
    for key in keys.keys {
        let mut value = shape(&key.shape, definitions);
        value["description"] = json!(key.doc);
        properties.insert(key.name.to_owned(), value);
    }
    let required: Vec<_> = keys
        .keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    let definition = json!({
        "type": "object",
        "description": keys.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    definitions.insert(name, definition);
}

fn shape(shape: &'static Shape, definitions: &mut Map<String, Json>) -> Json {
    const SCALAR: [&str; 3] = ["string", "number", "boolean"];
    match shape {
        Shape::Any => json!({}),
        Shape::String => json!({ "type": SCALAR }),
        Shape::Text => json!({
            "anyOf": [{ "type": SCALAR }, { "type": "object", "additionalProperties": { "type": SCALAR }, "minProperties": 1 }]
        }),
        Shape::Int(low, high) => {
            let mut schema = json!({ "type": "integer" });
            if *low != i64::MIN {
                schema["minimum"] = json!(low);
            }
            if *high != i64::MAX {
                schema["maximum"] = json!(high);
            }
            schema
        }
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Money => pattern(&["number", "string"], r"^[0-9]+(\.[0-9]+)?$", &["10.00"]),
        Shape::Odds => pattern(
            &["number", "string"],
            r"^(rest|[0-9]+/[1-9][0-9]*|[0-9]+(\.[0-9]+)? *%?)$",
            &["10%", "0.001%", "1/3", "rest"],
        ),
        Shape::Duration => pattern(
            &["string"],
            r"^[0-9]+ +(second|minute|hour|day|week)s?( +[0-9]+ +(second|minute|hour|day|week)s?)*$",
            &["7 days"],
        ),
        Shape::DateTime => pattern(
            &["string"],
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?$",
            &["2026-12-01 10:00"],
        ),
        Shape::Date => pattern(
            &["string"],
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            &["2026-12-01"],
        ),
        Shape::Timezone => {
            json!({ "type": "string", "examples": ["Asia/Shanghai", "Europe/Berlin"] })
        }
        Shape::Clock => pattern(&["string"], r"^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$", &["04:00"]),
        Shape::Id => pattern(&["string", "integer"], r"^[a-z0-9-]{1,64}$", &[]),
        Shape::Expr => {
            json!({ "type": ["string", "integer", "boolean"], "maxLength": crate::expr::MAX_BYTES })
        }
        Shape::OneOf(words) => json!({ "enum": words }),
        Shape::List(item) => json!({ "type": "array", "items": self::shape(item, definitions) }),
        Shape::MapOf(value) => {
            json!({ "type": "object", "additionalProperties": self::shape(value, definitions) })
        }
        Shape::Keys(keys) => {
            define(keys, definitions);
            json!({ "$ref": pointer(keys) })
        }
        Shape::Either(shapes) => {
            let any: Vec<_> = shapes
                .iter()
                .map(|each| self::shape(each, definitions))
                .collect();
            json!({ "anyOf": any })
        }
    }
}

fn pattern(types: &[&str], pattern: &str, examples: &[&str]) -> Json {
    let mut schema = json!({ "type": types, "pattern": pattern });
    if !examples.is_empty() {
        schema["examples"] = json!(examples);
    }
    schema
}

/// The schema of a check's diagnostics as JSON. Keys are added here, never renamed or taken away.
pub fn diagnostics() -> Json {
    let place = json!({
        "file": { "type": "string", "description": "The file's name, from where the check was asked." },
        "line": { "type": "integer", "minimum": 1 },
        "column": { "type": "integer", "minimum": 1, "description": "In characters." },
        "end_line": { "type": "integer", "minimum": 1 },
        "end_column": { "type": "integer", "minimum": 1, "description": "The first column after." },
    });
    let with = |more: Json| {
        let mut properties = place.clone();
        if let (Json::Object(all), Json::Object(more)) = (&mut properties, more) {
            all.extend(more);
        }
        let required: Vec<_> = properties
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect();
        json!({ "type": "object", "properties": properties, "required": required })
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "What a check has to say, in the order of the files.",
        "type": "array",
        "items": { "$ref": "#/$defs/diagnostic" },
        "$defs": {
            "related": with(json!({ "message": { "type": "string", "description": "What is there." } })),
            "diagnostic": with(json!({
                "code": { "type": "string", "pattern": "^[EWN][0-9]{4}$", "description": "Its kind: `gala explain CODE`. A code keeps its meaning." },
                "severity": { "enum": ["error", "warning", "note"], "description": "A file with an error can't be published." },
                "message": { "type": "string", "description": "What is so, in a sentence." },
                "label": { "type": "string", "description": "A few words at the place; may be empty." },
                "help": { "type": ["string", "null"], "description": "The way out." },
                "related": { "type": "array", "items": { "$ref": "#/$defs/related" }, "description": "Other places that belong to it." },
            })),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Key;

    static INNER: Keys = Keys {
        name: "state",
        doc: "A state.",
        keys: &[Key::optional("inner", Shape::Keys(&INNER), "Itself.")],
    };
    static OUTER: Keys = Keys {
        name: "machine",
        doc: "A machine.",
        keys: &[
            Key::required("initial", Shape::Id, "Where it starts."),
            Key::optional("states", Shape::MapOf(&Shape::Keys(&INNER)), "Its states."),
            Key::optional("at_least", Shape::Int(0, i64::MAX), "How many."),
        ],
    };

    #[test]
    fn tables_become_definitions_and_may_lead_back() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&of(&OUTER)).unwrap(), @r##"
        {
          "$defs": {
            "machine": {
              "additionalProperties": false,
              "description": "A machine.",
              "properties": {
                "at_least": {
                  "description": "How many.",
                  "minimum": 0,
                  "type": "integer"
                },
                "initial": {
                  "description": "Where it starts.",
                  "pattern": "^[a-z0-9-]{1,64}$",
                  "type": [
                    "string",
                    "integer"
                  ]
                },
                "states": {
                  "additionalProperties": {
                    "$ref": "#/$defs/state"
                  },
                  "description": "Its states.",
                  "type": "object"
                }
              },
              "required": [
                "initial"
              ],
              "type": "object"
            },
            "state": {
              "additionalProperties": false,
              "description": "A state.",
              "properties": {
                "inner": {
                  "$ref": "#/$defs/state",
                  "description": "Itself."
                }
              },
              "required": [],
              "type": "object"
            }
          },
          "$ref": "#/$defs/machine",
          "$schema": "https://json-schema.org/draft/2020-12/schema"
        }
        "##);
    }

    #[test]
    fn the_tenants_schema_has_a_description_for_each_key() {
        let schema = of(&crate::tenant::KEYS);
        for key in crate::tenant::KEYS.keys {
            assert_eq!(
                schema["$defs"]["tenant"]["properties"][key.name]["description"],
                key.doc
            );
        }
    }

    #[test]
    fn diagnostics_have_the_keys_that_their_schema_names() {
        use crate::diagnostic::{Diagnostic, Severity};
        use crate::source::{Place, Source};

        let place = Place::new(&Source::new("a.yaml", "a: 1\n"), 0, 1);
        let mut one = Diagnostic::new(Severity::Note, crate::codes::SYNTAX, &place, "so");
        one.related(&place, "here");
        let (schema, one) = (diagnostics(), one.to_json());
        let keys =
            |value: &Json| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        let defs = &schema["$defs"];
        assert_eq!(keys(&defs["diagnostic"]["properties"]), keys(&one));
        assert_eq!(
            keys(&defs["related"]["properties"]),
            keys(&one["related"][0])
        );
        assert_eq!(
            defs["diagnostic"]["required"].as_array().unwrap().len(),
            keys(&one).len()
        );
    }
}
