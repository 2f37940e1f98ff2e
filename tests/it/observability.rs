//! What operators see: one log event a refusal, and events for metrics.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, Once};

use http::{Request, Uri};
use http_body_util::Full;
use tower_resource_server::testing::Flaw;
use tower_resource_server::{ClaimMapper, Event, Issuer, JwkSet, Observer, RejectionKind, Scopes};
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::profiles::Fixture;
use crate::support::{Bed, ISSUER, RESOURCE, bearer, get, present, send, trusting};

pub(crate) const REJECTION: &str = "tower_resource_server::rejection";
pub(crate) const CONFIG: &str = "tower_resource_server::config";

/// One event of the crate's.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Logged {
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }
}

type Events = Arc<Mutex<Vec<Logged>>>;

thread_local! {
    static EVENTS: RefCell<Option<Events>> = const { RefCell::new(None) };
}

/// What this thread logs while the capture lives.
///
/// One subscriber serves the whole process: subscribers that come and go by thread can lose
/// events of call sites which another thread meets first.
pub(crate) struct Capture(Events);

impl Capture {
    pub(crate) fn start() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let subscriber = tracing_subscriber::registry().with(ByThread);
            tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");
            tracing::callsite::rebuild_interest_cache();
        });
        let events = Events::default();
        EVENTS.set(Some(Arc::clone(&events)));
        Self(events)
    }

    pub(crate) fn all(&self) -> Vec<Logged> {
        self.0.lock().expect("no test panics while it logs").clone()
    }

    pub(crate) fn of(&self, target: &str) -> Vec<Logged> {
        self.all().into_iter().filter(|event| event.target == target).collect()
    }

    /// What is said besides, for those who look for a reason.
    fn reason(&self) -> Logged {
        let mut events = self.of(REJECTION);
        events.retain(|event| event.level == Level::DEBUG);
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    fn refusals(&self) -> Vec<Logged> {
        let mut events = self.of(REJECTION);
        events.retain(|event| event.level != Level::DEBUG);
        events
    }

    /// The one refusal.
    pub(crate) fn refusal(&self) -> Logged {
        let mut events = self.refusals();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        EVENTS.set(None);
    }
}

struct ByThread;

