//! Which links in log directories are followed.
//!
//! | what leads to the file | followed if its owner is |
//! |---|---|
//! | a symbolic link | root, the agent's user, or the owner of what it leads to |
//! | a symbolic link, to a rotated file beside what it leads to | root, the agent's user, or the owner of the rotated file |
//! | a name beside others (hard links) | anybody, where only root, the agent's user and the file's owner make names in the directory |
//!
//! So whoever owns a log directory cannot make the agent ship what somebody else owns. Root's and the agent's own links are
//! meant as they are. With [`LinkPolicy::All`] everything is followed.

use std::fmt;

/// A user's number.
pub type UserId = u32;

/// The superuser.
pub const ROOT: UserId = 0;

/// Which links are followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LinkPolicy {
    /// TRUSTED: those of root, of the agent's user and of the owner of what they lead to. The default.
    #[default]
    Trusted,
    /// ALL.
    All,
}

/// A file of which somebody else may have made a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedFile {
    /// Its owner.
    pub owner: UserId,
    /// How many names it has.
    pub names: u64,
    /// Whether everybody may read it.
    pub is_public: bool,
    /// The owner of the directory in which the name stands.
    pub directory_owner: UserId,
    /// Whether everybody may make names in that directory.
    pub is_directory_public: bool,
}

/// Why a file is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// A symbolic link.
    SymbolicLink {
        /// Its owner.
        owner: UserId,
        /// The owner of what it leads to.
        target_owner: UserId,
    },
    /// One of several names.
    HardLink {
        /// The file's owner.
        owner: UserId,
        /// The directory's.
        directory_owner: UserId,
    },
    /// A rotated file behind a symbolic link.
    Generation {
        /// Its owner.
        owner: UserId,
        /// The link's.
        link_owner: UserId,
    },
}

/// Whose files are taken for the generations of the file to which links lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generations {
    /// Anybody's: the links are root's or the agent's.
    OfAnybody,
    /// Those of the user who made the links.
    Of(UserId),
    /// None: several users made them.
    None,
}

impl LinkPolicy {
    /// The policy of this exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "TRUSTED" => Some(Self::Trusted),
            "ALL" => Some(Self::All),
            _ => None,
        }
    }
}

/// Whether a symbolic link of `owner` to something of `target_owner` is followed; `agent`: the agent's user.
///
/// # Errors
///
/// It is not.
pub fn check_symbolic_link(owner: UserId, target_owner: UserId, agent: UserId) -> Result<(), Untrusted> {
    if [ROOT, agent, target_owner].contains(&owner) {
        Ok(())
    } else {
        Err(Untrusted::SymbolicLink { owner, target_owner })
    }
}

/// Whether a file that may have other names is read under this one.
///
/// # Errors
///
/// It is not.
pub fn check_hard_links(file: &NamedFile, agent: UserId) -> Result<(), Untrusted> {
    let NamedFile { owner, directory_owner, .. } = *file;
    let is_trusted = [ROOT, agent, owner].contains(&directory_owner) && !file.is_directory_public;
    if file.names <= 1 || file.is_public || is_trusted {
        Ok(())
    } else {
        Err(Untrusted::HardLink { owner, directory_owner })
    }
}

/// Whose generations are read behind links of these owners: a link leads to its file, and by that to what rotation seems to
/// have made of it, which may be another's in truth.
#[must_use]
pub fn generations_behind(owners: &[UserId], agent: UserId) -> Generations {
    let mut users = owners.iter().filter(|owner| ![ROOT, agent].contains(owner));
    match users.next() {
        None => Generations::OfAnybody,
        Some(user) if users.all(|other| other == user) => Generations::Of(*user),
        Some(_) => Generations::None,
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SymbolicLink { owner, target_owner } => {
                let or_owner =
                    if *target_owner == ROOT { String::new() } else { format!(" or user {target_owner}") };
                write!(
                    f,
                    "a symbolic link of user {owner} leads to something of user {target_owner}, so it is not followed; let \
                     root{or_owner} make the link, or set linkPolicy to ALL if all who may write there are trusted"
                )
            }
            Self::HardLink { owner, directory_owner } => write!(
                f,
                "the file of user {owner} has other names, too, and this one is in a directory in which others make names \
                 (user {directory_owner} owns it), so it is not read; remove the other names, or set linkPolicy to ALL if \
                 all who may write there are trusted"
            ),
            Self::Generation { owner, link_owner } => write!(
                f,
                "the rotated file of user {owner} is behind a symbolic link of user {link_owner}, so it is not read; let root \
                 make the link, or set linkPolicy to ALL if all who may write there are trusted"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: UserId = 900;
    const BOB: UserId = 1001;
    const ALICE: UserId = 1002;

    #[test]
    fn whose_symbolic_links_are_followed() {
        for (owner, target_owner, expected) in [
            (ROOT, ROOT, true),
            (ROOT, BOB, true),
            (AGENT, ROOT, true),
            (BOB, BOB, true),
            (BOB, ROOT, false),
            (BOB, AGENT, false),
            (BOB, ALICE, false),
        ] {
            let checked = check_symbolic_link(owner, target_owner, AGENT);
            assert_eq!(checked.is_ok(), expected, "{owner} to {target_owner}");
        }
    }

    #[test]
    fn whose_generations_are_read_behind_links() {
        for (owners, expected) in [
            (&[][..], Generations::OfAnybody),
            (&[ROOT, AGENT], Generations::OfAnybody),
            (&[ROOT, BOB, BOB], Generations::Of(BOB)),
            (&[ALICE, BOB], Generations::None),
        ] {
            assert_eq!(generations_behind(owners, AGENT), expected, "{owners:?}");
        }
    }

    #[test]
    fn which_of_several_names_are_read() {
        let log = NamedFile {
            owner: ROOT,
            names: 2,
            is_public: false,
            directory_owner: BOB,
            is_directory_public: false,
        };
        for (name, file, expected) in [
            ("another's file in a user's directory", log, false),
            ("one name only", NamedFile { names: 1, ..log }, true),
            ("a deleted one", NamedFile { names: 0, ..log }, true),
            ("what everybody may read", NamedFile { is_public: true, ..log }, true),
            ("the user's own", NamedFile { owner: BOB, ..log }, true),
            ("root's directory", NamedFile { owner: ALICE, directory_owner: ROOT, ..log }, true),
            ("the agent's directory", NamedFile { directory_owner: AGENT, ..log }, true),
            (
                "everybody's directory",
                NamedFile { directory_owner: ROOT, is_directory_public: true, ..log },
                false,
            ),
        ] {
            assert_eq!(check_hard_links(&file, AGENT).is_ok(), expected, "{name}");
        }
    }
}
