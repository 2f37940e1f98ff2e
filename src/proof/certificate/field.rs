//! The `Client-Cert` field (RFC 9440 §2.2).
//!
//! It is a byte sequence (RFC 8941 §3.3.5): `Client-Cert: :MIIBqDCCAU6gAwIBAgIBBzAKBggq…:`

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;

use super::{CLIENT_CERT, ClientCertificate};

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

/// The certificate of the field, if there is one, or why it cannot be read. RFC 9440 §2.2: it is no
/// list, so two of them are none.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<ClientCertificate>, &'static str> {
    let mut lines = headers.get_all(CLIENT_CERT).into_iter();
    let Some(line) = lines.next() else { return Ok(None) };
    match lines.next() {
        None => parse(line.as_bytes()).map(Some),
        Some(_) => Err("it is there more than once"),
    }
}

/// One byte sequence that is not empty, without parameters.
fn parse(value: &[u8]) -> Result<ClientCertificate, &'static str> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return Err("it is empty");
    }
    if value.len() > MAX_LENGTH {
        return Err("it is longer than 16 KiB");
    }
    let encoded = value.strip_prefix(b":").and_then(|rest| rest.strip_suffix(b":"));
    let encoded = encoded.ok_or_else(|| unenclosed(value))?;
    if encoded.is_empty() {
        return Err("nothing is between its colons");
    }
    let der = BYTE_SEQUENCE.decode(encoded).map_err(|_| "no base64 is between its colons")?;
    if der.starts_with(PEM) {
        return Err("its base64 is that of PEM, not of DER");
    }
    Ok(ClientCertificate::from_der(der))
}

const PEM: &[u8] = b"-----BEGIN";

/// What stands there in place of a byte sequence.
fn unenclosed(value: &[u8]) -> &'static str {
    if value.trim_ascii_start().starts_with(PEM) {
        "it is PEM"
    } else if value.starts_with(b":") && value.contains(&b';') {
        "it has parameters"
    } else {
        "it does not begin and end with a colon"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(value: &[u8]) -> bool {
        parse(value) == Ok(ClientCertificate::from_der(b"\x30\x01\xff\xfe"))
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
            ":LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t:",
        ] {
            assert!(parse(value.as_bytes()).is_err(), "{value}");
        }
        assert!(parse(b":MAH//g==\xff:").is_err());
    }

    #[test]
    fn what_is_too_long_is_not_decoded() {
        let of = |length: usize| format!(":{}:", "A".repeat(length - 2));
        assert!(parse(of(MAX_LENGTH - 2).as_bytes()).is_ok());
        assert_eq!(parse(of(MAX_LENGTH + 2).as_bytes()), Err("it is longer than 16 KiB"));
    }
}
