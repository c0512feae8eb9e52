//! The raw layer: the text of a configuration file, read into one generic tree whatever its format.
//!
//! Invariant: JSON and YAML end in the same tree ([`serde_json::Value`], members in the order of the file),
//! so that everything after this file knows one form only.

use serde::Deserialize;
use serde_json::Value;

use super::comments::blank_comments;
use super::duplicates::duplicate_keys;
use super::findings::Findings;
use super::locate;
use super::path::ConfigPath;
use super::problem::{Position, Problem};

/// The two formats of a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// JSON with `//` and `/* */` comments.
    Json,
    /// YAML.
    Yaml,
}

/// The text of one file.
#[derive(Debug)]
pub(super) struct Source {
    file_name: String,
    /// Without a byte order mark, and for JSON without comments.
    text: String,
    format: Format,
}

impl Source {
    /// Takes the text of the file `file_name`, whose extension decides the format.
    pub(super) fn new(text: &str, file_name: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let format = format_of(text, file_name);
        let text = match format {
            Format::Json => blank_comments(text),
            Format::Yaml => text.to_owned(),
        };
        Self { file_name: file_name.to_owned(), text, format }
    }

    /// Reads the tree. Doubts about the syntax go to `findings`.
    pub(super) fn tree(&self, findings: &mut Findings) -> Result<Value, Problem> {
        match self.format {
            Format::Json => self.json_tree(findings),
            Format::Yaml => self.yaml_tree(),
        }
    }

    /// A problem at `path`, with its place in the text.
    pub(super) fn problem(&self, path: ConfigPath, message: String, hint: Option<String>) -> Problem {
        let position = locate::locate(self.format, &self.text, &path);
        Problem { file: self.file_name.clone(), position, path, message, hint }
    }

    fn json_tree(&self, findings: &mut Findings) -> Result<Value, Problem> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.text);
        let tree = Value::deserialize(&mut deserializer).map_err(|error| self.json_problem(&error))?;
        for path in duplicate_keys(&self.text) {
            let message = "the key stands twice in one object; only the last one counts".to_owned();
            findings.warn(path, message, Some("remove one of the two".to_owned()));
        }
        // The Java agent reads one value and stops there; such files must go on working.
        if deserializer.end().is_err() {
            let message = "text after the end of the configuration is ignored".to_owned();
            findings.warn(ConfigPath::root(), message, Some("look for a closing brace too many".to_owned()));
        }
        Ok(tree)
    }

    fn json_problem(&self, error: &serde_json::Error) -> Problem {
        let position = Position { line: error.line().max(1), column: error.column().max(1) };
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default();
        self.syntax_problem(
            position,
            format!("not valid JSON: {reason}"),
            json_hint(reason, self.line(position.line)),
        )
    }

    fn yaml_tree(&self) -> Result<Value, Problem> {
        let read = || -> Result<Value, serde_yaml::Error> {
            let mut tree: serde_yaml::Value = serde_yaml::from_str(&self.text)?;
            tree.apply_merge()?;
            serde_yaml::from_value(tree)
        };
        read().map_err(|error| {
            let position = error.location().map_or(Position { line: 1, column: 1 }, |location| Position {
                line: location.line(),
                column: location.column(),
            });
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or_default();
            self.syntax_problem(
                position,
                format!("not valid YAML: {reason}"),
                yaml_hint(self.line(position.line)),
            )
        })
    }

    fn syntax_problem(&self, position: Position, message: String, hint: Option<&str>) -> Problem {
        let hint = hint.map(str::to_owned);
        Problem { file: self.file_name.clone(), position, path: ConfigPath::root(), message, hint }
    }

    fn line(&self, number: usize) -> &str {
        self.text.lines().nth(number.saturating_sub(1)).unwrap_or_default()
    }
}

fn format_of(text: &str, file_name: &str) -> Format {
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("json") => Format::Json,
        Some("yaml" | "yml") => Format::Yaml,
        _ if blank_comments(text).trim_start().starts_with('{') => Format::Json,
        _ => Format::Yaml,
    }
}

