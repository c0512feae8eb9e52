//! A protobuf message, field by field, in place.
//!
//! Invariant: every step takes at least one byte or ends the walk, and nothing is copied or allocated.

/// How deep unknown groups may stand in each other, as in Google's readers.
const DEEPEST_GROUP: usize = 100;

/// The largest field number there is.
const LARGEST_FIELD: u64 = (1 << 29) - 1;

/// The bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// One field: its number and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) value: Value,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// A number.
    Varint(u64),
    /// Bytes, text or a message: where it starts and ends.
    Span(usize, usize),
    /// Something that this format never uses; it was skipped.
    Other,
}

/// Walks the fields between two places.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    /// The fields of the message in `bytes[start..end]`.
    pub(super) fn new(bytes: &'a [u8], (start, end): (usize, usize)) -> Self {
        Self { bytes, at: start, end: end.min(bytes.len()) }
    }

    /// The next field; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Field>, Malformed> {
        if self.at >= self.end {
            return Ok(None);
        }
        let (number, wire_type) = self.key()?;
        let value = match wire_type {
            0 => Value::Varint(self.varint()?),
            2 => self.span()?,
            3 => self.group(number)?,
            other => self.fixed(other)?,
        };
        Ok(Some(Field { number, value }))
    }

    fn key(&mut self) -> Result<(u32, u64), Malformed> {
        let key = self.varint()?;
        match key >> 3 {
            0 => Err(Malformed),
            number if number > LARGEST_FIELD => Err(Malformed),
            number => Ok((number as u32, key & 7)),
        }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes[..self.end].get(self.at).ok_or(Malformed)?;
            self.at += 1;
            if shift == 63 && byte > 1 {
                return Err(Malformed);
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn span(&mut self) -> Result<Value, Malformed> {
        let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        let start = self.at;
        self.skip(length)?;
        Ok(Value::Span(start, self.at))
    }

    fn fixed(&mut self, wire_type: u64) -> Result<Value, Malformed> {
        match wire_type {
            1 => self.skip(8)?,
            5 => self.skip(4)?,
            _ => return Err(Malformed),
        }
        Ok(Value::Other)
    }

    /// Skips to the end of a group, without recursion.
    fn group(&mut self, number: u32) -> Result<Value, Malformed> {
        let mut open = [0; DEEPEST_GROUP];
        open[0] = number;
        let mut depth = 1;
        while depth > 0 {
            let (number, wire_type) = self.key()?;
            match wire_type {
                0 => drop(self.varint()?),
                2 => drop(self.span()?),
                3 => {
                    *open.get_mut(depth).ok_or(Malformed)? = number;
                    depth += 1;
                }
                4 if open[depth - 1] == number => depth -= 1,
                other => drop(self.fixed(other)?),
            }
        }
        Ok(Value::Other)
    }

    fn skip(&mut self, length: usize) -> Result<(), Malformed> {
        if length > self.end - self.at {
            return Err(Malformed);
        }
        self.at += length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> Result<Vec<Field>, Malformed> {
        let mut fields = Fields::new(bytes, (0, bytes.len()));
        let mut seen = Vec::new();
        while let Some(field) = fields.next()? {
            seen.push(field);
        }
        Ok(seen)
    }

    #[test]
    fn every_wire_type_is_walked_over() {
        let bytes = [
            0x08, 0x96, 0x01, // 1: varint 150
            0x12, 0x02, b'h', b'i', // 2: two bytes
            0x19, 1, 2, 3, 4, 5, 6, 7, 8, // 3: fixed 64
            0x25, 1, 2, 3, 4, // 4: fixed 32
            0x2B, 0x33, 0x08, 0x01, 0x34, 0x2C, // 5: a group with a group in it
        ];
        let values: Vec<_> = walk(&bytes).expect("a message").iter().map(|f| (f.number, f.value)).collect();
        let expected = [
            (1, Value::Varint(150)),
            (2, Value::Span(5, 7)),
            (3, Value::Other),
            (4, Value::Other),
            (5, Value::Other),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn what_is_no_message_is_told_apart() {
        for (name, bytes) in [
            ("field number 0", vec![0x00, 0x00]),
            ("a key without a value", vec![0x08]),
            ("a length beyond the end", vec![0x0A, 0x02, b'x']),
            ("the largest length", vec![0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
            ("a number of 65 bits", vec![0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02]),
            ("an endless number", vec![0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            ("too little for 8 bytes", vec![0x09, 1, 2]),
            ("an unknown wire type", vec![0x0E]),
            ("the end of no group", vec![0x0C]),
            ("a group without an end", vec![0x0B, 0x08, 0x01]),
            ("the end of another group", vec![0x0B, 0x14]),
            ("groups too deep", vec![0x0B; 101]),
            ("a field number beyond the largest", vec![0x80, 0x80, 0x80, 0x80, 0x10, 0x00]),
        ] {
            assert_eq!(walk(&bytes), Err(Malformed), "{name}");
        }
        let deepest = [vec![0x0B; 100], vec![0x0C; 100]].concat();
        assert_eq!(walk(&deepest).map(|fields| fields.len()), Ok(1), "groups just deep enough");
    }
}
