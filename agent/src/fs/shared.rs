//! Whether a directory may change without this kernel's knowledge.
//!
//! Invariant: in doubt it may not; then a change that was not told of is found by the regular rescan.

use std::path::Path;

use rustix::fs::statfs;

/// File systems that other machines, or a program, change behind the kernel's back, by the magic numbers of statfs(2).
const SHARED: [(i64, &str); 17] = [
    (0x6969, "nfs"),
    (0x517B, "smb"),
    (0xFE53_4D42, "smb2"),
    (0xFF53_4D42, "cifs"),
    (0x6573_5546, "fuse"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "ceph"),
    (0x5346_414F, "afs"),
    (0x6B41_4653, "kafs"),
    (0x7375_7245, "coda"),
    (0x564C, "ncp"),
    (0x0116_1970, "gfs2"),
    (0x7461_636F, "ocfs2"),
    (0x0BD0_0BD0, "lustre"),
    (0x4750_4653, "gpfs"),
    (0x1983_0326, "fhgfs"),
    (0x786F_4256, "vboxsf"),
];

/// The kind of file system, if it is one whose changes the kernel does not always tell of.
#[must_use]
pub fn shared_file_system(directory: &Path) -> Option<&'static str> {
    name(statfs(directory).ok()?.f_type)
}

fn name(magic: i64) -> Option<&'static str> {
    // Some kernels give the number sign-extended.
    SHARED.iter().find(|(known, _)| *known == magic & 0xFFFF_FFFF).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_by_their_magic_numbers() {
        for (magic, expected) in [
            (0x6969, Some("nfs")),
            (0xFF53_4D42, Some("cifs")),
            (i64::from(0xFF53_4D42_u32.cast_signed()), Some("cifs")),
            (0xEF53, None),      // ext4
            (0x5846_5342, None), // xfs
            (0x0102_1994, None), // tmpfs
            (0x794C_7630, None), // overlay: what is changed through it is told
        ] {
            assert_eq!(name(magic), expected, "{magic:x}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_shared() {
        assert_eq!(shared_file_system(Path::new("/proc/self")), None);
        assert_eq!(shared_file_system(Path::new("/no/such/directory")), None);
    }
}
