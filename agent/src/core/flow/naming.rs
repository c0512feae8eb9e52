//! What the names of two files have to do with each other.

use std::path::{Path, PathBuf};

use crate::core::identity::is_rotated_name;
use crate::core::rotated_name::family;
use crate::core::rotation::Name;
use crate::source_file::{Kind, Listed};

/// An unknown file's names.
#[derive(Debug)]
pub(super) struct Naming<'a> {
    path: &'a Path,
    family: PathBuf,
    is_followed: bool,
}

impl<'a> Naming<'a> {
    pub(super) fn of(unknown: &'a Listed) -> Self {
        let is_followed = unknown.kind == Kind::Followed;
        Self { path: &unknown.path, family: family(&unknown.path), is_followed }
    }

    /// Its relation to the name of a remembered file. `is_listed`: that one is followed under this very name; then a
    /// follower beside it has nothing to do with it unless its name says so letter by letter. That is asked for every
    /// pair of files in a directory.
    pub(super) fn relation(&self, known: &Path, is_listed: bool) -> Name {
        if is_rotated_name(known, self.path) {
            Name::Rotated
        } else if known.as_os_str() == self.path.as_os_str() {
            Name::Same
        } else if is_listed && self.is_followed {
            Name::Other
        } else if family(known) == self.family {
            Name::Akin
        } else {
            Name::Other
        }
    }
}
