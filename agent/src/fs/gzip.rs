//! What is in a gzip file, as if it were a file.
//!
//! A rotated file that was compressed goes on at the offset at which it was left, in decompressed bytes. Before that the
//! whole file is taken apart once: only one that is complete, with checksums that hold, is read at all.
//!
//! Invariants: memory is bounded whatever the file holds; no bytes make it panic.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;

use flate2::bufread::MultiGzDecoder;

use crate::checkpoint::{Probe, REPEATED_BYTES, Wanted};

/// Bytes that are taken apart at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes behind the present place that can be read again without starting over: a read begins with those that it repeats.
const KEPT_BYTES: usize = REPEATED_BYTES;

/// What a scan showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// The file is whole.
    Complete {
        /// How many bytes are in it, but for the NULs with which they end.
        size: u64,
        /// What was to be read of them.
        probes: Vec<Probe>,
    },
    /// It ends early: somebody is still writing it, or nobody is any more.
    Unfinished,
    /// It is no gzip file, or a broken one; why.
    Damaged(String),
}

/// Reads forward; a step back beyond the kept bytes starts over.
pub(super) struct GzipReader {
    file: File,
    /// None until something is read, and from the end on: thousands of finished files need no buffers.
    decoder: Option<Decoder>,
    position: u64,
    kept: Vec<u8>,
}

impl fmt::Debug for GzipReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GzipReader").field("position", &self.position).finish_non_exhaustive()
    }
}

type Decoder = MultiGzDecoder<BufReader<Stored>>;

/// The stored bytes from the beginning. Reads by position: the descriptor is shared.
#[derive(Debug)]
struct Stored {
    file: File,
    position: u64,
    /// Where reading ends, whatever follows.
    end: u64,
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        let read = self.file.read_at(&mut buffer[..most], self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

fn decoder(file: File, end: u64) -> Decoder {
    MultiGzDecoder::new(BufReader::with_capacity(CHUNK_BYTES, Stored { file, position: 0, end }))
}

/// Takes the first `stored_size` bytes of a file apart. That is its size when it was decided what is `wanted`: a file
/// that was empty then, and is complete a moment later, was asked nothing.
///
/// # Errors
///
/// The file system fails.
pub(super) fn scan(file: &File, stored_size: u64, wanted: &[Wanted]) -> io::Result<Scanned> {
    if stored_size == 0 {
        return Ok(Scanned::Unfinished);
    }
    let mut decoder = decoder(file.try_clone()?, stored_size);
    let mut probes = vec![Probe::default(); wanted.len()];
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut size, mut text_end) = (0, 0);
    loop {
        let length = match decoder.read(&mut chunk) {
            Ok(0) => return Ok(Scanned::Complete { size: text_end, probes }),
            Ok(length) => length,
            Err(error) => return judge(error),
        };
        for (probe, wanted) in probes.iter_mut().zip(wanted) {
            take(&mut probe.head, &chunk[..length], size, 0, wanted.head_length);
            take(&mut probe.marker, &chunk[..length], size, wanted.marker_start, wanted.marker_length);
        }
        if let Some(last) = chunk[..length].iter().rposition(|byte| *byte != 0) {
            text_end = size + last as u64 + 1;
        }
        size += length as u64;
    }
}

fn judge(error: io::Error) -> io::Result<Scanned> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Ok(Scanned::Unfinished),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Ok(Scanned::Damaged(error.to_string())),
        _ => Err(error),
    }
}

/// Appends to `taken` what of the range `start..start + length` stands in `chunk`, which begins at `place`.
fn take(taken: &mut Vec<u8>, chunk: &[u8], place: u64, start: u64, length: usize) {
    let inside = |position: u64| {
        usize::try_from(position.saturating_sub(place)).unwrap_or(usize::MAX).min(chunk.len())
    };
    let end = start.saturating_add(length as u64);
    if place < end {
        taken.extend_from_slice(&chunk[inside(start)..inside(end)]);
    }
}

impl GzipReader {
    pub(super) fn new(file: File) -> Self {
        Self { file, decoder: None, position: 0, kept: Vec::new() }
    }

    fn starts_over(&self, offset: u64) -> bool {
        self.decoder.is_none() || offset.saturating_add(self.kept.len() as u64) < self.position
    }

    /// Reads up to `length` bytes at `offset`, fewer at the end.
    pub(super) fn read_at(&mut self, offset: u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        if self.starts_over(offset) {
            (self.decoder, self.position) = (Some(decoder(self.file.try_clone()?, u64::MAX)), 0);
            self.kept.clear();
        }
        while self.position < offset {
            let most = usize::try_from(offset - self.position).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            if self.read_on(most, buffer)? == 0 {
                break;
            }
        }
        buffer.clear();
        // Not more than the kept bytes, as was checked above.
        let again = usize::try_from(self.position.saturating_sub(offset)).unwrap_or(0).min(self.kept.len());
        buffer.extend(self.kept[self.kept.len() - again..].iter().take(length));
        let mut chunk = Vec::new();
        while buffer.len() < length {
            let most = (length - buffer.len()).min(CHUNK_BYTES);
            if self.read_on(most, &mut chunk)? == 0 {
                self.decoder = None;
                break;
            }
            buffer.extend_from_slice(&chunk);
        }
        Ok(())
    }

