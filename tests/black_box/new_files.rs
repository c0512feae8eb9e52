//! Files that appear while the agent runs, found by notification: the rescan is an hour away.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::patience::{PATIENCE, comes_true};
use crate::workshop::{UNREADABLE, Workshop, sorted};

/// A rescan that never comes, and small batches at once.
fn rarely_rescanned() -> Value {
    json!({ "maxTimeBetweenFileTrackerRefreshMillis": 3_600_000 })
}

fn arrives(shop: &Workshop, lines: &[&str], patience: Duration) -> bool {
    comes_true(patience, || shop.shipped() == sorted(lines))
}

#[test]
fn a_new_file_is_found_by_notification() {
    let shop = Workshop::new();
    shop.write("first.log", "first\n");
    let agent = shop.run_started(&shop.configure(&[shop.flow("*.log", rarely_rescanned())]));
    assert!(arrives(&shop, &["first\n"], PATIENCE), "{}", agent.stderr());
    shop.write("second.log", "second\n");
    assert!(arrives(&shop, &["first\n", "second\n"], PATIENCE), "{}", agent.stderr());
    fs::rename(shop.log("second.log"), shop.root().join("second.log")).unwrap();
    fs::write(shop.root().join("third.tmp"), "third\n").unwrap();
    fs::rename(shop.root().join("third.tmp"), shop.log("third.log")).unwrap();
    assert!(arrives(&shop, &["first\n", "second\n", "third\n"], PATIENCE), "{}", agent.stderr());
    agent.stop();
}

#[test]
fn a_directory_that_appears_later_is_watched_then() {
    let shop = Workshop::new();
    let pattern = json!({
        "filePattern": shop.root().join("later/*.log"),
        "maxTimeBetweenFileTrackerRefreshMillis": 3_600_000,
    });
    let agent = shop.run_started(&shop.configure(&[shop.flow("", pattern)]));
    fs::create_dir(shop.root().join("later")).unwrap();
    fs::write(shop.root().join("later/a.log"), "a\n").unwrap();
    assert!(arrives(&shop, &["a\n"], PATIENCE), "{}", agent.stderr());
    fs::write(shop.root().join("later/b.log"), "b\n").unwrap();
    assert!(arrives(&shop, &["a\n", "b\n"], PATIENCE), "{}", agent.stderr());
    agent.stop();
}

#[test]
fn a_directory_that_goes_and_comes_back_is_followed_again() {
    let shop = Workshop::new();
    shop.write("first.log", "first\n");
    let agent = shop.run_started(&shop.configure(&[shop.flow("*.log", rarely_rescanned())]));
    assert!(arrives(&shop, &["first\n"], PATIENCE), "{}", agent.stderr());
    fs::rename(shop.root().join("logs"), shop.root().join("logs.old")).unwrap();
    fs::create_dir(shop.root().join("logs")).unwrap();
    shop.write("second.log", "second\n");
    assert!(arrives(&shop, &["first\n", "second\n"], PATIENCE), "{}", agent.stderr());
    agent.stop();
}

#[test]
fn globs_of_directories_exclusions_and_other_things_of_that_name() {
    let shop = Workshop::new();
    let more = json!({
        "filePattern": shop.root().join("**/*.log"),
        "excludeFilePatterns": ["debug*", "*/private/*"],
        "maxTimeBetweenFileTrackerRefreshMillis": 3_600_000,
    });
    fs::create_dir(shop.log("a directory.log")).unwrap();
    assert!(Command::new("mkfifo").arg(shop.log("a pipe.log")).status().unwrap().success());
    shop.write("a.log", "a\n");
    fs::hard_link(shop.log("a.log"), shop.log("hard.log")).unwrap();
    symlink(shop.log("a.log"), shop.log("symbolic.log")).unwrap();
    shop.write("debug.log", "not wanted\n");
    let agent = shop.run_started(&shop.configure(&[shop.flow("", more)]));
    assert!(arrives(&shop, &["a\n"], PATIENCE), "{}", agent.stderr());
    fs::create_dir_all(shop.root().join("other/deep/private")).unwrap();
    fs::write(shop.root().join("other/deep/private/c.log"), "not wanted\n").unwrap();
    fs::write(shop.root().join("other/deep/b.log"), "b\n").unwrap();
    assert!(arrives(&shop, &["a\n", "b\n"], PATIENCE), "{}", agent.stderr());
    let said = agent.stop().stderr;
    assert_eq!(said.matches("no regular file").count(), 2, "{said}");
}

#[test]
fn unreadable_files_do_not_stop_the_others() {
    for position in ["START_OF_FILE", "END_OF_FILE"] {
        let shop = Workshop::new();
        for (name, target) in UNREADABLE {
            symlink(target, shop.log(name)).unwrap();
        }
        let flow = shop.flow("*.log", json!({ "initialPosition": position }));
        let agent = shop.run_started(&shop.configure(&[flow]));
        shop.write("2-good.log", "good\n");
        assert!(arrives(&shop, &["good\n"], PATIENCE), "{}", agent.stderr());
        shop.write("3-good.log", "good too\n");
        assert!(arrives(&shop, &["good\n", "good too\n"], PATIENCE), "{}", agent.stderr());
        let said = agent.stop().stderr;
        for (name, target) in UNREADABLE {
            // Where the kernel does not have such a file, the link leads nowhere and there is nothing to say.
            let is_named = said.contains(name) || !Path::new(target).exists();
            assert!(is_named, "{name} is not named:\n{said}");
        }
        assert!(said.lines().count() < 40, "the trouble is not said again and again:\n{said}");
    }
}
