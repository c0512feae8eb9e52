//! XML answers of the query protocol.
//!
//! Invariant: what is written is well-formed whatever text the tree holds.

use serde_json::Value;

use super::moment;

/// Appends `<name>tree</name>`; an array's items become `<member>` elements, and numbers called `Timestamp` moments.
pub(crate) fn element(xml: &mut String, name: &str, tree: &Value) {
    within(xml, name, tree, name);
}

/// An element whose content is written as that of a field called `field`.
fn within(xml: &mut String, name: &str, tree: &Value, field: &str) {
    xml.push_str(&format!("<{name}>"));
    content(xml, tree, field);
    xml.push_str(&format!("</{name}>"));
}

fn content(xml: &mut String, tree: &Value, field: &str) {
    match tree {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(name, value)| element(xml, name, value)),
        Value::Array(items) => {
            let item_field = field.strip_suffix('s').unwrap_or_default();
            items.iter().for_each(|item| within(xml, "member", item, item_field));
        }
        Value::String(text) => escape(xml, text),
        Value::Number(number) if field == "Timestamp" => {
            xml.push_str(&moment::text(number.as_f64().unwrap_or_default()));
        }
        Value::Bool(_) | Value::Number(_) => xml.push_str(&tree.to_string()),
    }
}

fn escape(xml: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            // XML 1.0 has no way to write most control characters, escaped or not.
            '\t' | '\n' | '\r' => xml.push(character),
            control if control < ' ' => xml.push('\u{fffd}'),
            other => xml.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_written_as_dates() {
        let mut xml = String::new();
        element(&mut xml, "R", &json!({"Timestamp": 1, "Timestamps": [2], "Values": [3]}));
        let [one, two] = ["1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"];
        assert_eq!(
            xml,
            format!(
                "<R><Timestamp>{one}</Timestamp><Timestamps><member>{two}</member></Timestamps>\
                <Values><member>3</member></Values></R>"
            )
        );
    }

    #[test]
    fn trees_become_escaped_elements() {
        let mut xml = String::new();
        element(&mut xml, "R", &json!({"A": "<&>\u{1}", "L": [1, {"B": true}], "N": null}));
        assert_eq!(
            xml,
            "<R><A>&lt;&amp;&gt;\u{fffd}</A><L><member>1</member><member><B>true</B></member></L><N></N></R>"
        );
    }
}