fn json_hint(reason: &str, line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    if line.starts_with('#') {
        Some("a comment in JSON begins with // (or write the file in YAML and name it .yaml)")
    } else if reason.contains("trailing comma") {
        Some("remove the comma after the last item")
    } else if reason.contains("EOF") {
        Some("the file ends too early; a closing } or ] is missing")
    } else if reason.contains("key must be a string") {
        Some("write keys in double quotes")
    } else if reason.contains("invalid escape") {
        Some(r"a backslash in JSON is written \\")
    } else if reason.contains("expected `,`") {
        Some("a comma may be missing at the end of the line before")
    } else {
        None
    }
}

fn yaml_hint(line: &str) -> Option<&'static str> {
    if line.contains('\t') {
        Some("indent with spaces, YAML allows no tabs")
    } else if line.contains(": *") || line.contains("- *") {
        Some("put a value that begins with * into quotes")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_extension_decides_and_then_the_first_byte() {
        let table = [
            ("flows: []", "a.json", Format::Json),
            ("{}", "a.yaml", Format::Yaml),
            ("{}", "A.YML", Format::Yaml),
            ("  // c\n/* d */ {}", "agent.conf", Format::Json),
            ("# c\nflows: []", "agent", Format::Yaml),
        ];
        for (text, name, expected) in table {
            assert_eq!(format_of(text, name), expected, "{name}");
        }
    }

    #[test]
    fn both_formats_give_one_tree() {
        let expected = json!({"b": 1, "a": ["x", null, true]});
        let table = [
            ("\u{feff}{\"b\":1, // c\n\"a\":[\"x\",null,true]}", "x.json"),
            ("b: 1\na: [x, null, true]\n", "x.yaml"),
        ];
        for (text, name) in table {
            let tree = Source::new(text, name).tree(&mut Findings::default()).unwrap();
            assert_eq!(tree, expected, "{name}");
            assert_eq!(tree.as_object().unwrap().keys().collect::<Vec<_>>(), ["b", "a"], "{name}");
        }
    }

    #[test]
    fn yaml_merge_keys_are_followed() {
        let text = "base: &base {a: 1, b: 2}\nx:\n  <<: *base\n  b: 3\n";
        let tree = Source::new(text, "x.yaml").tree(&mut Findings::default()).unwrap();
        assert_eq!(tree["x"], json!({"b": 3, "a": 1}));
    }

    #[test]
    fn text_after_the_end_is_only_a_warning() {
        let mut findings = Findings::default();
        assert_eq!(Source::new("{} }", "x.json").tree(&mut findings).unwrap(), json!({}));
        assert_eq!(findings.warning_count(), 1);
    }

    #[test]
    fn syntax_errors_say_where_and_what_to_do() {
        let table = [
            (
                "{\n \"a\": 1,\n}",
                "a.json",
                "a.json:3:1: not valid JSON: trailing comma; remove the comma after the last item",
            ),
            (
                "{\n# x\n}",
                "a.json",
                "a.json:2:1: not valid JSON: key must be a string; a comment in JSON begins with // (or write the file in YAML and name it .yaml)",
            ),
            (
                "{\"a\": \"\\d\"}",
                "a.json",
                "a.json:1:9: not valid JSON: invalid escape; a backslash in JSON is written \\\\",
            ),
            (
                "{\"a\": {",
                "a.json",
                "a.json:1:7: not valid JSON: EOF while parsing an object; the file ends too early; a closing } or ] is missing",
            ),
        ];
        for (text, name, expected) in table {
            let problem = Source::new(text, name).tree(&mut Findings::default()).unwrap_err();
            assert_eq!(problem.to_string(), expected);
        }
        let yaml = Source::new("a: 1\n\tb: 2\n", "a.yaml").tree(&mut Findings::default()).unwrap_err();
        assert_eq!(yaml.position.line, 2, "{yaml}");
        assert_eq!(yaml.hint.as_deref(), Some("indent with spaces, YAML allows no tabs"));
    }
}
