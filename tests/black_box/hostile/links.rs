//! Links in a user's log directory to what the user may not read.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::patience::{PATIENCE, comes_true};
use crate::status_commands::status;
use crate::workshop::{Workshop, sorted};

/// A user who may write to a log directory.
const USER: u32 = 12_345;
const OTHER: u32 = 12_346;

/// A workshop in which the directory for logs is a user's, and a file that only root may read. `None` where this test
/// may not give files away.
fn workshop() -> Option<(Workshop, PathBuf)> {
    let shop = Workshop::new();
    let secrets = shop.root().join("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o700)).unwrap();
    let secret = secrets.join("secret.log");
    write(&secret, "root's secret\n", 0);
    match chown(shop.log(""), Some(USER), None) {
        Ok(()) => Some((shop, secret)),
        Err(_) => {
            println!("left out: giving files away needs root");
            None
        }
    }
}

/// A file that only its owner may read.
fn write(path: &Path, content: &str, owner: u32) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    // Root's own need no change; in a test without root the first change tells.
    let _ = chown(path, Some(owner), None);
}

fn link(target: impl AsRef<Path>, at: &Path, owner: u32) {
    symlink(target, at).unwrap();
    lchown(at, Some(owner), None).unwrap();
}

fn ships(shop: &Workshop, flow: Value, expected: &[&str], said: &[&str]) {
    let agent = shop.run_started(&shop.configure(&[flow]));
    let is_there = comes_true(PATIENCE, || shop.shipped() == sorted(expected));
    let is_said = comes_true(PATIENCE, || said.iter().all(|words| agent.stderr().contains(words)));
    assert!(is_there && is_said, "{:?}\n{}", shop.shipped(), agent.stderr());
    agent.stop();
    assert_eq!(shop.shipped(), sorted(expected));
}

#[test]
fn a_link_of_a_user_to_a_file_of_root_is_told_and_left() {
    let Some((shop, secret)) = workshop() else { return };
    let (users, others) = (shop.root().join("users"), shop.root().join("others"));
    write(&users, "the user's own\n", USER);
    write(&others, "another user's\n", OTHER);
    write(&shop.log("good.log"), "good\n", USER);
    link(&secret, &shop.log("1.log"), USER);
    link(&others, &shop.log("2.log"), USER);
    link(&users, &shop.log("3.log"), USER);
    // A chain: root's link is behind the user's; and the user's behind root's.
    link(&secret, &shop.root().join("roots"), 0);
    link(shop.root().join("roots"), &shop.log("4.log"), USER);
    link(&secret, &shop.root().join("users-link"), USER);
    link(shop.root().join("users-link"), &shop.log("5.log"), 0);
    // A directory on the way.
    link(secret.parent().unwrap(), &shop.log("way"), USER);
    link(shop.log("way/secret.log"), &shop.log("6.log"), 0);
    write(&shop.root().join("meant"), "root means it\n", 0);
    link(shop.root().join("meant"), &shop.log("7.log"), 0);
    let expected = ["good\n", "the user's own\n", "root means it\n"];
    let said = ["1.log", "2.log", "4.log", "5.log", "6.log", "so it is not followed"];
    ships(&shop, shop.flow("*.log", json!({})), &expected, &said);
}

#[test]
fn a_directory_that_is_a_link_of_a_user_is_not_followed_to_files_of_root() {
    let Some((shop, secret)) = workshop() else { return };
    link(secret.parent().unwrap(), &shop.log("app"), USER);
    let good = shop.root().join("good");
    fs::create_dir(&good).unwrap();
    chown(&good, Some(USER), None).unwrap();
    write(&good.join("good.log"), "good\n", USER);
    link(&good, &shop.log("fine"), USER);
    ships(&shop, shop.flow("*/*.log", json!({})), &["good\n"], &["logs/app", "so it is not followed"]);
}

#[test]
fn a_link_to_what_rotation_seems_to_have_made_leads_to_the_user_s_files_only() {
    let Some((shop, _)) = workshop() else { return };
    let shared = shop.root().join("shared");
    fs::create_dir(&shared).unwrap();
    write(&shared.join("app.log"), "live\n", USER);
    write(&shared.join("app.log.1"), "root's secret\n", 0);
    write(&shared.join("app.log.2"), "older\n", USER);
    link(shared.join("app.log"), &shop.log("app.log"), USER);
    let agent = shop.run_started(&shop.configure(&[shop.flow("app.log", json!({}))]));
    assert!(comes_true(PATIENCE, || shop.shipped() == sorted(&["live\n"])), "{}", agent.stderr());
    // What is there at the start was rotated before; these come later.
    for name in ["app.log.1", "app.log.2"] {
        fs::remove_file(shared.join(name)).unwrap();
    }
    write(&shared.join("app.log.1"), "root's next secret\n", 0);
    write(&shared.join("app.log.2"), "the user's next\n", USER);
    fs::write(shared.join("app.log"), "live\nmore\n").unwrap();
    let expected = ["live\n", "more\n", "the user's next\n"];
    assert!(
        comes_true(PATIENCE, || shop.shipped() == sorted(&expected)),
        "{:?}\n{}",
        shop.shipped(),
        agent.stderr()
    );
    agent.stop();
    assert_eq!(shop.shipped(), sorted(&expected));
}

