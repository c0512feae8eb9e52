//! What the names of two files have to do with each other.
//!
//! Invariant: rotation goes by where a file is. One that is followed through symbolic links has, in comparisons, the name
//! to which they lead.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Flow;
use crate::core::identity::is_rotated_name;
use crate::core::rotated_name;
use crate::core::rotation::Name;
use crate::source_file::{Kind, Listed};

/// Where the symbolic links of the last listing led.
#[derive(Debug, Default)]
pub(super) struct Links(HashMap<PathBuf, PathBuf>);

impl Links {
    /// Where a file is.
    pub(super) fn real<'a>(&'a self, path: &'a Path) -> &'a Path {
        if self.0.is_empty() { path } else { self.0.get(path).map_or(path, PathBuf::as_path) }
    }

    /// What all generations of a log share; see [`rotated_name::family`].
    pub(super) fn family(&self, path: &Path) -> PathBuf {
        rotated_name::family(self.real(path))
    }
}

impl Flow {
    /// Notes where symbolic links lead, each with its end. To be called before [`Flow::listed`].
    pub fn links_lead(&mut self, ends: HashMap<PathBuf, PathBuf>) {
        self.links = Links(ends);
    }

    /// Where a file is that is followed under this name.
    #[must_use]
    pub fn real_path<'a>(&'a self, path: &'a Path) -> &'a Path {
        self.links.real(path)
    }
}

/// An unknown file's names.
#[derive(Debug)]
pub(super) struct Naming<'a> {
    links: &'a Links,
    path: &'a Path,
    family: PathBuf,
    is_followed: bool,
}

impl<'a> Naming<'a> {
    pub(super) fn of(unknown: &'a Listed, links: &'a Links) -> Self {
        let is_followed = unknown.kind == Kind::Followed;
        let path = links.real(&unknown.path);
        Self { links, path, family: rotated_name::family(path), is_followed }
    }

    /// Its relation to the names of a remembered file, the present one first. `is_listed`: that one is followed under
    /// this very name; then a follower beside it has nothing to do with it unless its name says so letter by letter. That
    /// is asked for every pair of files in a directory.
    pub(super) fn relation(&self, known: &Path, former: &[PathBuf], is_listed: bool) -> Name {
        let of_former = former.iter().map(|former| match self.relation_to(former, is_listed) {
            // The file has left this name: what is there now is another one.
            Name::Same => Name::Akin,
            relation => relation,
        });
        let mut relations = std::iter::once(self.relation_to(known, is_listed)).chain(of_former);
        relations.find(|relation| *relation != Name::Other).unwrap_or(Name::Other)
    }

    fn relation_to(&self, known: &Path, is_listed: bool) -> Name {
        let known = self.links.real(known);
        if is_rotated_name(known, self.path) {
            Name::Rotated
        } else if known.as_os_str() == self.path.as_os_str() {
            Name::Same
        } else if is_listed && self.is_followed {
            Name::Other
        } else if rotated_name::family(known) == self.family {
            Name::Akin
        } else {
            Name::Other
        }
    }
}
