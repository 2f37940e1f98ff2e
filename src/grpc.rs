//! gRPC on the wire: which requests are gRPC, and how a status message is written.

use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};

pub(crate) const STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(crate) const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The fields in which the client of a call finds what became of it; none for other requests.
pub(crate) fn fields(call: Option<MediaType>) -> &'static [HeaderName] {
    static FIELDS: [HeaderName; 2] = [STATUS, MESSAGE];
    if call.is_some() { &FIELDS } else { &[] }
}

/// The media type of a gRPC request, and of its answer. Those that are not known are answered as
/// the nearest that is, so that nothing a client wrote comes back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MediaType {
    Grpc,
    GrpcProto,
    GrpcJson,
    Web,
    WebProto,
    WebText,
    WebTextProto,
}

impl MediaType {
    /// That of a request: `application/grpc` or a gRPC-Web one, then its end, `+` or `;`.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::read(headers.get(CONTENT_TYPE)?.as_bytes())
    }

    fn read(value: &[u8]) -> Option<Self> {
        let essence = value.split(|byte| *byte == b';').next()?.trim_ascii();
        let (grpc, rest) = essence.split_at_checked(PREFIX.len())?;
        if !grpc.eq_ignore_ascii_case(PREFIX) {
            return None;
        }
        let mut parts = rest.splitn(2, |byte| *byte == b'+');
        let (variant, format) = (parts.next()?, parts.next().unwrap_or_default());
        let (plain, proto) = Self::variant(variant)?;
        Some(match format {
            format if format.eq_ignore_ascii_case(b"proto") => proto,
            format if plain == Self::Grpc && format.eq_ignore_ascii_case(b"json") => Self::GrpcJson,
            _ => plain,
        })
    }

    /// A variant without a format, and that of protocol buffers.
    fn variant(name: &[u8]) -> Option<(Self, Self)> {
        match name {
            b"" => Some((Self::Grpc, Self::GrpcProto)),
            name if name.eq_ignore_ascii_case(b"-web") => Some((Self::Web, Self::WebProto)),
            name if name.eq_ignore_ascii_case(b"-web-text") => {
                Some((Self::WebText, Self::WebTextProto))
            }
            _ => None,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "application/grpc",
            Self::GrpcProto => "application/grpc+proto",
            Self::GrpcJson => "application/grpc+json",
            Self::Web => "application/grpc-web",
            Self::WebProto => "application/grpc-web+proto",
            Self::WebText => "application/grpc-web-text",
            Self::WebTextProto => "application/grpc-web-text+proto",
        }
    }
}

const PREFIX: &[u8] = b"application/grpc";

/// Percent-encoded UTF-8: all but the visible ASCII characters other than `%`, and space, become
/// `%` and two upper-case digits.
pub(crate) fn encode(message: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'%';
    if message.bytes().all(is_plain) {
        return Cow::Borrowed(message);
    }
    let digit = |value: u8| char::from(HEX[usize::from(value)]);
    let mut encoded = String::with_capacity(message.len() + 16);
    for byte in message.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    Cow::Owned(encoded)
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_told_by_what_follows_the_prefix() {
        // GRPC-req-2-1: the end, `+` or `;`, in any case; gRPC-Web apart.
        for (value, name) in [
            ("application/grpc", "application/grpc"),
            ("Application/GRPC", "application/grpc"),
            ("application/grpc;charset=utf-8", "application/grpc"),
            (" application/grpc ; x=\"y\"", "application/grpc"),
            ("application/grpc+proto", "application/grpc+proto"),
            ("application/grpc+Proto; v=1", "application/grpc+proto"),
            ("application/grpc+json", "application/grpc+json"),
            ("application/grpc+", "application/grpc"),
            ("application/grpc+proto+x", "application/grpc"),
            ("application/grpc+\u{e9}", "application/grpc"),
            ("application/grpc-web", "application/grpc-web"),
            ("application/grpc-web+proto", "application/grpc-web+proto"),
            ("application/grpc-web+json", "application/grpc-web"),
            ("application/grpc-WEB-text", "application/grpc-web-text"),
            ("application/grpc-web-text+proto", "application/grpc-web-text+proto"),
        ] {
            assert_eq!(MediaType::read(value.as_bytes()).map(MediaType::name), Some(name));
        }
        for value in [
            "",
            "application/grp",
            "application/grpcfoo",
            "application/grpc-webfoo",
            "application/grpc-foo",
            "application/grpc, application/json",
            "application/grpc web",
            "x-application/grpc",
            "application/json; x=application/grpc",
        ] {
            assert_eq!(MediaType::read(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn messages_are_percent_encoded() {
        // GRPC-resp-3-1: grpc_message of the vectors.
        for (message, encoded) in [
            ("The access token expired", "The access token expired"),
            ("100% wrong", "100%25 wrong"),
            ("na\u{ef}ve", "na%C3%AFve"),
            ("line\nbreak", "line%0Abreak"),
            ("a\"b\\c", "a\"b\\c"),
            ("\u{2603}", "%E2%98%83"),
            ("\u{7f}\t", "%7F%09"),
        ] {
            assert_eq!(encode(message), encoded);
        }
    }
}
