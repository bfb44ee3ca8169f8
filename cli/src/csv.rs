//! Ledger rows as CSV (RFC 4180) that a spreadsheet can open without running anything.
//!
//! A cell that begins like a formula gets a leading apostrophe: spreadsheets then take it for text. All cells are
//! quoted, so that no separator of any country's spreadsheet cuts one in two.

use serde_json::Value as Json;

/// The columns: where in a row's JSON each stands.
const COLUMNS: [(&str, &[&str]); 53] = [
    ("number", &["number"]),
    ("tenant", &["tenant"]),
    ("campaign", &["campaign"]),
    ("edition", &["edition"]),
    ("lane", &["lane"]),
    ("revision", &["revision"]),
    ("user", &["user"]),
    ("event", &["event"]),
    ("from", &["from"]),
    ("at", &["at"]),
    ("request_id", &["request_id"]),
    ("channel", &["channel"]),
    ("scene", &["scene"]),
    ("shared_by", &["shared_by"]),
    ("occurred_at", &["occurred_at"]),
    ("type", &["type"]),
    ("grant_id", &["grant", "id"]),
    ("rule", &["grant", "rule"]),
    ("reward", &["grant", "reward"]),
    ("kind", &["grant", "kind"]),
    ("title", &["grant", "title"]),
    ("image", &["grant", "image"]),
    ("period", &["grant", "period"]),
    ("n", &["grant", "n"]),
    ("amount", &["grant", "amount"]),
    ("value", &["grant", "value"]),
    ("cost", &["grant", "cost"]),
    ("currency", &["grant", "currency"]),
    ("connector", &["grant", "deliver", "connector"]),
    ("reference", &["grant", "deliver", "reference"]),
    ("expires", &["grant", "expires"]),
    ("serial", &["grant", "serial"]),
    ("draw_index", &["draw", "index"]),
    ("draw_purpose", &["draw", "purpose"]),
    ("draw_pick", &["draw", "pick"]),
    ("draw_of", &["draw", "of"]),
    ("draw_rolled", &["draw", "rolled"]),
    ("draw_pity", &["draw", "pity"]),
    ("draw_misses", &["draw", "misses"]),
    ("draw_given", &["draw", "given"]),
    ("draw_exhausted", &["draw", "exhausted"]),
    ("message", &["message", "name"]),
    ("message_fields", &["message", "fields"]),
    ("hand_reward", &["hand", "reward"]),
    ("hand_ticket", &["hand", "ticket"]),
    ("hand_by", &["hand", "by"]),
    ("hand_why", &["hand", "why"]),
    ("amended_grant", &["amended", "grant"]),
    ("amended_was", &["amended", "was"]),
    ("amended_now", &["amended", "now"]),
    ("amended_taken", &["amended", "taken"]),
    ("amended_by", &["amended", "by"]),
    ("amended_why", &["amended", "why"]),
];

/// The first line.
pub fn head(bom: bool) -> String {
    let names = COLUMNS.iter().map(|(name, _)| cell(name));
    let mark = if bom { "\u{feff}" } else { "" };
    format!("{mark}{}\r\n", names.collect::<Vec<_>>().join(","))
}

/// A row.
pub fn line(row: &Json, language: Option<&str>) -> String {
    let cells = COLUMNS.iter().map(|(name, path)| {
        let value = path.iter().try_fold(row, |at, part| at.get(part));
        match value {
            None | Some(Json::Null) => cell(""),
            Some(Json::Object(title)) if *name == "title" => {
                let wanted = language.and_then(|language| title.get(language));
                let title = wanted.or_else(|| title.values().next());
                cell(title.and_then(Json::as_str).unwrap_or(""))
            }
            Some(Json::Array(items)) => {
                let items = items.iter().map(|item| {
                    item.as_str()
                        .map_or_else(|| item.to_string(), str::to_owned)
                });
                cell(&items.collect::<Vec<_>>().join(" "))
            }
            Some(Json::String(text)) => cell(text),
            Some(other) => cell(&other.to_string()),
        }
    });
    format!("{}\r\n", cells.collect::<Vec<_>>().join(","))
}

/// A cell, quoted and harmless.
pub fn cell(text: &str) -> String {
    let guard = if is_formula(text) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// Whether a spreadsheet might take a cell for a formula: by its first character, or the first behind what it may strip.
fn is_formula(text: &str) -> bool {
    // Tab and line breaks count by themselves: some programs split a cell there and look at what follows.
    if text.starts_with(['\t', '\r', '\n']) {
        return true;
    }
    let stripped = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    text.trim_start_matches(stripped).starts_with([
        '=', '+', '-', '@', '＝', '＋', '－', '＠', '−', '﹢', '﹣', '﹦', '﹫',
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let rows = [
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("\n=1", "\"'\n=1\""),
            ("＝1", "\"'＝1\""),
            ("＋1", "\"'＋1\""),
            ("－1", "\"'－1\""),
            ("＠a", "\"'＠a\""),
            (" =1", "\"' =1\""),
            ("\u{feff}=1", "\"'\u{feff}=1\""),
            ("\u{200b}=1", "\"'\u{200b}=1\""),
            ("\u{a0}+1", "\"'\u{a0}+1\""),
            ("\u{3000}@a", "\"'\u{3000}@a\""),
            ("\u{0}=1", "\"'\u{0}=1\""),
            ("−1", "\"'−1\""),
            ("﹦1", "\"'﹦1\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            (
                "=HYPERLINK(\"http://x\",\"y\")",
                "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"",
            ),
            ("\"=1", "\"\"\"=1\""),
            ("", "\"\""),
            ("10.00", "\"10.00\""),
            ("a,b", "\"a,b\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("1-2", "\"1-2\""),
            ("笔记本电脑", "\"笔记本电脑\""),
            ("'=1", "\"'=1\""),
        ];
        for (text, expected) in rows {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_row_has_as_many_cells_as_the_head() {
        let row = json!({
            "number": 7, "tenant": "acme", "event": "draw", "channel": "=cmd()", "type": "grant", "lane": "live",
            "grant": { "id": "ab", "title": { "en": "+Coupon", "zh-CN": "券" }, "cost": "10.00", "serial": 3,
                       "deliver": { "connector": "desk", "reference": "a,b" } },
        });
        let (head, cells) = (head(true), line(&row, Some("zh-CN")));
        assert!(head.starts_with("\u{feff}\"number\",") && head.ends_with("\r\n"));
        assert_eq!(
            head.matches("\",\"").count(),
            cells.matches("\",\"").count()
        );
        for part in [
            "\"7\"",
            "\"'=cmd()\"",
            "\"券\"",
            "\"10.00\"",
            "\"a,b\"",
            "\"3\"",
        ] {
            assert!(cells.contains(part), "{part}: {cells}");
        }
        assert!(line(&row, None).contains("\"'+Coupon\""));
    }
}
