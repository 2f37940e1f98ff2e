//! What refusals look like, and what they never say.

use tower_resource_server::render::{Empty, Envelope, JsonRpc, OAuthJson, ProblemJson};
use tower_resource_server::{Builder, RejectionKind as Kind};

use super::{call, calling, post, through, tools};
use crate::support::{Answer, Bed, Logs};

const HOSTILE: &str = "x\r\nset-cookie: a=b\"\\ scope=admin <script>\u{202e}";

/// A refusal of each kind by such a server.
async fn refused(change: impl FnOnce(Builder) -> Builder) -> Vec<Answer> {
    let bed = Bed::with(change);
    let mut mismatch = call(HOSTILE);
    for (name, value) in [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "evil-method")] {
        mismatch.headers_mut().insert(name, value.parse().expect("a field value"));
    }
    let mut text = call("read_file");
    text.headers_mut().insert("content-type", "text/evil".parse().expect("a field value"));
    vec![
        through(&bed, tools(), post("{\"evil\"")).await,
        through(&bed, tools(), post("{\"evil\":1}")).await,
        through(&bed, tools(), mismatch).await,
        through(&bed, tools().limit(8), call("read_file")).await,
        through(&bed, tools(), text).await,
        through(&bed, tools(), call(HOSTILE)).await,
        through(&bed, tools(), call("delete_file")).await,
    ]
}

const KINDS: [Kind; 7] = [
    Kind::MalformedMessage,
    Kind::InvalidMessage,
    Kind::HeaderMismatch,
    Kind::MessageTooLarge,
    Kind::UnsupportedMediaType,
    Kind::UnlistedTool,
    Kind::InsufficientScope,
];

fn in_envelope(envelope: impl Envelope) -> impl FnOnce(Builder) -> Builder {
    |builder| builder.envelope(envelope)
}

#[tokio::test]
async fn json_rpc_has_the_codes_of_the_protocol() {
    let answers = refused(in_envelope(JsonRpc::default())).await;
    let codes = [-32700, -32600, -32020, -32600, -32600, -32003, -32003];
    let statuses = [400, 400, 400, 413, 415, 403, 403];
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(answer.kind(), Some(KINDS[at]));
        assert_eq!(answer.status, statuses[at]);
        assert_eq!(answer.all("content-type"), ["application/json"]);
        let body = answer.json();
        assert_eq!(body["jsonrpc"], "2.0");
        assert!(body.get("id").is_none());
        assert_eq!(body["error"]["code"], codes[at], "{body}");
        assert_eq!(body["error"]["data"]["kind"], KINDS[at].name());
    }
}

#[tokio::test]
async fn other_envelopes_say_what_they_have_to_say() {
    for answer in refused(in_envelope(ProblemJson::default())).await {
        let body = answer.json();
        assert_eq!(body["status"], answer.status.as_u16());
        let kind = answer.kind().expect("a refusal");
        assert_eq!(body["detail"], kind.description());
        assert_eq!(body["error"].as_str(), kind.error_code());
    }
    for answer in refused(in_envelope(OAuthJson::default())).await {
        let has_code = answer.kind().and_then(|kind| kind.error_code()).is_some();
        assert_eq!(answer.body.is_empty(), !has_code);
    }
    for answer in refused(in_envelope(Empty::default())).await {
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn nothing_of_the_message_is_said_again() {
    let (logs, guard) = Logs::capture();
    let mut answers = refused(in_envelope(JsonRpc::default())).await;
    answers.extend(refused(in_envelope(ProblemJson::default())).await);
    let bed = Bed::new();
    answers.push(through(&bed, tools(), post(calling(HOSTILE).to_string())).await);
    drop(guard);
    for text in answers.iter().map(Answer::text).chain([logs.text()]) {
        for word in ["evil", "set-cookie: a", "admin", "<script", "\u{202e}"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    assert!(logs.text().contains("unlisted-tool"));
}
