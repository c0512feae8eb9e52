//! `CONFORMANCE.md` names tests; this one holds it to them.

/// One row of the table.
struct Row<'a> {
    case: &'a str,
    checks: &'a str,
    here: &'a str,
}

/// How a row begins that has a reason in place of a test.
const REASON: &str = "not applicable: ";

/// The rows below a heading. Cells that are missing are empty.
fn rows(heading: &str) -> Vec<Row<'static>> {
    let text = include_str!("../CONFORMANCE.md");
    let section = text.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    lines
        .map(|line| {
            let mut cells = line.trim_matches('|').splitn(3, '|').map(str::trim);
            let mut cell = || cells.next().unwrap_or_default();
            Row { case: cell(), checks: cell(), here: cell() }
        })
        .collect()
}

/// The tests that a cell names: path below the crate, and name.
fn tests_in(cell: &str) -> Vec<(&str, &str)> {
    cell.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect()
}

#[expect(clippy::disallowed_methods, reason = "it judges source files, so it has to read them")]
fn source(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
}

/// Whether `name` is a function of the source right below a test's attribute.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    lines.windows(2).any(|two| {
        let is_test = two[0] == "#[test]" || two[0].starts_with("#[tokio::test");
        is_test && two[1].trim_start_matches("async ").starts_with(&format!("fn {name}("))
    })
}

#[test]
fn every_case_of_the_kpl_has_a_row() {
    let (native, java) = (rows("Native"), rows("Java"));
    assert_eq!((native.len(), java.len()), (84 + 1, 42), "84 native cases, a disabled one, and 42 of Java");
    let mut cases: Vec<_> = native.iter().chain(&java).map(|row| row.case).collect();
    cases.sort_unstable();
    assert!(cases.is_sorted_by(|one, other| one < other), "a case stands twice");
}

#[test]
fn every_row_says_what_and_names_a_test_or_a_reason() {
    for row in rows("Native").into_iter().chain(rows("Java")) {
        let case = row.case;
        assert!(!case.is_empty() && !row.checks.is_empty(), "{case}: an empty cell");
        let reason = row.here.strip_prefix(REASON);
        assert!(reason.is_none_or(|reason| reason.len() > 10), "{case}: no reason");
        assert!(reason.is_some() || row.here.starts_with('`'), "{case}: neither a test nor a reason");
        assert!(reason.is_some() || !tests_in(row.here).is_empty(), "{case}: no test");
    }
}

#[test]
fn every_named_test_is_there() {
    for row in rows("Native").into_iter().chain(rows("Java")) {
        for (path, name) in tests_in(row.here) {
            let source = source(path).unwrap_or_else(|error| panic!("{}: {path}: {error}", row.case));
            assert!(has_test(&source, name), "{}: {path} has no test {name}", row.case);
        }
    }
}
