//! The `Client-Cert` field (RFC 9440 §2.2).
//!
//! It is a byte sequence (RFC 8941 §3.3.5): `Client-Cert: :MIIBqDCCAU6gAwIBAgIBBzAKBggq…:`

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;

use super::{CLIENT_CERT, ClientCertificate};
use crate::error::RejectionKind;

/// The longest field read, in bytes: a certificate of 12 KiB.
const MAX_LENGTH: usize = 16 * 1024;

/// RFC 8941 §4.2.7: padding and the bits beyond the last byte are not looked at. What counts is the
/// thumbprint of the bytes, however they are written.
const BYTE_SEQUENCE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The certificate of the field, if there is one. RFC 9440 §2.2: it is no list, so two of them are
/// none.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<ClientCertificate>, RejectionKind> {
    let mut lines = headers.get_all(CLIENT_CERT).into_iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let certificate = if lines.next().is_none() { parse(line.as_bytes()) } else { None };
    certificate.map(Some).ok_or(RejectionKind::MalformedCertificate)
}

/// One byte sequence that is not empty, without parameters.
fn parse(value: &[u8]) -> Option<ClientCertificate> {
    let value = value.trim_ascii();
    let encoded = value.strip_prefix(b":")?.strip_suffix(b":")?;
    if encoded.is_empty() || value.len() > MAX_LENGTH {
        return None;
    }
    BYTE_SEQUENCE.decode(encoded).ok().map(ClientCertificate::from_der)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(value: &[u8]) -> bool {
        parse(value) == Some(ClientCertificate::from_der(b"\x30\x01\xff\xfe"))
    }

    #[test]
    fn a_byte_sequence_is_read_however_it_is_padded() {
        for value in [":MAH//g==:", ":MAH//g:", ":MAH//h==:", "  :MAH//g==: ", ":MAH//g=:"] {
            assert!(is_read(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for value in [
            "",
            ":",
            "::",
            ": :",
            "MAH//g==",
            ":MAH//g==",
            "MAH//g==:",
            ":MAH__g==:",
            ":MAH//:g==:",
            ":MAH //g==:",
            ":MAH//g==:;a=1",
            ":MAH//g==:, :MAH//g==:",
            ":MAH//g==:,",
            "\":MAH//g==:\"",
            "(:MAH//g==:)",
            ":M:",
            ":=:",
            ":MA=H:",
            ":MAH//g===:",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{value}");
        }
        assert_eq!(parse(b":MAH//g==\xff:"), None);
    }

    #[test]
    fn what_is_too_long_is_not_decoded() {
        let of = |length: usize| format!(":{}:", "A".repeat(length - 2));
        assert!(parse(of(MAX_LENGTH - 2).as_bytes()).is_some());
        assert_eq!(parse(of(MAX_LENGTH + 2).as_bytes()), None);
    }
}
