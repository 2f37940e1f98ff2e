//! The text of a sealed nonce: the base64url of time, number and seal.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::secret::SEAL;
use crate::clock::Timestamp;

const TIME: usize = 6;
const BODY: usize = TIME + 8;
const WHOLE: usize = BODY + SEAL;
/// Without a rest, so that there is one text for each nonce.
const TEXT: usize = WHOLE / 3 * 4;

/// What is sealed.
#[derive(Clone, Copy)]
pub(super) struct Body(pub(super) [u8; BODY]);

impl Body {
    /// Milliseconds since 1970 in 48 bits, enough for 8,900 years, and a number that no other
    /// nonce of the issuer has. Times out of that range are cut to it: nonces of such times are
    /// refused, sooner or later, and do no harm.
    pub(super) fn new(issued: SystemTime, number: u64) -> Self {
        let millis = u64::try_from(Timestamp::from(issued).millis()).unwrap_or(0);
        let [_, _, time @ ..] = millis.min((1 << 48) - 1).to_be_bytes();
        let mut bytes = [0; BODY];
        let (first, rest) = bytes.split_at_mut(TIME);
        first.copy_from_slice(&time);
        rest.copy_from_slice(&scatter(number).to_be_bytes());
        Self(bytes)
    }

    pub(super) fn issued_at(&self) -> Option<SystemTime> {
        let [a, b, c, d, e, f, ..] = self.0;
        let millis = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }
}

/// A permutation that puts numbers in a row far apart (the finalizer of SplitMix64). It makes
/// nonces look as different as they are; what makes them hard to guess is the seal.
const fn scatter(number: u64) -> u64 {
    let once = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let twice = (once ^ (once >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    twice ^ (twice >> 31)
}

pub(super) fn write(body: Body, seal: [u8; SEAL]) -> String {
    let mut bytes = [0; WHOLE];
    let (first, rest) = bytes.split_at_mut(BODY);
    first.copy_from_slice(&body.0);
    rest.copy_from_slice(&seal);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Neither allocates nor takes more than one text for a nonce.
pub(super) fn read(nonce: &str) -> Option<(Body, [u8; SEAL])> {
    if nonce.len() != TEXT {
        return None;
    }
    let mut bytes = [0; WHOLE];
    let length = URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes).ok()?;
    let (body, seal) = bytes.split_first_chunk::<BODY>()?;
    Some((Body(*body), seal.try_into().ok()?)).filter(|_| length == WHOLE)
}