    /// Reads up to `most` bytes at the present place.
    fn read_on(&mut self, most: usize, chunk: &mut Vec<u8>) -> io::Result<usize> {
        chunk.resize(most, 0);
        let read = self.decoder.as_mut().map_or(Ok(0), |decoder| decoder.read(chunk))?;
        chunk.truncate(read);
        self.position += read as u64;
        self.kept.extend_from_slice(&chunk[read.saturating_sub(KEPT_BYTES)..]);
        let surplus = self.kept.len().saturating_sub(KEPT_BYTES);
        self.kept.drain(..surplus);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::Fingerprint;

    fn content(lines: u32) -> Vec<u8> {
        (0..lines).flat_map(|line| format!("line {line}\n").into_bytes()).collect()
    }

    fn compressed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn stored(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a scratch file");
        file.write_all(bytes).expect("room");
        file.rewind().expect("a file");
        file
    }

    fn scan(file: &File, wanted: &[Wanted]) -> Scanned {
        let stored_size = file.metadata().expect("a file").len();
        super::scan(file, stored_size, wanted).expect("reads")
    }

    #[test]
    fn what_was_written_after_the_look_is_not_judged() {
        let whole = compressed(&content(3000));
        let file = stored(&whole);
        for seen in [0, 1, whole.len() / 2, whole.len() - 1] {
            let scanned = super::scan(&file, seen as u64, &[]).expect("reads");
            assert_eq!(scanned, Scanned::Unfinished, "{seen} of {} bytes", whole.len());
        }
    }

    #[test]
    fn a_scan_answers_as_the_plain_file_would() {
        let content = content(30_000);
        let wanted: Vec<_> = [0, 5, 1024, 70_000, content.len() as u64].map(Fingerprint::wanted_at).into();
        // Two members, as `cat a.gz b.gz` makes.
        let (left, right) = content.split_at(100_001);
        let both = [compressed(left), compressed(right)].concat();
        for bytes in [compressed(&content), both] {
            let Scanned::Complete { size, probes } = scan(&stored(&bytes), &wanted) else {
                panic!("it is complete")
            };
            assert_eq!(size, content.len() as u64);
            for (probe, wanted) in probes.iter().zip(&wanted) {
                let start = wanted.marker_start as usize;
                assert_eq!(probe.head, content[..wanted.head_length], "{wanted:?}");
                assert_eq!(probe.marker, content[start..start + wanted.marker_length], "{wanted:?}");
            }
        }
    }

    #[test]
    fn what_is_not_whole_is_said() {
        let whole = compressed(&content(3000));
        for length in (0..whole.len()).step_by(97).chain(whole.len() - 9..whole.len()) {
            assert_eq!(scan(&stored(&whole[..length]), &[]), Scanned::Unfinished, "{length}");
        }
        let mut wrong_sum = whole.clone();
        wrong_sum[whole.len() - 6] ^= 1;
        for bytes in
            [&b"no gzip file at all"[..], &wrong_sum, &[&whole[..], b"and more that is none"].concat()]
        {
            assert!(matches!(scan(&stored(bytes), &[]), Scanned::Damaged(_)));
        }
    }

    #[test]
    fn reading_goes_forward_and_back() {
        let content = content(40_000);
        let mut reader = GzipReader::new(stored(&compressed(&content)));
        let mut buffer = Vec::new();
        for (offset, length) in
            [(0, 10), (5, 70_000), (69_900, 300), (200_000, 10), (3, 5), (content.len() - 4, 99), (7, 1)]
        {
            reader.read_at(offset as u64, length, &mut buffer).expect("reads");
            let end = (offset + length).min(content.len());
            assert_eq!(buffer, content[offset..end], "{length} at {offset}");
        }
        reader.read_at(1 << 40, 10, &mut buffer).expect("reads");
        assert!(buffer.is_empty());
    }

    #[test]
    fn what_a_read_repeats_is_not_taken_apart_again() {
        let content = content(100_000);
        let mut reader = GzipReader::new(stored(&compressed(&content)));
        let mut buffer = Vec::new();
        for end in (REPEATED_BYTES..content.len() - 100_000).step_by(100_000) {
            let offset = end - REPEATED_BYTES;
            assert_eq!(reader.starts_over(offset as u64), offset == 0, "at {offset}");
            reader.read_at(offset as u64, REPEATED_BYTES + 100_000, &mut buffer).expect("reads");
            assert_eq!(buffer, content[offset..end + 100_000]);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            place in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = compressed(&content(200));
            let place = place.index(bytes.len());
            bytes[place] = byte;
            let length = cut.index(bytes.len() + 1);
            let file = stored(&bytes[..length]);
            scan(&file, &[Fingerprint::wanted_at(500)]);
            let mut buffer = Vec::new();
            // An error, or bytes.
            let _ = GzipReader::new(file).read_at(3, 5000, &mut buffer);
        }
    }
}
