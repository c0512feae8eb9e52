//! Tables that say which test here checks what a test of another program checks; the tests of the crates include this file.

/// One row of a table.
pub(crate) struct Row<'a> {
    pub(crate) case: &'a str,
    pub(crate) checks: &'a str,
    pub(crate) here: &'a str,
}

/// How a row begins that has a reason in place of a test.
const REASON: &str = "not applicable: ";

/// The rows below a heading. Cells that are missing are empty.
pub(crate) fn rows<'a>(text: &'a str, heading: &str) -> Vec<Row<'a>> {
    let section = text.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let lines = section.unwrap_or_default().lines().filter(|line| line.starts_with('|')).skip(2);
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

/// No case stands twice.
#[track_caller]
pub(crate) fn assert_each_once(rows: &[Row<'_>]) {
    let mut cases: Vec<_> = rows.iter().map(|row| row.case).collect();
    cases.sort_unstable();
    let twice = cases.windows(2).find(|two| two[0] == two[1]);
    assert_eq!(twice, None, "a case stands twice");
}

/// Every row says what is checked, and names a test or a reason.
#[track_caller]
pub(crate) fn assert_complete(rows: &[Row<'_>]) {
    for row in rows {
        let case = row.case;
        assert!(!case.is_empty() && !row.checks.is_empty(), "{case}: an empty cell");
        let reason = row.here.strip_prefix(REASON);
        assert!(reason.is_none_or(|reason| reason.len() > 10), "{case}: no reason");
        assert!(reason.is_some() || row.here.starts_with('`'), "{case}: neither a test nor a reason");
        assert!(reason.is_some() || !tests_in(row.here).is_empty(), "{case}: no test");
    }
}

/// Every test that is named is there.
#[track_caller]
pub(crate) fn assert_tests_are_there(rows: &[Row<'_>]) {
    for row in rows {
        for (path, name) in tests_in(row.here) {
            let found = source(path).map(|source| has_test(&source, name));
            assert!(matches!(found, Ok(true)), "{}: {path} has no test {name}: {found:?}", row.case);
        }
    }
}
