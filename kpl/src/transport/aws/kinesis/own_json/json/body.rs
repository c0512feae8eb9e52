//! The memory of calls' bodies: pages of its own, which other calls take over and the system gets back.
//!
//! A body has up to seven megabytes, and lives as long as its call. On the heap the largest one ever made is the room that
//! the allocator keeps from then on, once for each thread that made one.
//!
//! Invariant: no more than [`SPARES`] bodies' pages are kept, and after a rest no more than are in use.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64_simd::{Out, STANDARD};
use bytes::Bytes;
use memmap2::MmapMut;

/// Smaller bodies stand on the heap.
const PAGES_FROM: usize = 256 << 10;

/// Pages are asked for in so many bytes, so that a body finds room where another one was. Those that nothing is written
/// to cost nothing.
const PAGES_STEP: usize = 4 << 20;

/// Bodies whose pages are kept for the next ones.
const SPARES: usize = 4;

/// The bodies of one transport. Clones are the same ones.
#[derive(Debug, Clone, Default)]
pub(in super::super::super) struct Bodies(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    /// Bodies that have pages.
    in_use: usize,
    spares: Vec<MmapMut>,
}

/// A body under construction.
#[derive(Debug)]
pub(super) enum Body {
    Heap(Vec<u8>),
    Pages(Lease),
}

/// Pages, until they are given back.
#[derive(Debug)]
pub(super) struct Lease {
    /// `None` only when it is being dropped.
    pages: Option<MmapMut>,
    written: usize,
    bodies: Bodies,
}

impl Bodies {
    /// A body with room for so many bytes; it grows if that is too little.
    pub(super) fn body(&self, room: usize) -> Body {
        let pages = (room >= PAGES_FROM).then(|| self.lease(room)).and_then(Result::ok);
        pages.map_or_else(|| Body::Heap(Vec::with_capacity(room)), Body::Pages)
    }

    /// Gives back what is kept, but for as many as are in use: other streams may be busy.
    pub(in super::super::super) fn rest(&self) {
        let mut pages = self.lock();
        let kept = pages.in_use.min(pages.spares.len());
        let unused = pages.spares.split_off(kept);
        drop(pages);
        drop(unused);
    }

    fn lease(&self, room: usize) -> io::Result<Lease> {
        let spare = {
            let mut pages = self.lock();
            let fitting = pages.spares.iter().position(|spare| spare.len() >= room);
            fitting.map(|place| pages.spares.swap_remove(place))
        };
        let pages = match spare {
            Some(pages) => pages,
            None => MmapMut::map_anon(room.next_multiple_of(PAGES_STEP))?,
        };
        self.lock().in_use += 1;
        Ok(Lease { pages: Some(pages), written: 0, bodies: self.clone() })
    }

    fn give_back(&self, returned: MmapMut) {
        let mut pages = self.lock();
        pages.in_use -= 1;
        if pages.spares.len() < SPARES {
            pages.spares.push(returned);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        // No code that can panic runs while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pages) = self.pages.take() {
            self.bodies.give_back(pages);
        }
    }
}

impl Lease {
    fn written(&self) -> &[u8] {
        self.pages.as_ref().map_or(&[], |pages| &pages[..self.written])
    }

    /// The next so many bytes, to be written, if there is room for them.
    fn room(&mut self, bytes: usize) -> Option<&mut [u8]> {
        let end = self.written + bytes;
        let room = self.pages.as_deref_mut()?.get_mut(self.written..end)?;
        self.written = end;
        Some(room)
    }
}

impl Body {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Self::Pages(lease) = self
            && let Some(room) = lease.room(bytes.len())
        {
            return room.copy_from_slice(bytes);
        }
        self.heap().extend_from_slice(bytes);
    }

    pub(super) fn push_base64(&mut self, data: &[u8]) {
        if let Self::Pages(lease) = self
            && let Some(room) = lease.room(STANDARD.encoded_length(data.len()))
        {
            let _ = STANDARD.encode(data, Out::from_slice(room));
            return;
        }
        STANDARD.encode_append(data, self.heap());
    }

    /// The body on the heap; from pages that are full it goes there.
    fn heap(&mut self) -> &mut Vec<u8> {
        if let Self::Pages(lease) = self {
            *self = Self::Heap(lease.written().to_vec());
        }
        match self {
            Self::Heap(bytes) => bytes,
            Self::Pages(_) => unreachable!("it was put on the heap just now"),
        }
    }

    /// What was written.
    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::Heap(bytes) => bytes.into(),
            Self::Pages(lease) => Bytes::from_owner(lease),
        }
    }
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        self.written()
    }
}

/// For texts that are formatted.
impl io::Write for Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_was_written_whatever_room_was_asked_for() {
        let bodies = Bodies::default();
        for room in [0, 10, PAGES_FROM - 1, PAGES_FROM, PAGES_FROM + 1] {
            let mut body = bodies.body(room);
            let mut expected = Vec::new();
            while expected.len() <= room {
                body.push(b"some text, ");
                body.push_base64(b"and data");
                expected.extend_from_slice(b"some text, YW5kIGRhdGE=");
            }
            assert_eq!(body.into_bytes(), expected, "{room}");
        }
    }

    #[test]
    fn pages_are_used_again_and_given_back_in_a_rest() {
        let bodies = Bodies::default();
        let first: Vec<_> =
            (1..=SPARES + 2).map(|megabytes| bodies.body(megabytes << 20).into_bytes()).collect();
        let kept = || {
            let pages = bodies.lock();
            (pages.spares.len(), pages.in_use)
        };
        drop(first);
        assert_eq!(kept(), (SPARES, 0));
        let again = bodies.body(2 << 20);
        assert_eq!(kept(), (SPARES - 1, 1));
        bodies.rest();
        assert_eq!(kept(), (1, 1));
        drop(again);
        bodies.rest();
        assert_eq!(kept(), (0, 0));
    }
}
