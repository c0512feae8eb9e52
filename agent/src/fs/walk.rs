//! A way through names, some of which are symbolic links that others may exchange at any time.
//!
//! Each name is opened below the directory before it, so that nothing that is renamed meanwhile changes what was seen.
//!
//! Invariants: the kernel follows no link, and nothing is opened but looked at; links that lead in a circle end.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, openat, readlinkat};

use crate::config::link_policy::UserId;

/// Links on one way at most, as in the kernel.
const MOST_LINKS: usize = 40;

/// A look that opens nothing.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A way that is being walked.
#[derive(Debug)]
pub(super) struct Walk {
    /// Where it stands.
    pub(super) directory: File,
    /// The path of that, without links.
    pub(super) path: PathBuf,
    /// Names that are not walked yet.
    pub(super) left: VecDeque<OsString>,
    /// Links that were followed.
    pub(super) links: Vec<Link>,
}

/// A symbolic link that was followed.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) owner: UserId,
    /// Where it is.
    pub(super) directory: PathBuf,
    /// How many names are left when what it leads to is reached; `None` from then on.
    pub(super) left_behind: Option<usize>,
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Step {
    /// A link, which was followed.
    Followed,
    /// Something else, which is where the walk stands now.
    Entered(Metadata),
    /// The last name, and it is no link: the walk stands in its directory.
    Last { name: OsString, metadata: Metadata },
}

impl Walk {
    pub(super) fn start(path: &Path) -> io::Result<Self> {
        let directory = look_at_directory(Path::new("."))?;
        let mut walk = Self { directory, path: PathBuf::new(), left: VecDeque::new(), links: Vec::new() };
        walk.go_by(path)?;
        Ok(walk)
    }

    /// Takes the next name. `None`: there is none.
    pub(super) fn step(&mut self) -> io::Result<Option<Step>> {
        let Some(name) = self.left.front() else { return Ok(None) };
        let place = File::from(openat(&self.directory, name, LOOK, Mode::empty())?);
        let metadata = place.metadata()?;
        if metadata.is_symlink() {
            if self.links.len() >= MOST_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            let target = readlinkat(&place, "", Vec::new())?;
            self.left.pop_front();
            let (owner, directory) = (metadata.uid(), self.path.clone());
            self.links.push(Link { owner, directory, left_behind: Some(self.left.len()) });
            self.go_by(Path::new(&OsString::from_vec(target.into_bytes())))?;
            return Ok(Some(Step::Followed));
        }
        let Some(name) = self.left.pop_front() else { return Ok(None) };
        if self.left.is_empty() && name != ".." {
            return Ok(Some(Step::Last { name, metadata }));
        }
        self.directory = place;
        enter(&mut self.path, &name);
        Ok(Some(Step::Entered(metadata)))
    }

    /// The path of what is left, without looking.
    #[must_use]
    pub(super) fn rest(mut self) -> PathBuf {
        self.left.iter().for_each(|name| enter(&mut self.path, name));
        self.path
    }

    /// Puts the names of a path before those that are left.
    fn go_by(&mut self, path: &Path) -> io::Result<()> {
        for component in path.components().rev() {
            match component {
                Component::RootDir => {
                    self.directory = look_at_directory(Path::new("/"))?;
                    self.path = PathBuf::from("/");
                }
                Component::CurDir | Component::Prefix(_) => {}
                Component::ParentDir => self.left.push_front("..".into()),
                Component::Normal(name) => self.left.push_front(name.to_owned()),
            }
        }
        Ok(())
    }
}

fn enter(path: &mut PathBuf, name: &OsStr) {
    let is_above = path.as_os_str().is_empty() || path.ends_with("..");
    if name == ".." && !is_above {
        path.pop();
    } else {
        path.push(name);
    }
}

fn look_at_directory(path: &Path) -> io::Result<File> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}
