//! As much of DER (X.690) as private keys are written in. Nothing is computed here.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]` and `[1]`, explicit.
pub(super) const CONTEXT: [u8; 2] = [0xa0, 0xa1];

/// One value: tag, length, content.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut written = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => written.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let length = without_leading_zeros(&length);
            // A length of more than 127 octets is of no key.
            written.push(0x80 | u8::try_from(length.len()).unwrap_or(0x7f));
            written.extend_from_slice(length);
        }
    }
    written.extend_from_slice(content);
    written
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, &parts.concat())
}

/// A number that is not negative.
pub(super) fn integer(number: &[u8]) -> Vec<u8> {
    let number = without_leading_zeros(number);
    match number.first() {
        Some(first) if *first < 0x80 => value(INTEGER, number),
        // A first bit that is set would be a sign; none at all is no number.
        _ => value(INTEGER, &[&[0], number].concat()),
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// Reads one value after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The content of the next value, which has that tag.
    pub(super) fn take(&mut self, wanted: u8) -> Option<&'a [u8]> {
        let (tag, content, rest) = split(self.0)?;
        (tag == wanted).then_some(())?;
        self.0 = rest;
        Some(content)
    }
}

fn split(text: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = text.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(*first), rest),
        // The indefinite form is none of DER.
        0x80 => return None,
        _ => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (
                octets.iter().try_fold(0usize, |length, octet| {
                    length.checked_mul(256)?.checked_add(usize::from(*octet))
                })?,
                rest,
            )
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let written = value(OCTETS, &content);
            let mut reader = Reader::new(&written);
            assert_eq!(reader.take(OCTETS), Some(content.as_slice()), "{length}");
            assert!(reader.take(OCTETS).is_none());
        }
        assert_eq!(value(OCTETS, &[0; 200])[..3], [OCTETS, 0x81, 200]);
    }

    #[test]
    fn numbers_have_no_sign_and_no_needless_octet() {
        assert_eq!(integer(&[0, 0, 0x7f]), [INTEGER, 1, 0x7f]);
        assert_eq!(integer(&[0x80]), [INTEGER, 2, 0, 0x80]);
        assert_eq!(integer(&[0, 0]), [INTEGER, 1, 0]);
    }

    #[test]
    fn what_is_cut_short_or_indefinite_is_refused() {
        for text in [&[][..], &[4], &[4, 2, 0], &[4, 0x80, 0, 0], &[4, 0x82, 1], &[4, 0xff, 1]] {
            assert!(Reader::new(text).take(OCTETS).is_none(), "{text:?}");
        }
        assert!(Reader::new(&value(OCTETS, &[1])).take(SEQUENCE).is_none());
    }
}
