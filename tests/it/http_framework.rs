//! HTTP authentication framework: RFC 9110 sections 5, 6, 9, 11 and 15.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::{Layer, ServiceBuilder, service_fn};
use tower_resource_server::render::ProblemJson;
use tower_resource_server::testing::Flaw;
use tower_resource_server::{Algorithm, Builder, Dpop, Grant, Predicate, RejectionKind, Scopes};

use crate::dpop::Client;
use crate::support::{
    Answer, Bed, CHALLENGED, Challenge, Handler, bearer, faults, get, refusals, refusals_of, send,
    send_around, table,
};

/// The value that the Bearer challenge of an N401 gives `name`, as it stands on the wire.
async fn raw_challenge(change: impl FnOnce(Builder) -> Builder) -> String {
    let bed = Bed::with(change);
    let answer = send(bed.server.authenticate(), get(&[])).await;
    answer.assert_n401();
    answer.all("www-authenticate")[0].to_owned()
}

#[tokio::test]
async fn authorization_fields_get_what_the_vectors_say() {
    let bed = Bed::new();
    let token = bed.token();
    let vectors = table("authorization_header");
    assert_eq!(vectors.len(), 20);
    for vector in vectors {
        let line = vector["authorization"].as_str().expect("a field value");
        let answer = send(
            bed.server.authenticate(),
            get(&[("authorization", &line.replace("TOK", &token))]),
        )
        .await;
        match vector["expect"].as_str() {
            Some("token") if line.contains("TOK") => answer.assert_ok(),
            // Grammatical, so it reaches the verifier, and is no token there.
            Some("token") => answer.assert_t401(),
            // Grammatical too, and the proof that belongs to it is missing.
            Some("token-dpop") => {
                assert_eq!(answer.kind(), Some(RejectionKind::MissingProof));
                answer.assert_p401();
                let client = Client::new(&bed);
                let request = client.request_as(&line.replace("TOK", &client.token));
                send(bed.server.authenticate(), request).await.assert_ok();
            }
            Some("unsupported-scheme" | "no-credentials") => answer.assert_n401(),
            Some("invalid_request") => answer.assert_r400(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_scheme_is_compared_without_case() {
    let bed = Bed::new();
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let line = format!("{scheme} {}", bed.token());
        // R9110-11.1-1
        send(bed.server.authenticate(), get(&[("authorization", &line)])).await.assert_ok();
    }
    let client = Client::new(&bed);
    for scheme in ["DPoP", "dpop", "DPOP", "dPoP"] {
        let request = client.request_as(&format!("{scheme} {}", client.token));
        // R9110-11.1-1: so is that of bound tokens.
        send(bed.server.authenticate(), request).await.assert_ok();
    }
}

#[tokio::test]
async fn credentials_are_token68_and_nothing_else() {
    let bed = Bed::new();
    // R9110-11.2-1: padding at the end is token68; the verifier has the last word on it.
    bed.bearer("abc==").await.assert_t401();
    for credentials in ["a=b", "a$b", "\"x\"", "=", "==", "a\\b", "a;b", "a:b"] {
        // R9110-11.2-1: everything else breaks the grammar.
        bed.bearer(credentials).await.assert_r400();
    }
}

#[tokio::test]
async fn no_parameter_name_repeats_in_a_challenge() {
    let settings = |builder: Builder| {
        let builder = builder.realm("api").error_uri("https://docs.example.com/errors");
        builder.challenge_param("charset", "UTF-8").challenge_param("X-Hint", "a \"b\"")
    };
    let mut challenged = Vec::new();
    for answer in refusals(settings).await {
        // R9110-11.2-2: the parser accepts no name twice, whatever its case.
        for challenge in answer.challenges() {
            assert_eq!(challenge.get("charset"), Some("UTF-8"));
            assert_eq!(challenge.get("X-Hint"), Some("a \"b\""));
            challenged.push(answer.status.as_u16());
        }
    }
    assert_eq!(challenged, [401, 401, 400, 400, 401, 401, 403, 403, 401]);
}

#[tokio::test]
async fn every_parameter_value_is_a_quoted_string() {
    let answers = refusals(|builder| builder.challenge_param("count", "1")).await;
    let lines: Vec<_> = answers.iter().flat_map(|answer| answer.all("www-authenticate")).collect();
    // R9110-11.2-3: the parser of the tests takes nothing but quoted-strings.
    let parsed: Vec<_> = lines.iter().map(|line| Challenge::parse(line)).collect();
    let schemes: Vec<_> = parsed.iter().map(|challenge| challenge.scheme.as_str()).collect();
    assert_eq!(schemes, CHALLENGED);
    // R9110-11.2-3: numbers too.
    assert!(lines.iter().all(|line| line.contains("count=\"1\"")));
    assert_eq!(lines.iter().filter(|line| line.contains("max_age=\"300\"")).count(), 1);
    // R9110-11.2-3: a list of one algorithm too, which could be a token.
    let one = Dpop::new().algorithms([Algorithm::ES256]);
    let answers = refusals(|builder| builder.dpop(one)).await;
    let lines = answers.iter().flat_map(|answer| answer.all("www-authenticate"));
    let (dpop, bearer): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("DPoP "));
    assert!(dpop.len() == 3 && dpop.iter().all(|line| line.contains("algs=\"ES256\"")));
    assert!(bearer.len() == 6 && !bearer.iter().any(|line| line.contains("algs=")));
}

#[test]
fn repeated_and_reserved_parameters_do_not_build() {
    for name in ["error", "realm", "Realm", "scope", "ERROR_description", "algs", "nonce"] {
        // R9110-11.2-4: what the library writes itself cannot be added, in any case.
        assert_eq!(faults(|builder| builder.challenge_param(name, "x")), ["challenge_param"]);
    }
    let twice = |builder: Builder| builder.challenge_param("a", "1").challenge_param("A", "2");
    // R9110-11.2-4: nor anything twice.
    assert_eq!(faults(twice), ["challenge_param"]);
}

#[tokio::test]
async fn the_last_realm_given_is_the_only_one() {
    let challenge = raw_challenge(|builder| builder.realm("first").realm("second")).await;
    assert_eq!(Challenge::parse(&challenge).get("realm"), Some("second"));
}

fn with_method(request: Request<Full<Bytes>>, method: &Method) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    parts.method = method.clone();
    Request::from_parts(parts, body)
}

#[tokio::test]
async fn every_401_carries_a_challenge_whatever_the_method() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST, Method::TRACE] {
        let answers = refusals_of(|b| b, |request| with_method(request, &method)).await;
        let refused = |answer: &&Answer| answer.status == StatusCode::UNAUTHORIZED;
        let unauthorized: Vec<_> = answers.iter().filter(refused).collect();
        assert_eq!(unauthorized.len(), 3, "{method}");
        for answer in unauthorized {
            // R9110-11.3-1: there are some, they parse, and their schemes are those accepted.
            let step_up = answer.kind() == Some(RejectionKind::InsufficientAuthentication);
            let accepted: &[&str] = if step_up { &["Bearer"] } else { &["Bearer", "DPoP"] };
            assert_eq!(answer.schemes(), accepted, "{method}");
        }
    }
}

