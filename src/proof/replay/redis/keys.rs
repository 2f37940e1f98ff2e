//! Where in Redis a record lies, and the marker that goes with it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::epoch::Epoch;

/// The keys of one claim.
pub(super) struct Keys {
    pub(super) record: String,
    pub(super) marker: String,
    part: u8,
}

/// How records are spread over markers.
#[derive(Clone, Copy)]
pub(super) enum Layout {
    /// One server, one marker.
    Whole,
    /// 256 parts, by the first byte of the key. The hash tag keeps a part's records and its marker
    /// on the same node of a cluster, so that they are lost together.
    Parts,
}

impl Keys {
    pub(super) fn new(layout: Layout, prefix: &str, key: &[u8; 32]) -> Self {
        let [first, ..] = *key;
        let mut base = prefix.to_owned();
        let part = match layout {
            Layout::Whole => 0,
            Layout::Parts => {
                let _ = write!(base, "{{{first:02x}}}"); // a String takes everything
                first
            }
        };
        let marker = format!("{base}epoch");
        URL_SAFE_NO_PAD.encode_string(key, &mut base);
        Self { record: base, marker, part }
    }
}

/// What is known about each marker.
pub(super) struct Epochs([Epoch; 256]);

impl Epochs {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Epoch::default()))
    }

    pub(super) fn of(&self, keys: &Keys) -> &Epoch {
        &self.0[usize::from(keys.part)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_lie_under_the_prefix_beside_their_marker() {
        let whole = Keys::new(Layout::Whole, "app:", &[0xab; 32]);
        assert_eq!(whole.record, format!("app:{}", URL_SAFE_NO_PAD.encode([0xab; 32])));
        assert_eq!(whole.marker, "app:epoch");
        let part = Keys::new(Layout::Parts, "app:", &[0xab; 32]);
        assert_eq!(part.record, format!("app:{{ab}}{}", URL_SAFE_NO_PAD.encode([0xab; 32])));
        assert_eq!(part.marker, "app:{ab}epoch");
    }

    #[test]
    fn every_part_has_a_place() {
        let epochs = Epochs::new();
        for first in 0..=u8::MAX {
            let keys = Keys::new(Layout::Parts, "", &[first; 32]);
            assert!(epochs.of(&keys).is_unknown());
        }
    }
}
