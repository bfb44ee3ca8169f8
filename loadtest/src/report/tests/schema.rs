//! As much of JSON Schema 2020-12 as docs/load-report.schema.json uses: a test of the schema, and no validator.

use serde_json::Value;

/// Holds a value against the part of JSON Schema 2020-12 that our schema uses, and refuses keywords that it does not know.
pub fn hold(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else {
        assert_eq!(
            schema,
            &Value::Bool(true),
            "{at}: a schema is an object or true"
        );
        return;
    };
    for (keyword, says) in schema {
        match &**keyword {
            "$schema" | "$id" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let name = says.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                hold(root, &root["$defs"][name], value, at, wrong);
            }
            "anyOf" => {
                let any = says.as_array().unwrap().iter().any(|schema| {
                    let mut tried = Vec::new();
                    hold(root, schema, value, at, &mut tried);
                    tried.is_empty()
                });
                if !any {
                    wrong.push(format!("{at}: none of anyOf"));
                }
            }
            "type" => {
                let is = |name: &str| match name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    other => panic!("type {other}"),
                };
                let holds = says.as_array().map_or_else(
                    || is(says.as_str().unwrap()),
                    |any| any.iter().any(|one| is(one.as_str().unwrap())),
                );
                if !holds {
                    wrong.push(format!("{at}: is no {says}"));
                }
            }
            "const" => {
                if value != says {
                    wrong.push(format!("{at}: is not {says}"));
                }
            }
            "enum" => {
                if !says.as_array().unwrap().contains(value) {
                    wrong.push(format!("{at}: is none of {says}"));
                }
            }
            "minimum" => {
                if value
                    .as_f64()
                    .is_some_and(|value| value < says.as_f64().unwrap())
                {
                    wrong.push(format!("{at}: is below {says}"));
                }
            }
            "maximum" => {
                if value
                    .as_f64()
                    .is_some_and(|value| value > says.as_f64().unwrap())
                {
                    wrong.push(format!("{at}: is above {says}"));
                }
            }
            "required" => {
                for name in says.as_array().unwrap() {
                    if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                        wrong.push(format!("{at}: lacks {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in says.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        hold(root, schema, value, &format!("{at}/{name}"), wrong);
                    }
                }
            }
            "additionalProperties" => {
                let named = schema.get("properties").and_then(Value::as_object);
                for (name, value) in value.as_object().into_iter().flatten() {
                    if named.is_some_and(|named| named.contains_key(name)) {
                        continue;
                    }
                    if says == &Value::Bool(false) {
                        wrong.push(format!("{at}: {name} is not described"));
                    } else {
                        hold(root, says, value, &format!("{at}/{name}"), wrong);
                    }
                }
            }
            "items" => {
                for (number, value) in value.as_array().into_iter().flatten().enumerate() {
                    hold(root, says, value, &format!("{at}/{number}"), wrong);
                }
            }
            other => panic!("{at}: the test does not know {other}"),
        }
    }
}

pub fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../docs/load-report.schema.json")).unwrap()
}

/// The schema, closed: a field that it does not describe is wrong.
pub fn closed(mut schema: Value) -> Value {
    fn close(schema: &mut Value) {
        if let Some(object) = schema.as_object_mut() {
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(close);
        } else if let Some(array) = schema.as_array_mut() {
            array.iter_mut().for_each(close);
        }
    }
    close(&mut schema);
    schema
}
