//! Compressed request bodies.
//!
//! Invariant: a small body that unpacks into a huge one is refused, not unpacked.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use crate::aws_error::AwsError;
use crate::codec::MAX_BODY_BYTES;

/// The body as it was before compression.
pub(crate) fn unpack(body: Bytes, content_encoding: Option<&str>) -> Result<Bytes, AwsError> {
    match content_encoding.map(str::trim) {
        None | Some("" | "identity") => Ok(body),
        Some("gzip") => gunzip(&body),
        Some(other) => Err(AwsError::serialization(format!(
            "the sandbox cannot read content-encoding `{other}`; use gzip"
        ))),
    }
}

fn gunzip(body: &[u8]) -> Result<Bytes, AwsError> {
    let mut plain = Vec::new();
    let limit = MAX_BODY_BYTES as u64 + 1;
    MultiGzDecoder::new(body)
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|error| AwsError::serialization(format!("the body is not gzip: {error}")))?;
    if plain.len() > MAX_BODY_BYTES {
        return Err(AwsError::new(413, "RequestEntityTooLargeException", too_large()));
    }
    Ok(plain.into())
}

/// What a client is told whose body is too large.
pub(crate) fn too_large() -> String {
    format!("the body is larger than {MAX_BODY_BYTES} bytes")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(plain: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn gzip_is_unpacked_and_bombs_are_refused() {
        assert_eq!(unpack(gzip(b"hello"), Some("gzip")).unwrap(), "hello");
        assert_eq!(unpack(Bytes::from("hello"), None).unwrap(), "hello");
        assert_eq!(unpack(gzip(&vec![0; MAX_BODY_BYTES + 1]), Some("gzip")).unwrap_err().status, 413);
        assert_eq!(unpack(Bytes::from("hello"), Some("gzip")).unwrap_err().code, "SerializationException");
        assert_eq!(unpack(Bytes::from("hello"), Some("br")).unwrap_err().code, "SerializationException");
    }
}