impl<S: Subscriber> tracing_subscriber::Layer<S> for ByThread {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let ours = metadata.target().starts_with("tower_resource_server");
        if ours { Interest::always() } else { Interest::never() }
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let Some(events) = EVENTS.with_borrow(Clone::clone) else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        let target = event.metadata().target().to_owned();
        let logged = Logged { level, target, fields: fields.0 };
        events.lock().expect("no test panics while it logs").push(logged);
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

fn at(uri: &str) -> Request<Full<bytes::Bytes>> {
    let mut request = get(&[]);
    *request.uri_mut() = uri.parse::<Uri>().expect("a request target");
    request
}

#[tokio::test]
async fn a_refusal_is_one_event_with_stable_fields() {
    let bed = Bed::new();
    let log = Capture::start();
    bed.bearer("garbage").await.assert_t401();
    let event = log.refusal();
    assert_eq!(event.level, Level::INFO);
    assert_eq!(event.get("kind"), Some("malformed-token"));
    assert_eq!(event.get("error"), Some("invalid_token"));
    assert_eq!(event.get("resource"), Some(RESOURCE));
    assert_eq!(event.get("method"), Some("GET"));
    assert_eq!(event.get("path"), Some("\"/r\""));
    let text = RejectionKind::MalformedToken.description();
    assert_eq!(event.get("message"), Some(text));
}

#[tokio::test]
async fn a_request_without_token_has_no_error_field() {
    let bed = Bed::new();
    let log = Capture::start();
    send(bed.server.authenticate(), get(&[])).await.assert_n401();
    let event = log.refusal();
    assert_eq!(event.get("kind"), Some("missing-credentials"));
    assert_eq!(event.get("error"), None);
}

#[tokio::test]
async fn nothing_unverified_stands_for_issuer_or_client() {
    let bed = Bed::new();
    for flaw in [Flaw::BadSignature, Flaw::WrongKey, Flaw::WrongIssuer, Flaw::UnknownKeyId] {
        let log = Capture::start();
        let token = bed.issuer.token().client_id("mallory").flaw(flaw).build();
        bed.bearer(&token).await.assert_t401();
        let event = log.refusal();
        assert_eq!((event.get("issuer"), event.get("client_id")), (None, None), "{flaw:?}");
        assert!(!format!("{:?}", log.all()).contains("mallory"), "{flaw:?}");
    }
}

#[tokio::test]
async fn the_claim_that_is_missing_is_named_to_those_who_look() {
    let bed = Bed::new();
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let log = Capture::start();
        bed.bearer(&bed.issuer.token().without_claim(claim).build()).await.assert_t401();
        assert_eq!(log.refusal().get("kind"), Some("missing-claim"));
        assert_eq!(log.reason().get("claim"), Some(claim));
    }
    // Where a profile knows several names, any would have done.
    let auth0 = Fixture::named("auth0");
    let token = auth0.access().without("azp").without("client_id").sign();
    let log = Capture::start();
    present(&auth0.server(), &token).await.assert_t401();
    assert_eq!(log.reason().get("claim"), Some("client_id or azp"));
    let mapper = ClaimMapper::new().require_claims(["tenant"]);
    let keys = JwkSet::from_json(&bed.issuer.jwks_bytes()).expect("a key set");
    let server = trusting(Issuer::jwks(ISSUER, keys).profile(mapper)).build().expect("valid");
    let log = Capture::start();
    present(&server, &bed.token()).await.assert_t401();
    assert_eq!(log.reason().get("claim"), Some("tenant"));
}

#[tokio::test]
async fn an_issuer_that_is_not_trusted_is_named_to_those_who_look() {
    let bed = Bed::new();
    let log = Capture::start();
    let token = bed.issuer.token().claim("iss", "https://as.example.com/\n\u{1b}[2J").build();
    bed.bearer(&token).await.assert_t401();
    assert_eq!(log.refusal().get("issuer"), None, "nobody vouched for it");
    assert_eq!(log.reason().get("iss"), Some("\"https://as.example.com/\\n\\u{1b}[2J\""));
    let log = Capture::start();
    let long = format!("https://{}", "x".repeat(1000));
    bed.bearer(&bed.issuer.token().claim("iss", long.as_str()).build()).await.assert_t401();
    assert_eq!(log.reason().get("iss").map(str::len), Some(256 + 2));
}

#[tokio::test]
async fn what_is_verified_is_told() {
    let bed = Bed::new();
    let log = Capture::start();
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["write"])));
    send(layers, bearer(&bed.token())).await.assert_s403("write");
    let event = log.refusal();
    assert_eq!(event.get("kind"), Some("insufficient-scope"));
    assert_eq!(event.get("error"), Some("insufficient_scope"));
    assert_eq!(event.get("issuer"), Some(ISSUER));
    assert_eq!(event.get("client_id"), Some("\"client-1\""));
}

#[tokio::test]
async fn a_hostile_client_id_is_escaped() {
    let bed = Bed::new();
    let log = Capture::start();
    let token = bed.issuer.token().client_id("a\nb\u{1b}[2J").build();
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["write"])));
    send(layers, bearer(&token)).await.assert_s403("write");
    assert_eq!(log.refusal().get("client_id"), Some("\"a\\nb\\u{1b}[2J\""));
}

#[tokio::test]
async fn no_event_holds_the_token_or_a_part_of_it() {
    let bed = Bed::new();
    for flaw in Flaw::ALL {
        let log = Capture::start();
        let token = bed.issuer.token().flaw(flaw).build();
        assert!(!bed.bearer(&token).await.status.is_success());
        let shown = format!("{:?}", log.all());
        assert_eq!(log.refusals().len(), 1, "{flaw:?}");
        for part in token.split(['.', '"']).filter(|part| part.len() > 12) {
            assert!(!shown.contains(part), "{flaw:?}");
        }
    }
}

