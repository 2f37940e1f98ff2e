//! JOSE headers that have been read before.
//!
//! The tokens of an issuer share their header, byte for byte, until the key changes. What a header
//! says depends on its text alone, so it need not be decoded again for every new token.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::header::{self, Header};
use super::types::TokenTypes;
use crate::error::RejectionKind;

const SLOTS: usize = 8;

/// A few headers of tokens that verified, by their encoded text.
#[derive(Default)]
pub(crate) struct Headers([ArcSwapOption<Known>; SLOTS]);

struct Known {
    encoded: Box<str>,
    header: Arc<Header>,
}

impl Headers {
    /// Reads an encoded header of one of those types; from memory where it is known.
    pub(super) fn read(
        &self,
        encoded: &str,
        types: &TokenTypes,
    ) -> Result<Arc<Header>, RejectionKind> {
        match &*self.slot(encoded).load() {
            Some(known) if *known.encoded == *encoded => Ok(Arc::clone(&known.header)),
            _ => header::decode(encoded, types).map(Arc::new),
        }
    }

    /// Remembers the header of a token that verified. Strangers cannot make it forget others.
    pub(super) fn remember(&self, encoded: &str, header: &Arc<Header>) {
        let slot = self.slot(encoded);
        let known = slot.load();
        if known.as_ref().is_none_or(|known| !Arc::ptr_eq(&known.header, header)) {
            let header = Arc::clone(header);
            slot.store(Some(Arc::new(Known { encoded: encoded.into(), header })));
        }
    }

    fn slot(&self, encoded: &str) -> &ArcSwapOption<Known> {
        let sum = encoded.bytes().fold(0u8, u8::wrapping_add);
        &self.0[usize::from(sum) % SLOTS]
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::types::TokenType;

    // {"alg":"ES256","typ":"at+jwt","kid":"a"} and the same with another kid.
    const A: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImEifQ";
    const B: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImIifQ";

    fn types() -> TokenTypes {
        [TokenType::ACCESS_TOKEN].into_iter().collect()
    }

    #[test]
    fn only_what_was_remembered_is_known() {
        let headers = Headers::default();
        let first = headers.read(A, &types()).expect("a header");
        assert!(!Arc::ptr_eq(&first, &headers.read(A, &types()).expect("a header")));
        headers.remember(A, &first);
        assert!(Arc::ptr_eq(&first, &headers.read(A, &types()).expect("a header")));
    }

    #[test]
    fn a_header_is_known_by_its_whole_text() {
        let headers = Headers::default();
        headers.remember(A, &headers.read(A, &types()).expect("a header"));
        // Whatever slot it falls into, another text is another header.
        for other in [B, &A[..A.len() - 4], &A.to_lowercase()] {
            let kid = headers.read(other, &types()).map(|header| header.kid.clone());
            assert_ne!(kid, Ok(Some("a".to_owned())), "{other}");
        }
    }
}
