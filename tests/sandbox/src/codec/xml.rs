//! XML answers of the query protocol.
//!
//! Invariant: what is written is well-formed whatever text the tree holds.

use serde_json::Value;

/// Appends `<name>tree</name>`; an array's items become `<member>` elements.
pub(crate) fn element(xml: &mut String, name: &str, tree: &Value) {
    xml.push_str(&format!("<{name}>"));
    content(xml, tree);
    xml.push_str(&format!("</{name}>"));
}

fn content(xml: &mut String, tree: &Value) {
    match tree {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(name, value)| element(xml, name, value)),
        Value::Array(items) => items.iter().for_each(|item| element(xml, "member", item)),
        Value::String(text) => escape(xml, text),
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
    fn trees_become_escaped_elements() {
        let mut xml = String::new();
        element(&mut xml, "R", &json!({"A": "<&>\u{1}", "L": [1, {"B": true}], "N": null}));
        assert_eq!(
            xml,
            "<R><A>&lt;&amp;&gt;\u{fffd}</A><L><member>1</member><member><B>true</B></member></L><N></N></R>"
        );
    }
}
