//! Finds the line and the column of a path in the text of a file.
//!
//! serde gives positions for errors of syntax only; a value out of range or an unknown key is found later, in
//! the tree, which has no positions. Invariant: there is always an answer; a path that is not in the text (a
//! missing key) is shown at the nearest object around it.

mod json;
mod yaml;

use super::path::{ConfigPath, Step};
use super::problem::Position;
use super::source::Format;

/// The position of the key at the end of `path`, or of the value if the path ends in an index.
pub(super) fn locate(format: Format, text: &str, path: &ConfigPath) -> Position {
    let find: fn(&str, &[Step]) -> Option<Position> = match format {
        Format::Json => json::find,
        Format::Yaml => yaml::find,
    };
    let steps = path.steps();
    let nearest = (0..=steps.len()).rev().find_map(|length| find(text, &steps[..length]));
    nearest.unwrap_or(Position { line: 1, column: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{
  "a": "flows\" {",
  "flows": [
    { "filePattern": "/x", "n": [1, [2], {}] }, {
      "é": 1, "filePattern": "/y", "filePattern": "/z",
      "esc\u0061pe": null }
  ]
}"#;

    const YAML: &str = "# flows: no
a: 'flows:'
flows:
  - filePattern: /x
    n: [1, [2], {}]
  - é: 1
    filePattern: >
      filePattern: text
    \"esc\\u0061pe\": null
";

    fn path(text: &str) -> ConfigPath {
        text.split_whitespace().fold(ConfigPath::root(), |path, step| match step.parse() {
            Ok(index) => path.index(index),
            Err(_) => path.key(step),
        })
    }

    fn check(format: Format, text: &str, table: &[(&str, usize, usize)]) {
        for (steps, line, column) in table {
            let expected = Position { line: *line, column: *column };
            assert_eq!(locate(format, text, &path(steps)), expected, "{steps} in {format:?}");
        }
    }

    #[test]
    fn finds_keys_and_items_of_json() {
        let table = [
            ("", 1, 1),
            ("a", 2, 3),
            ("flows", 3, 3),
            ("flows 0", 4, 5),
            ("flows 0 filePattern", 4, 7),
            ("flows 0 n 1 0", 4, 38),
            ("flows 0 n 2", 4, 42),
            ("flows 1", 4, 49),
            ("flows 1 é", 5, 7),
            ("flows 1 filePattern", 5, 36),
            ("flows 1 escape", 6, 7),
            ("flows 1 missing", 4, 49),
            ("missing", 1, 1),
            ("flows 7 filePattern", 3, 3),
        ];
        check(Format::Json, JSON, &table);
    }

    #[test]
    fn finds_keys_and_items_of_yaml() {
        let table = [
            ("a", 2, 1),
            ("flows", 3, 1),
            ("flows 0", 4, 5),
            ("flows 0 filePattern", 4, 5),
            ("flows 0 n", 5, 5),
            ("flows 0 n 1 0", 5, 13),
            ("flows 1", 6, 5),
            ("flows 1 é", 6, 5),
            ("flows 1 filePattern", 7, 5),
            ("flows 1 escape", 9, 5),
            ("flows 1 missing", 6, 5),
            ("flows 7 filePattern", 3, 1),
        ];
        check(Format::Yaml, YAML, &table);
    }

    #[test]
    fn a_broken_text_has_a_position_too() {
        check(Format::Json, "{\"a\" 1", &[("a", 1, 1), ("b", 1, 1)]);
        check(Format::Yaml, "", &[("a", 1, 1)]);
    }
}
