//! A copy of some bytes in one allocation, and none for its clones: `Bytes` made in the plain way take a second one when
//! they are cloned first, which every record of a call is.

use arrayvec::ArrayVec;
use bytes::Bytes;

/// Copies the bytes. Up to 2 KiB they stand beside the count of their clones, in room for at most twice their number (or
/// 64 bytes); for larger ones a second allocation is little.
pub(crate) fn shared_copy(bytes: &[u8]) -> Bytes {
    match bytes.len() {
        0..=64 => in_place::<64>(bytes),
        65..=128 => in_place::<128>(bytes),
        129..=192 => in_place::<192>(bytes),
        193..=256 => in_place::<256>(bytes),
        257..=384 => in_place::<384>(bytes),
        385..=512 => in_place::<512>(bytes),
        513..=768 => in_place::<768>(bytes),
        769..=1024 => in_place::<1024>(bytes),
        1025..=1536 => in_place::<1536>(bytes),
        1537..=2048 => in_place::<2048>(bytes),
        _ => Bytes::copy_from_slice(bytes),
    }
}

fn in_place<const ROOM: usize>(bytes: &[u8]) -> Bytes {
    match ArrayVec::<u8, ROOM>::try_from(bytes) {
        Ok(copy) => Bytes::from_owner(copy),
        Err(_) => Bytes::copy_from_slice(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_any_length() {
        let content: Vec<u8> = (0..3000u32).map(|place| place as u8).collect();
        for length in 0..content.len() {
            let copy = shared_copy(&content[..length]);
            assert_eq!((&copy[..], &copy.clone()[..]), (&content[..length], &content[..length]));
        }
    }
}