/// Another name for root's file, as fs.protected_hardlinks = 0 lets a user make it.
#[test]
fn a_hard_link_in_a_users_directory_to_a_file_of_root_is_told_and_left() {
    let Some((shop, secret)) = workshop() else { return };
    fs::hard_link(&secret, shop.log("hard.log")).unwrap();
    write(&shop.log("good.log"), "good\n", USER);
    write(&shop.log("twice.log"), "twice\n", USER);
    fs::hard_link(shop.log("twice.log"), shop.root().join("copy")).unwrap();
    ships(
        &shop,
        shop.flow("*.log", json!({})),
        &["good\n", "twice\n"],
        &["hard.log", "has other names, too"],
    );
}

/// The name is a good file when it is looked at, and a link when it is opened.
#[test]
fn a_file_that_becomes_a_link_between_look_and_open_ships_nothing_of_root() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use std::sync::atomic::{AtomicBool, Ordering};

    let Some((shop, secret)) = workshop() else { return };
    let (swapped, beside) = (shop.log("swapped.log"), shop.root().join("beside"));
    link(&secret, &beside, USER);
    write(&swapped, "good\n", USER);
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                renameat_with(CWD, &beside, CWD, &swapped, RenameFlags::EXCHANGE).unwrap();
            }
        });
        for number in 0..5 {
            write(&shop.log(&format!("{number}.log")), "good\n", USER);
            comes_true(PATIENCE, || {
                shop.shipped().iter().filter(|line| ***line == *b"good\n").count() > number
            });
        }
        is_over.store(true, Ordering::Relaxed);
    });
    agent.stop();
    assert!(!shop.shipped().iter().any(|line| line.starts_with(b"root")), "{:?}", shop.shipped());
}

/// A user cannot keep the agent from another's file by a link to it that is not followed.
#[test]
fn a_link_that_is_not_followed_hides_no_file() {
    let Some((shop, _)) = workshop() else { return };
    for (name, owner) in [("attacker", USER), ("victim", OTHER)] {
        let directory = shop.log(name);
        fs::create_dir(&directory).unwrap();
        chown(&directory, Some(owner), None).unwrap();
    }
    let victim = shop.log("victim/app.log");
    write(&victim, "one\n", OTHER);
    link(&victim, &shop.log("attacker/app.log"), USER);
    fs::hard_link(&victim, shop.log("attacker/hard.log")).unwrap();
    let agent = shop.run_started(&shop.configure(&[shop.flow("*/*.log", json!({}))]));
    assert!(comes_true(PATIENCE, || shop.shipped() == sorted(&["one\n"])), "{}", agent.stderr());
    fs::write(&victim, "one\ntwo\n").unwrap();
    assert!(comes_true(PATIENCE, || shop.shipped() == sorted(&["one\n", "two\n"])), "{}", agent.stderr());
    let (_, tree) = status(&shop, &shop.root().join("agent.json"));
    let flow = &tree["flows"][0];
    let not_read = flow["not_read"].as_array().unwrap();
    assert!(not_read.iter().all(|place| place["path"].as_str().unwrap().contains("attacker")), "{flow}");
    assert_eq!((not_read.len(), flow["files"].as_array().unwrap().len()), (2, 1), "{flow}");

    // What is cured is forgotten.
    fs::remove_file(shop.log("attacker/hard.log")).unwrap();
    fs::remove_file(shop.log("attacker/app.log")).unwrap();
    let is_forgotten = comes_true(PATIENCE, || {
        status(&shop, &shop.root().join("agent.json")).1["flows"][0]["not_read"] == json!([])
    });
    assert!(is_forgotten, "{}", agent.stderr());
    agent.stop();
}

/// A thousand links are a few lines in the log.
#[test]
fn many_links_that_are_not_followed_do_not_fill_the_log() {
    let Some((shop, secret)) = workshop() else { return };
    for number in 0..1000 {
        link(&secret, &shop.log(&format!("{number}.log")), USER);
    }
    write(&shop.log("good.log"), "good\n", USER);
    let agent = shop.run_started(&shop.configure(&[shop.flow("*.log", json!({}))]));
    assert!(comes_true(PATIENCE, || shop.shipped() == sorted(&["good\n"])), "{}", agent.stderr());
    let finished = agent.stop();
    assert!(finished.stderr.matches("so it is not followed").count() <= 20, "{}", finished.stderr);
    assert!(finished.stderr.contains("more cannot be read"), "{}", finished.stderr);
}

#[test]
fn everything_is_followed_if_that_is_wanted() {
    let Some((shop, secret)) = workshop() else { return };
    link(&secret, &shop.log("link.log"), USER);
    assert_eq!(fs::symlink_metadata(shop.log("link.log")).unwrap().uid(), USER);
    write(&shop.root().join("secrets/other"), "another\n", 0);
    fs::hard_link(shop.root().join("secrets/other"), shop.log("hard.log")).unwrap();
    let flow = shop.flow("*.log", json!({ "linkPolicy": "ALL" }));
    ships(&shop, flow, &["root's secret\n", "another\n"], &[]);
}