#[tokio::test]
async fn the_path_is_logged_without_its_query() {
    let bed = Bed::new();
    let log = Capture::start();
    send(bed.server.authenticate(), at("/a/b?access_token=secret")).await.assert_n401();
    assert_eq!(log.refusal().get("path"), Some("\"/a/b\""));
    assert!(!format!("{:?}", log.all()).contains("secret"));
}

#[tokio::test]
async fn a_hostile_path_is_escaped() {
    let bed = Bed::new();
    let log = Capture::start();
    send(bed.server.authenticate(), at("/a\"b\u{202e}c")).await.assert_n401();
    assert_eq!(log.refusal().get("path"), Some("\"/a\\\"b\\u{202e}c\""));
}

#[tokio::test]
async fn a_long_path_is_cut_between_characters() {
    let bed = Bed::new();
    let log = Capture::start();
    // 254 bytes of ASCII, then characters of three bytes: none of them fits whole.
    let path = format!("/{}{}", "x".repeat(253), "\u{20ac}".repeat(2000));
    send(bed.server.authenticate(), at(&path)).await.assert_n401();
    let kept = format!("\"/{}\"", "x".repeat(253));
    assert_eq!(log.refusal().get("path"), Some(kept.as_str()));
}

#[tokio::test]
async fn a_fault_of_the_server_is_an_error() {
    let bed = Bed::new();
    let log = Capture::start();
    let answer = send(bed.server.require(Scopes::all(["read"])), bearer(&bed.token())).await;
    assert_eq!(answer.kind(), Some(RejectionKind::MissingAuthentication));
    let event = log.refusal();
    assert_eq!(event.level, Level::ERROR);
    assert_eq!(event.get("kind"), Some("missing-authentication"));
    assert_eq!(event.get("error"), None);
}

#[tokio::test]
async fn an_accepted_request_logs_nothing() {
    let bed = Bed::new();
    let log = Capture::start();
    bed.bearer(&bed.token()).await.assert_ok();
    assert!(log.all().is_empty(), "{:?}", log.all());
}

/// Writes down what it is told.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Observer for Notes {
    fn observe(&self, event: &Event<'_>) {
        let note = match event {
            Event::Accepted { issuer, .. } => format!("accepted {issuer}"),
            Event::Refused { kind, .. } => format!("refused {kind}"),
            other => format!("{other:?}"),
        };
        self.0.lock().expect("no test panics while it notes").push(note);
    }
}

impl Notes {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no test panics while it notes"))
    }
}

#[tokio::test]
async fn an_observer_hears_of_each_request_once() {
    let notes = Notes::default();
    let bed = Bed::with(|builder| builder.observer(notes.clone()));
    let token = bed.token();
    for _ in ["seen first", "seen before"] {
        bed.bearer(&token).await.assert_ok();
        assert_eq!(notes.take(), [format!("accepted {ISSUER}")]);
    }
    send(bed.server.authenticate(), get(&[])).await.assert_n401();
    assert_eq!(notes.take(), ["refused missing-credentials"]);
    bed.bearer("garbage").await.assert_t401();
    assert_eq!(notes.take(), ["refused malformed-token"]);
}

#[tokio::test]
async fn an_observer_hears_of_a_layer_that_refuses_what_another_accepted() {
    let notes = Notes::default();
    let bed = Bed::with(|builder| builder.observer(notes.clone()));
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["write"])));
    send(layers, bearer(&bed.token())).await.assert_s403("write");
    assert_eq!(notes.take(), [format!("accepted {ISSUER}"), "refused insufficient-scope".into()]);
    let demanding = bed.server.authenticate().require(Scopes::all(["write"]));
    send(demanding, bearer(&bed.token())).await.assert_s403("write");
    assert_eq!(notes.take(), ["refused insufficient-scope"]);
}
