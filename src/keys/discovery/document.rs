//! What of a metadata document is believed (RFC 8414 §2, §3.3).

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Response, Uri};

use crate::json::Object;
use crate::keys::error::{Failure, MetadataError};
use crate::media_type;
use crate::uri::fetchable;

/// The members this server has a use for, out of a document whose issuer is the right one.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct ServerMetadata {
    /// RFC 8414 wants none where nothing is signed.
    pub(crate) jwks_uri: Option<Uri>,
    pub(crate) introspection_endpoint: Option<Uri>,
    /// `None` where the document does not say; RFC 8414 §2 then means nothing by it.
    pub(crate) introspection_auth_methods: Option<Vec<String>>,
}

/// The document in an answer of status 200.
///
/// `plain_loopback` lets its URLs be http on loopback. Members that are not known are ignored.
pub(super) fn read(
    answer: &Response<Bytes>,
    issuer: &str,
    plain_loopback: bool,
) -> Result<ServerMetadata, Failure<MetadataError>> {
    // Absent is tolerated, as it is with key sets.
    let json = |value| media_type::is(value, "application/json");
    if !answer.headers().get(CONTENT_TYPE).is_none_or(json) {
        return Err(MetadataError::ContentType.into());
    }
    let text = std::str::from_utf8(answer.body()).map_err(|_| MetadataError::NotMetadata)?;
    let members = Object::parse(text).map_err(|_| MetadataError::NotMetadata)?;
    check_issuer(&members, issuer)?;
    Ok(ServerMetadata {
        jwks_uri: jwks_uri(&members, plain_loopback)?,
        introspection_endpoint: introspection_endpoint(&members, issuer, plain_loopback),
        introspection_auth_methods: strings(
            &members,
            "introspection_endpoint_auth_methods_supported",
        ),
    })
}

/// RFC 8414 §3.3: identical, so neither slashes nor case are made alike.
fn check_issuer(members: &Object<'_>, issuer: &str) -> Result<(), Failure<MetadataError>> {
    let Ok(Some(found)) = members.string("issuer") else {
        return Err(Failure::with_cause(MetadataError::NotMetadata, "it has no string issuer"));
    };
    if found == issuer {
        return Ok(());
    }
    let cause = format!("its issuer is {}", shown(&found));
    Err(Failure::with_cause(MetadataError::OtherIssuer, cause))
}

fn jwks_uri(
    members: &Object<'_>,
    plain_loopback: bool,
) -> Result<Option<Uri>, Failure<MetadataError>> {
    let unusable = |cause: String| Failure::with_cause(MetadataError::JwksUri, cause);
    let text = members.string("jwks_uri").map_err(|_| unusable("it is not a string".to_owned()))?;
    let Some(text) = text else { return Ok(None) };
    let uri = fetchable(&text, plain_loopback);
    uri.map(Some).map_err(|fault| unusable(format!("{} {}", shown(&text), fault.problem())))
}

/// One that cannot be used counts as absent: keys do not suffer for it.
fn introspection_endpoint(members: &Object<'_>, issuer: &str, plain_loopback: bool) -> Option<Uri> {
    let text = members.string("introspection_endpoint").unwrap_or_default()?;
    let uri = fetchable(&text, plain_loopback);
    if let Err(fault) = uri {
        let (uri, problem) = (shown(&text), fault.problem());
        tracing::warn!(
            target: "tower_resource_server::keys",
            issuer,
            uri,
            problem,
            "introspection_endpoint of the metadata not used"
        );
    }
    uri.ok()
}

fn strings(members: &Object<'_>, name: &str) -> Option<Vec<String>> {
    serde_json::from_str(members.raw(name)?).ok()
}

/// Text of a document as it may stand in a log line: quoted, escaped, not long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://as.example.com";

    fn of(members: &str) -> Result<ServerMetadata, MetadataError> {
        let body = format!("{{\"issuer\":\"{ISSUER}\"{members}}}");
        read(&Response::new(body.into()), ISSUER, false).map_err(|failure| failure.error)
    }

    #[test]
    fn what_is_for_introspection_is_kept_or_left_out() {
        let members = r#","introspection_endpoint":"https://as.example.com/introspect",
            "introspection_endpoint_auth_methods_supported":["client_secret_basic"]"#;
        let metadata = of(members).expect("a document");
        assert_eq!(metadata.jwks_uri, None);
        assert!(metadata.introspection_endpoint.is_some_and(|uri| uri.path() == "/introspect"));
        assert_eq!(metadata.introspection_auth_methods, Some(vec!["client_secret_basic".into()]));
        for members in [
            r#","introspection_endpoint":"http://as.example.com/introspect""#,
            r#","introspection_endpoint":["https://as.example.com/introspect"]"#,
            r#","introspection_endpoint_auth_methods_supported":"client_secret_basic""#,
        ] {
            let metadata = of(members).expect(members);
            assert_eq!(metadata.introspection_endpoint, None, "{members}");
            assert_eq!(metadata.introspection_auth_methods, None, "{members}");
        }
    }

    #[test]
    fn http_on_loopback_is_for_those_who_allow_it() {
        let body = r#"{"issuer":"http://[::1]:1","jwks_uri":"http://[::1]:1/jwks"}"#;
        let answer = Response::new(Bytes::from_static(body.as_bytes()));
        let read = |allowed| read(&answer, "http://[::1]:1", allowed).map(|found| found.jwks_uri);
        assert_eq!(read(true).expect("allowed").expect("a URL").path(), "/jwks");
        let failure = read(false).expect_err("not allowed");
        assert_eq!(failure.error, MetadataError::JwksUri);
        let cause = "\"http://[::1]:1/jwks\" is plain http on loopback";
        assert_eq!(failure.cause.as_deref(), Some(cause));
    }

    #[test]
    fn text_of_strangers_is_shown_short_and_escaped() {
        assert_eq!(shown("a\nb"), "\"a\\nb\"");
        assert_eq!(shown(&"ä".repeat(201)), format!("\"{}\"...", "ä".repeat(200)));
    }
}