#[tokio::test]
async fn options_with_an_origin_alone_is_no_preflight() {
    let bed = Bed::new();
    let request = with_method(get(&[("origin", "https://app.example.com")]), &Method::OPTIONS);
    // R9110-11.3-1: a plain OPTIONS of a browser is refused like everything else.
    send(bed.server.authenticate(), request).await.assert_n401();
}

#[tokio::test]
async fn realms_are_quoted_and_only_quotes_and_backslashes_are_escaped() {
    let challenge = raw_challenge(|builder| builder.realm("a b")).await;
    // R9110-11.5-1: quoted even where a token would do for most of it.
    assert!(challenge.starts_with("Bearer realm=\"a b\""), "{challenge}");
    let challenge = raw_challenge(|builder| builder.realm("plain")).await;
    assert!(challenge.starts_with("Bearer realm=\"plain\""), "{challenge}");
    let challenge = raw_challenge(|builder| builder.realm(r#"a"b\c"#)).await;
    // R9110-5.6.4-1: by a preceding backslash, and back again.
    assert!(challenge.starts_with(r#"Bearer realm="a\"b\\c""#), "{challenge}");
    assert_eq!(Challenge::parse(&challenge).get("realm"), Some(r#"a"b\c"#));
    let challenge = raw_challenge(|builder| builder.realm("a,b=c")).await;
    // R9110-5.6.4-2: separators stay as they are.
    assert!(challenge.starts_with("Bearer realm=\"a,b=c\""), "{challenge}");
}

#[tokio::test]
async fn refusals_other_than_401_carry_challenges_and_successes_do_not() {
    let bed = Bed::new();
    let guard = bed.server.authenticate();
    let forbidden = guard.clone().require(Scopes::all(["write"]));
    // R9110-11.6.1-3: 403 and 400 have one.
    send(forbidden, bearer(&bed.token())).await.assert_s403("write");
    send(guard, bearer("a b")).await.assert_r400();
    let answer = bed.bearer(&bed.token()).await;
    // R9110-11.6.1-3: 2xx has none.
    answer.assert_ok();
    assert!(answer.all("www-authenticate").is_empty());
}

#[tokio::test]
async fn challenges_of_the_inner_service_pass_as_they_are() {
    let lines = [("www-authenticate", "Basic realm=\"x\""), ("www-authenticate", "Digest qop=a")];
    let bed = Bed::new();
    let layers = (bed.server.authenticate(), bed.server.require(Scopes::all(["read"])));
    let handler = Handler::answering(401, &lines);
    let answer = send_around(layers, handler.clone(), bearer(&bed.token())).await;
    // R9110-11.6.1-4: neither rewritten nor dropped, and nothing added.
    assert_eq!(answer.all("www-authenticate"), ["Basic realm=\"x\"", "Digest qop=a"]);
    assert_eq!((answer.status.as_u16(), answer.handled), (401, true));
    assert!(answer.rejection.is_none() && answer.all("cache-control").is_empty());
    let answer = send_around(bed.server.authenticate().optional(), handler, get(&[])).await;
    // R9110-11.6.1-4: nor for anonymous requests.
    assert_eq!(answer.all("www-authenticate"), ["Basic realm=\"x\"", "Digest qop=a"]);
}

/// Whatever else a challenge says.
fn scheme_and_error(challenge: Challenge) -> (String, Option<String>) {
    let error = challenge.get("error").map(str::to_owned);
    (challenge.scheme, error)
}

#[tokio::test]
async fn more_than_one_authorization_line_is_malformed() {
    let both = ["Bearer", "DPoP"].map(|scheme| (scheme.to_owned(), Some("invalid_request".into())));
    let bed = Bed::new();
    let client = Client::new(&bed);
    let lines = [format!("Bearer {}", bed.token()), format!("DPoP {}", client.token)];
    let [bearer, dpop] = lines.each_ref().map(String::as_str);
    let pairs = [bearer, "Bearer bad", "Basic dTpw", "DPoP abc", "", "Bearer", dpop]
        .map(|other| [bearer, other]);
    let of_dpop = [dpop, "Basic dTpw", "DPoP"].map(|other| [dpop, other]);
    for [one, other] in pairs.into_iter().chain(of_dpop) {
        for pair in [[one, other], [other, one]] {
            let mut request = client.request_as(pair[0]);
            let second = HeaderValue::from_str(pair[1]).expect("a field value");
            request.headers_mut().append("authorization", second);
            let answer = send(bed.server.authenticate(), request).await;
            // R9110-11.6.2-1: in any order, never the first or the better one.
            answer.assert_r400();
            assert_eq!(answer.kind(), Some(RejectionKind::MultipleCredentials), "{pair:?}");
            let errors: Vec<_> = answer.challenges().into_iter().map(scheme_and_error).collect();
            // R9110-11.6.2-1: which scheme was tried is not clear, so both say it.
            assert_eq!(errors, both, "{pair:?}");
        }
    }
}

#[tokio::test]
async fn an_optional_layer_refuses_several_lines_too() {
    let bed = Bed::new();
    let request = get(&[("authorization", "Basic dTpw"), ("authorization", "Basic dTpw")]);
    send(bed.server.authenticate().optional(), request).await.assert_r400();
}

#[tokio::test]
async fn credentials_folded_into_one_line_are_malformed() {
    for bed in [Bed::new(), Bed::with(Builder::lenient_token_charset)] {
        let token = bed.token();
        for second in [", Bearer ", ",DPoP ", ",Bearer ", " , Bearer ", ","] {
            // R9110-11.6.2-2: whatever the list looks like, with either charset.
            bed.bearer(&format!("{token}{second}{token}")).await.assert_r400();
        }
    }
}

#[tokio::test]
async fn tokens_beyond_the_limit_are_refused_unread() {
    let bed = Bed::new();
    let long = format!("{}{}", bed.token(), "=".repeat(200 * 1024));
    let answer = bed.bearer(&long).await;
    // R9110-5.4-1: 4xx; cut anywhere, this token would have been a valid one.
    answer.assert_r400();
    assert_eq!(answer.kind(), Some(RejectionKind::TokenTooLarge));
    assert!(answer.text().len() < 2000);
}

#[tokio::test]
async fn the_limit_counts_the_token_alone() {
    let bed = Bed::with(|builder| builder.max_token_bytes(256));
    let kind = |length: usize| {
        let line = format!("Bearer    {}", "a".repeat(length));
        let sent = send(bed.server.authenticate(), get(&[("authorization", &line)]));
        async { sent.await.kind() }
    };
    assert_eq!(kind(256).await, Some(RejectionKind::MalformedToken));
    assert_eq!(kind(257).await, Some(RejectionKind::TokenTooLarge));
}

#[tokio::test]
async fn octets_outside_ascii_are_malformed_and_not_echoed() {
    for bed in [Bed::new(), Bed::with(Builder::lenient_token_charset)] {
        for line in [&b"Bearer t\xf6k"[..], b"Bearer \xff", b"B\xe9arer tok", b"\xf6"] {
            let mut request = get(&[]);
            let value = HeaderValue::from_bytes(line).expect("obs-text is legal in a field");
            request.headers_mut().insert("authorization", value);
            let answer = send(bed.server.authenticate(), request).await;
            // R9110-5.5-1: refused without a panic, and nothing of it comes back.
            answer.assert_r400();
            assert!(answer.text().is_ascii());
        }
    }
}

const INJECTED: &str = "\r\nX: y\0";

#[tokio::test]
async fn control_characters_of_a_token_come_back_nowhere() {
    let bed = Bed::new();
    let token = || bed.issuer.token().scope("read");
    let tokens = [
        token().header("kid", INJECTED).build(),
        token().claim("iss", INJECTED).build(),
        token().claim("aud", INJECTED).build(),
        token().scope(format!("read{INJECTED}")).build(),
        token().subject(INJECTED).client_id(INJECTED).flaw(Flaw::Expired).build(),
    ];
    for token in tokens {
        let layer = bed.server.authenticate().require(Scopes::all(["write"]));
        let answer = send(layer, bearer(&token)).await;
        assert!(answer.status.is_client_error());
        // R9110-5.5-2: neither a field of its own nor part of another.
        assert!(answer.headers.get("x").is_none());
        assert!(!answer.text().contains("X: y") && !answer.text().contains('\0'));
        assert!(!answer.text().contains('\r'));
    }
}

#[tokio::test]
async fn control_characters_of_the_configuration_are_refused() {
    // R9110-5.5-2: everything that ends up in a field is checked when it is given.
    assert_eq!(faults(|builder| builder.realm(INJECTED)), ["realm"]);
    assert_eq!(faults(|builder| builder.challenge_param("a", INJECTED)), ["challenge_param"]);
    assert_eq!(faults(|builder| builder.error_uri(format!("https://x{INJECTED}"))), ["error_uri"]);
    let bed = Bed::new();
    let reason = || Predicate::new(INJECTED, |_| false);
    // R9110-5.5-2: a description with CRLF is rejected, and fails closed where it cannot be.
    assert!(bed.server.try_require(reason()).is_err());
    let answer = send(bed.server.authenticate().require(reason()), bearer(&bed.token())).await;
    assert_eq!(answer.kind(), Some(RejectionKind::InvalidRequirement));
    assert!(!answer.handled && !answer.text().contains("X: y"));
}

/// Serves one HTTP/1.1 connection on which the client sends exactly `request`.
async fn exchange<L, S, B>(layer: L, request: &str) -> String
where
    L: Layer<
        tower::util::BoxCloneSyncService<Request<Incoming>, Response<Full<Bytes>>, Infallible>,
    >,
    L::Service: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future = S>
        + Clone,
    S: Future<Output = Result<Response<B>, Infallible>>,
    B: http_body::Body<Data = Bytes, Error = Infallible> + 'static,
{
    let service = layer.layer(tower::util::BoxCloneSyncService::new(service_fn(report_trailers)));
    let (mut client, side) = tokio::io::duplex(64 * 1024);
    let serving = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(side), TowerToHyperService::new(service));
    let asking = async {
        client.write_all(request.as_bytes()).await.expect("the pipe is open");
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("an answer in ASCII");
        answer
    };
    let (served, answer) = tokio::join!(serving, asking);
    served.expect("the connection ends well");
    answer
}

/// Says what stands in the trailers, and who the request comes from.
async fn report_trailers(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let subject = request.extensions().get::<Grant>().and_then(Grant::subject).map(str::to_owned);
    let body = request.into_body().collect().await.expect("the body is whole");
    let trailer = body.trailers().is_some_and(|trailers| trailers.contains_key("authorization"));
    Ok(Response::new(Full::from(format!("trailer: {trailer}, subject: {subject:?}"))))
}

fn chunked(header: &str, trailer: &str) -> String {
    format!(
        "POST /r HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n{header}\
         Trailer: authorization\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{trailer}\r\n"
    )
}

#[tokio::test]
async fn authorization_in_trailers_is_not_used() {
    let bed = Bed::new();
    let guard = bed.server.authenticate();
    let field = format!("Authorization: Bearer {}\r\n", bed.token());
    let answer = exchange(guard.clone(), &chunked("", &field)).await;
    // R9110-6.5.1-1: as if it were not there.
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("www-authenticate: Bearer ") && !answer.contains("error="));
    let answer = exchange(guard.clone().optional(), &chunked("", &field)).await;
    // R9110-6.5.1-1: it did arrive, and made nobody of the sender.
    assert!(answer.ends_with("trailer: true, subject: None"), "{answer}");
    let answer = exchange(guard, &chunked(&field, "")).await;
    assert!(answer.ends_with("trailer: false, subject: Some(\"user-1\")"), "{answer}");
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_body() {
    let problem = |builder: Builder| builder.envelope(ProblemJson::default());
    let head = |request| with_method(request, &Method::HEAD);
    let gets = refusals(problem).await;
    for (get, mut head) in gets.into_iter().zip(refusals_of(problem, head).await) {
        // R9110-9.3.2-1: the length is that of the body GET has; all else is the same.
        assert!(head.body.is_empty() && !get.body.is_empty());
        let length = head.headers.remove("content-length").expect("a length");
        assert_eq!(length.to_str().ok(), Some(get.body.len().to_string().as_str()));
        assert_eq!((head.status, head.headers), (get.status, get.headers));
    }
}

#[tokio::test]
async fn a_concealed_route_answers_404_to_those_who_lack_a_scope() {
    let bed = Bed::with(|builder| builder.envelope(ProblemJson::default()));
    let route = bed.server.require(Scopes::all(["write"])).conceal();
    let layers = ServiceBuilder::new().layer(bed.server.authenticate()).layer(route);
    let answer = send(layers.clone(), bearer(&bed.token())).await;
    // R9110-15.5.4-1: nothing tells it from a route that is not there.
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.all("www-authenticate").is_empty() && !answer.handled);
    assert!(!answer.text().contains("scope") && !answer.text().contains("write"));
    assert_eq!(answer.kind(), Some(RejectionKind::InsufficientScope));
    send(layers.clone(), get(&[])).await.assert_n401();
    let sufficient = bed.issuer.token().scope("write").build();
    send(layers, bearer(&sufficient)).await.assert_ok();
}
