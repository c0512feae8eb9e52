//! The registry's frame around the data of a record, as AWS's serialiser writes it.
//!
//! ```text
//! 03  00 or 05  <16 bytes: schema version id>  <payload>
//! ```
//!
//! The first byte is the version of the header, the second says how the payload is compressed: 0 not at all, 5 as zlib
//! (RFC 1950). Source: `AWSSchemaRegistryConstants` and `SerializationDataEncoder` of
//! `software.amazon.glue:schema-registry-serde` 1.1.24.
//!
//! Invariant: `decode(encode(x)) = x`; decoding gives no more than its limit, whatever the input claims.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::glue::configuration::SchemaCompression;
use crate::glue::schema::SchemaVersionId;
use crate::limits::KINESIS_RECORD_BYTES_RAISED;

/// Bytes in front of the payload.
pub const HEADER_BYTES: usize = 18;

const HEADER_VERSION: u8 = 3;
const UNCOMPRESSED: u8 = 0;
const ZLIB: u8 = 5;

/// The data of a record with the registry's header, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    /// The version of the schema that the payload was written by.
    pub schema_version_id: SchemaVersionId,
    /// What the producer encoded, decompressed.
    pub payload: Bytes,
}

/// Why data could not be read as the registry's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// It does not begin with the registry's header: it was written without a schema.
    #[error("the data has no Glue Schema Registry header (03, 00 or 05, and 16 bytes of schema version id)")]
    NoHeader,
    /// The payload is no sound zlib stream.
    #[error("the compressed payload is damaged")]
    Damaged,
    /// It would have more bytes than allowed.
    #[error("the payload decompresses to more than {limit} bytes")]
    TooLarge {
        /// How many are allowed.
        limit: usize,
    },
}

pub(crate) fn encode(version: SchemaVersionId, compression: SchemaCompression, payload: &[u8]) -> Bytes {
    let mut framed = Vec::with_capacity(HEADER_BYTES + payload.len());
    framed.push(HEADER_VERSION);
    framed.push(match compression {
        SchemaCompression::None => UNCOMPRESSED,
        SchemaCompression::Zlib => ZLIB,
    });
    framed.extend_from_slice(&version.0);
    match compression {
        SchemaCompression::None => framed.extend_from_slice(payload),
        SchemaCompression::Zlib => {
            let mut encoder = ZlibEncoder::new(&mut framed, flate2::Compression::default());
            // Writing to memory does not fail.
            let _ = encoder.write_all(payload).and_then(|()| encoder.try_finish());
        }
    }
    framed.into()
}

/// Takes the data of a record apart that was written with a schema, by this crate or by AWS's serialisers.
///
/// Look the version up in the registry (`GetSchemaVersion`, or
/// [`SchemaRegistry::get_schema_version`](crate::glue::SchemaRegistry::get_schema_version)) to know the schema. The
/// payload of a Protobuf record begins with a message index if AWS's serialiser made it from an object.
///
/// ```
/// use kpl::glue::{FramingError, decode};
///
/// let data = bytes::Bytes::from_static(b"\x03\x00\x01\x23\x45\x67\x89\xab\xcd\xef\x00\x11\x22\x33\x44\x55\x66\xff{}");
/// let framed = decode(&data)?;
/// assert_eq!(framed.schema_version_id.to_string(), "01234567-89ab-cdef-0011-2233445566ff");
/// assert_eq!(framed.payload, "{}");
/// assert_eq!(decode(&"{}".into()), Err(FramingError::NoHeader));
/// # Ok::<(), FramingError>(())
/// ```
///
/// # Errors
///
/// [`FramingError`]; no payload of more than 10 MiB is decompressed, which is the largest record of a stream.
pub fn decode(data: &Bytes) -> Result<Framed, FramingError> {
    decode_within(data, KINESIS_RECORD_BYTES_RAISED)
}

/// The same with a limit of the caller's for the decompressed payload, in bytes.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_within(data: &Bytes, limit: usize) -> Result<Framed, FramingError> {
    let header = data.first_chunk::<HEADER_BYTES>().filter(|header| header[0] == HEADER_VERSION);
    let Some([_, compression, id @ ..]) = header else { return Err(FramingError::NoHeader) };
    let payload = data.slice(HEADER_BYTES..);
    let payload = match *compression {
        UNCOMPRESSED => payload,
        ZLIB => inflate(&payload, limit)?,
        _ => return Err(FramingError::NoHeader),
    };
    Ok(Framed { schema_version_id: SchemaVersionId(*id), payload })
}

fn inflate(compressed: &[u8], limit: usize) -> Result<Bytes, FramingError> {
    let mut plain = Vec::new();
    ZlibDecoder::new(compressed)
        .take((limit as u64).saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|_| FramingError::Damaged)?;
    if plain.len() > limit {
        return Err(FramingError::TooLarge { limit });
    }
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SchemaVersionId = SchemaVersionId([7; 16]);

    #[test]
    fn what_is_encoded_decodes() {
        for compression in [SchemaCompression::None, SchemaCompression::Zlib] {
            for payload in [vec![], vec![1], vec![b'x'; 100_000]] {
                let framed = encode(ID, compression, &payload);
                let decoded = decode(&framed).expect("framed");
                assert_eq!((decoded.schema_version_id, decoded.payload.to_vec()), (ID, payload));
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_awss_serialiser() {
        let framed = encode(ID, SchemaCompression::None, b"ab");
        assert_eq!(framed[..2], [3, 0]);
        assert_eq!(framed[2..18], [7; 16]);
        assert_eq!(framed[18..], *b"ab");
        let compressed = encode(ID, SchemaCompression::Zlib, b"ab");
        assert_eq!(compressed[..2], [3, 5]);
        assert_eq!(compressed[18], 0x78, "a zlib header, not gzip's or none");
    }

    #[test]
    fn what_has_no_header_or_is_damaged_says_so() {
        for data in [
            &b""[..],
            b"{}",
            &[3; 18][..17],
            &[2; 40],
            &[3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(decode(&Bytes::copy_from_slice(data)), Err(FramingError::NoHeader), "{data:?}");
        }
        let compressed = encode(ID, SchemaCompression::Zlib, &[b'x'; 1000]);
        for end in HEADER_BYTES..compressed.len() {
            assert_eq!(decode(&compressed.slice(..end)), Err(FramingError::Damaged), "cut at {end}");
        }
        assert_eq!(decode_within(&compressed, 999), Err(FramingError::TooLarge { limit: 999 }));
        assert!(decode_within(&compressed, 1000).is_ok());
    }
}
