//! Whether the content of a file is the one that is remembered.
//!
//! Invariant: only a file whose head *and* whose bytes before the offset are the remembered ones is taken for the
//! same; a head alone is shared by many files.

use std::path::Path;

use crate::checkpoint::{Fingerprint, Print, Probe};

/// Whether what was read is the content that the fingerprint was taken of. Always true if it was taken of nothing.
#[must_use]
pub fn holds(fingerprint: &Fingerprint, probe: &Probe) -> bool {
    let is = |bytes: &[u8], print: Print| {
        bytes.len() == print.length as usize && (bytes.is_empty() || Print::of(bytes) == print)
    };
    // The marker first: it is shorter, and differs more often.
    is(&probe.marker, fingerprint.marker) && is(&probe.head, fingerprint.head)
}

/// Whether `candidate` is a name that rotation gives to `original`: the same directory, and a longer name that begins
/// with it (`app.log` to `app.log.1` or `app.log-20261121`).
#[must_use]
pub fn is_rotated_name(original: &Path, candidate: &Path) -> bool {
    // On the bytes of the whole path: this is asked for every pair of files in a directory.
    let candidate = candidate.as_os_str().as_encoded_bytes();
    let added = candidate.strip_prefix(original.as_os_str().as_encoded_bytes());
    added.is_some_and(|added| !added.is_empty() && !added.contains(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(content: &[u8], offset: usize) -> Fingerprint {
        let head = &content[..offset.min(1024)];
        let marker = &content[offset.saturating_sub(256)..offset];
        Fingerprint { offset: offset as u64, head: Print::of(head), marker: Print::of(marker) }
    }

    fn probe(content: &[u8], fingerprint: &Fingerprint) -> Probe {
        let wanted = fingerprint.wanted();
        let start = (wanted.marker_start as usize).min(content.len());
        let end = (start + wanted.marker_length).min(content.len());
        Probe {
            head: content[..wanted.head_length.min(content.len())].to_vec(),
            marker: content[start..end].to_vec(),
        }
    }

    #[test]
    fn content_is_recognised_by_head_and_marker() {
        let original: Vec<u8> = (0..5000u32).flat_map(u32::to_be_bytes).collect();
        let mut other_head = original.clone();
        other_head[3] ^= 1;
        let mut other_marker = original.clone();
        other_marker[9_999] ^= 1;
        let mut grown = original.clone();
        grown.extend_from_slice(b"more");
        let print = fingerprint(&original, 10_000);
        for (name, content, expected) in [
            ("itself", &original[..], true),
            ("grown", &grown[..], true),
            ("cut at the offset", &original[..10_000], true),
            ("cut before the offset", &original[..9_999], false),
            ("another head", &other_head[..], false),
            ("another marker", &other_marker[..], false),
            ("empty", &[], false),
        ] {
            assert_eq!(holds(&print, &probe(content, &print)), expected, "{name}");
        }
    }

    #[test]
    fn short_offsets_use_what_there_is() {
        let print = fingerprint(b"one\ntwo\n", 4);
        assert!(holds(&print, &probe(b"one\nother", &print)));
        assert!(!holds(&print, &probe(b"two\n", &print)));
        assert!(holds(&Fingerprint::default(), &probe(b"anything", &Fingerprint::default())));
    }

    #[test]
    fn rotated_names() {
        let is = |original: &str, candidate: &str| is_rotated_name(Path::new(original), Path::new(candidate));
        assert!(is("/log/app.log", "/log/app.log.1") && is("/log/app.log", "/log/app.log-20261121"));
        assert!(!is("/log/app.log", "/log/app.log") && !is("/log/app.log", "/old/app.log.1"));
        assert!(!is("/log/app.log.1", "/log/app.log"));
    }
}
