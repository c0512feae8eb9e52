//! Opening a file by a name on whose way others may have made links, as [`link_policy`](crate::config::link_policy) says.
//!
//! Invariant: what is read is the file whose owner was compared, whatever is renamed meanwhile.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, openat};

use super::{NEVER_WAIT, Step, Walk, check_regular, open_regular};
use crate::config::link_policy::{
    LinkPolicy, NamedFile, ROOT, Untrusted, UserId, check_hard_links, check_symbolic_link,
};

/// Bits of a mode: everybody may read, everybody may write.
const PUBLIC_READ: u32 = 0o004;
const PUBLIC_WRITE: u32 = 0o002;

/// Opens the regular file that a name leads to, if the policy lets it.
///
/// # Errors
///
/// It cannot be opened, is no regular file, or is left alone ([`Untrusted`]).
pub(super) fn open(path: &Path, policy: LinkPolicy) -> io::Result<File> {
    if policy == LinkPolicy::All {
        return open_regular(path);
    }
    let mut walk = Walk::start(path)?;
    let Some((name, seen)) = walk_to_last(&mut walk)? else {
        // The way ends in a directory.
        check_regular(&walk.directory.metadata()?)?;
        return Err(io::ErrorKind::NotFound.into());
    };
    check_regular(&seen)?;
    // The last name was no link a moment ago, and is not followed if it is one now.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | NEVER_WAIT;
    let file = File::from(openat(&walk.directory, &name, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    check_last(&mut walk, &metadata)?;
    Ok(file)
}

/// Whether the policy lets what a name leads to be opened, or listed if it is a directory. It may be something else later.
///
/// # Errors
///
/// It cannot be looked at, or is left alone ([`Untrusted`]).
pub(super) fn check(path: &Path, policy: LinkPolicy) -> io::Result<()> {
    if policy == LinkPolicy::All {
        return Ok(());
    }
    let mut walk = Walk::start(path)?;
    match walk_to_last(&mut walk)? {
        Some((_, metadata)) => check_last(&mut walk, &metadata),
        None => Ok(()),
    }
}

/// Follows the links that may be followed. `None`: the way ends where the walk stands.
fn walk_to_last(walk: &mut Walk) -> io::Result<Option<(OsString, Metadata)>> {
    while let Some(step) = walk.step()? {
        match step {
            // A link to the root, or to where it is, is at its end already.
            Step::Followed => check_reached(walk, None)?,
            Step::Entered(metadata) => check_reached(walk, Some(&metadata))?,
            Step::Last { name, metadata } => return Ok(Some((name, metadata))),
        }
    }
    Ok(None)
}

fn check_last(walk: &mut Walk, metadata: &Metadata) -> io::Result<()> {
    check_reached(walk, Some(metadata))?;
    if !metadata.is_file() {
        return Ok(());
    }
    let directory = walk.directory.metadata()?;
    let named = NamedFile {
        owner: metadata.uid(),
        names: metadata.nlink(),
        is_public: metadata.mode() & PUBLIC_READ != 0,
        directory_owner: directory.uid(),
        is_directory_public: directory.mode() & PUBLIC_WRITE != 0,
    };
    check_hard_links(&named, agent()).map_err(refused)
}

/// Something that is no link was reached, by default where the walk stands: checks the links that lead to it.
fn check_reached(walk: &mut Walk, target: Option<&Metadata>) -> io::Result<()> {
    let left = walk.left.len();
    let is_reached = |behind: &mut usize| *behind >= left;
    let mut owners =
        walk.links.iter_mut().filter_map(|link| link.left_behind.take_if(is_reached).map(|_| link.owner));
    let Some(first) = owners.next() else { return Ok(()) };
    let target_owner = match target {
        Some(target) => target.uid(),
        None => walk.directory.metadata()?.uid(),
    };
    let mut owners = std::iter::once(first).chain(owners);
    owners.try_for_each(|owner| check_symbolic_link(owner, target_owner, agent())).map_err(refused)
}

/// An error that says why a file is left alone.
pub(super) fn refused(untrusted: Untrusted) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, untrusted)
}

/// The user that the agent runs as; where the system does not tell, root, whom it trusts anyway.
#[must_use]
pub fn agent() -> UserId {
    static AGENT: OnceLock<UserId> = OnceLock::new();
    *AGENT.get_or_init(|| {
        let status = super::read_text(Path::new("/proc/self/status")).unwrap_or_default();
        effective_user(&status).unwrap_or(ROOT)
    })
}

/// From proc(5): the real, effective, saved and file system user.
fn effective_user(status: &str) -> Option<UserId> {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "makes what is opened")]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn content(path: &Path) -> Result<String, String> {
        let file = open(path, LinkPolicy::Trusted).map_err(|error| error.to_string())?;
        io::read_to_string(file).map_err(|error| error.to_string())
    }

    #[test]
    fn ways_lead_where_the_kernels_lead() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path().canonicalize().expect("is there");
        let of = |name: &str| root.join(name);
        std::fs::create_dir_all(of("a/b")).expect("makes");
        std::fs::write(of("a/b/file"), "here").expect("writes");
        for (target, link) in [
            ("b/file", "a/relative"),
            ("../a/b/file", "a/up"),
            (of("a/b").to_str().expect("text"), "directory"),
            ("directory", "chain"),
            (".", "a/here"),
            ("/", "top"),
            ("loop", "loop"),
            ("nothing", "dangling"),
        ] {
            symlink(target, of(link)).expect("links");
        }
        let below_top = of("top").join(of("a/b/file").strip_prefix("/").expect("absolute"));
        for way in [
            "a/b/file",
            "a/relative",
            "a/up",
            "directory/file",
            "chain/file",
            "chain/../relative",
            "a/here/up",
        ] {
            assert_eq!(content(&of(way)), Ok("here".to_owned()), "{way}");
        }
        assert_eq!(content(&below_top), Ok("here".to_owned()));
        for way in ["loop", "dangling", "a/b/file/x", "a", "top", "a/.."] {
            assert!(content(&of(way)).is_err(), "{way}");
        }
    }

    #[test]
    fn who_the_agent_is() {
        assert_eq!(effective_user("Name:\tx\nUid:\t1\t900\t1\t1\nGid:\t5\t5\t5\t5\n"), Some(900));
        assert_eq!(effective_user("Uid:\t"), None);
    }
}
