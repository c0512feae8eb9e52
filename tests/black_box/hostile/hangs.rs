//! A file system that answers nothing, and signals.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::books::{Books, line};
use crate::patience::{PATIENCE, comes_true};
use crate::workshop::Workshop;

/// The default `shutdownTimeoutMillis`, what a stop may take beyond it, and some room for a busy machine.
const STOP_PATIENCE: Duration = Duration::from_secs(40);

/// A FUSE file system whose server never answers. It is gone with this.
struct HungFileSystem {
    server: Child,
    at: PathBuf,
}

impl HungFileSystem {
    /// `None` where mounting is not allowed.
    fn mount(at: &Path) -> Option<Self> {
        if !Path::new("/dev/fuse").exists() {
            return None;
        }
        fs::create_dir(at).unwrap();
        let script = "exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hung \"$0\" \
                      && echo mounted && exec sleep 600";
        let told = at.with_extension("told");
        let mut server = Command::new("bash")
            .args(["-c", script])
            .arg(at)
            .stdout(File::create(&told).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let is_mounted = || fs::read_to_string(&told).unwrap().contains("mounted");
        comes_true(PATIENCE, || is_mounted() || server.try_wait().unwrap().is_some());
        is_mounted().then(|| Self { server, at: at.to_owned() })
    }
}

impl Drop for HungFileSystem {
    fn drop(&mut self) {
        // Its end ends what waits for it.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

#[test]
fn a_flow_that_hangs_holds_up_no_other_and_no_stop() {
    let shop = Workshop::new();
    let Some(hung) = HungFileSystem::mount(&shop.root().join("hung")) else {
        println!("left out: mounting a file system needs root and /dev/fuse");
        return;
    };
    let good = shop.flow("*.log", json!({}));
    let bad = shop.flow("x", json!({ "filePattern": hung.at.join("*.log") }));
    let configuration = shop.configure(&[bad, good.clone()]);
    let agent = shop.run(&configuration);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    for number in 0..20 {
        shop.write(&format!("{number}.log"), line(number));
        books.await_lines(number + 1, PATIENCE, || reader.read_all());
    }
    let is_said = comes_true(PATIENCE, || agent.stderr().contains("are not listed yet"));
    assert!(is_said, "{}", agent.stderr());
    agent.terminate();
    let finished = agent.finish(STOP_PATIENCE);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("the flow did not end in time"), "{}", finished.stderr);

    // The checkpoints of the other flow are saved.
    shop.once(&shop.configure(&[good]));
    books.enter(reader.read_all());
    books.assert_exact(20);
}

#[test]
fn signals_that_mean_nothing_to_the_agent_do_not_end_it() {
    let shop = Workshop::new();
    let configuration = shop.configure(&[shop.flow("*.log", json!({}))]);
    let agent = shop.run_started(&configuration);
    let (mut reader, mut books) = (shop.reader(), Books::default());
    for (number, name) in (0..).zip(["HUP", "USR1", "USR2", "ALRM", "IO", "PIPE", "HUP"]) {
        agent.signal(name);
        shop.write(&format!("{number}.log"), line(number));
        books.await_lines(number + 1, PATIENCE, || reader.read_all());
    }
    let finished = agent.stop();
    assert!(finished.stderr.contains("SIGHUP has no effect"), "{}", finished.stderr);
    books.assert_exact(7);
}
