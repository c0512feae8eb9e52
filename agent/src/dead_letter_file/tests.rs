//! The files as somebody finds them who looks for what could not be sent.
#![expect(clippy::disallowed_methods, reason = "these tests look at the files from outside")]

use std::fs;

use super::*;

fn in_directory(max_bytes: u64) -> (tempfile::TempDir, DeadLetterFile) {
    let directory = tempfile::tempdir().unwrap();
    let mut file = DeadLetterFile::new(directory.path().join("new"), "kinesis:s:/log/a*", max_bytes);
    file.full_bytes = 10;
    (directory, file)
}

fn names(file: &DeadLetterFile) -> Vec<String> {
    let entries = fs::read_dir(&file.directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn full_files_are_put_aside_and_nothing_is_deleted() {
    let (_directory, file) = in_directory(24);
    for line in ["one 1\n", "two\n", "three\n", "four 4\n"] {
        file.append(line.as_bytes()).unwrap();
    }
    let name = "kinesis_s__log_a_-".to_owned() + &file.name[18..];
    let expected = [format!("{name}.1.ndjson"), format!("{name}.2.ndjson"), format!("{name}.ndjson")];
    assert_eq!(names(&file), expected);
    let contents = expected.map(|name| fs::read_to_string(file.directory.join(name)).unwrap());
    assert_eq!(contents, ["one 1\ntwo\n", "three\n", "four 4\n"]);

    assert!(matches!(file.append(b"x\ny\n"), Err(DeadLetterError::Full { max_bytes: 24, .. })));
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "four 4\n");
    fs::remove_file(file.directory.join(format!("{name}.1.ndjson"))).unwrap();
    file.append(b"x\n").unwrap();
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "four 4\nx\n");
}

#[test]
fn half_a_line_is_ended_and_other_files_are_not_counted() {
    let (_directory, mut file) = in_directory(30);
    file.full_bytes = 100;
    fs::create_dir(&file.directory).unwrap();
    fs::write(file.path(), "half a li").unwrap();
    fs::write(file.directory.join("other.ndjson"), vec![0; 1000]).unwrap();
    fs::write(file.directory.join(format!("{}.x.ndjson", file.name)), vec![0; 1000]).unwrap();
    file.append(b"whole\n").unwrap();
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "half a li\nwhole\n");
}

#[test]
fn what_cannot_be_written_is_said() {
    let (directory, file) = in_directory(100);
    fs::write(directory.path().join("new"), "a file where the directory should be").unwrap();
    let error = file.append(b"x\n").unwrap_err().to_string();
    assert!(error.contains("cannot be written to"), "{error}");
}

#[test]
fn flows_have_files_of_their_own() {
    let name = |flow: &str| DeadLetterFile::new("/d".into(), flow, 1).path();
    assert_ne!(name("kinesis:s:/a/b"), name("kinesis:s:/a.b"));
    assert!(name(&"é/".repeat(500)).file_name().unwrap().len() < 128);
}
