//! Which host this is, for the ids of records that many hosts write into one stream.
//!
//! Invariant: two hosts differ in what this gives, as far as anything in them differs.

use std::path::Path;

/// The machine's id and the host's name: images and cloned machines share the one, machines without a name of their own
/// the other. Something random where neither can be read.
#[must_use]
pub fn host_identity() -> String {
    let read = |path| super::read_text(Path::new(path)).unwrap_or_default();
    identity(&read("/etc/machine-id"), &read("/proc/sys/kernel/hostname"), || fastrand::u64(..))
}

fn identity(machine_id: &str, name: &str, random: impl Fn() -> u64) -> String {
    match (machine_id.trim(), name.trim()) {
        ("", "") => format!("random {:016x}", random()),
        (machine_id, name) => format!("{machine_id} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::identity;

    #[test]
    fn a_host_is_its_machine_id_and_its_name() {
        for (machine_id, name, expected) in [
            ("71af\n", "web-1\n", "71af web-1"),
            ("", "web-1\n", " web-1"),
            ("71af\n", "", "71af "),
            (" ", "\n", "random 000000000000002a"),
        ] {
            assert_eq!(identity(machine_id, name, || 42), expected);
        }
    }
}
