//! Method and URI of a proof, and of the request that it is for (RFC 9449 §4.3 checks 8 and 9).

use axum::Router;
use axum::routing::get;
use http::{Method, Request};
use tower::ServiceExt;
use tower_resource_server::testing::ProofFlaw;
use tower_resource_server::{Dpop, RejectionKind};

use crate::dpop::{DpopBed, dpop};
use crate::support::{Answer, read};
use crate::vectors::{VECTOR_ALGS, assert_vectors_ok, send_proof_vector};

async fn assert_vectors_refused(names: &[&str]) {
    for name in names {
        send_proof_vector(name)
            .await
            .assert_p401_listing(VECTOR_ALGS, RejectionKind::ProofUriMismatch);
    }
}

/// The answer to a request of that method and target, with a proof for that `htm` and `htu`.
async fn call(bed: &DpopBed, (method, target): (&str, &str), (htm, htu): (&str, &str)) -> Answer {
    let proof = bed.proof().claim("htm", htm).claim("htu", htu).build();
    let mut request = dpop(&bed.token, &[&proof]);
    *request.method_mut() = method.parse().expect("a method");
    *request.uri_mut() = target.parse().expect("a target");
    bed.send(request).await
}

/// The same for `GET`.
async fn visit(bed: &DpopBed, target: &str, htu: &str) -> Answer {
    call(bed, ("GET", target), ("GET", htu)).await
}

#[tokio::test]
async fn htm_is_the_method_case_and_all() {
    // R9449-4.3-8-1
    for name in ["p-htm-lower", "p-htm-post", "p-htm-head"] {
        send_proof_vector(name)
            .await
            .assert_p401_listing(VECTOR_ALGS, RejectionKind::ProofMethodMismatch);
    }
    let bed = DpopBed::recording();
    let uri = crate::dpop::URI;
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PURGE", "purge"] {
        call(&bed, (method, "/r"), (method, uri)).await.assert_ok();
        let other_case =
            if method == "purge" { method.to_uppercase() } else { method.to_lowercase() };
        for htm in [&*other_case, "TRACE", "*", &format!("{method} "), &format!(" {method}")] {
            let answer = call(&bed, (method, "/r"), (htm, uri)).await;
            answer.assert_p401_of(RejectionKind::ProofMethodMismatch);
        }
    }
}

#[tokio::test]
async fn fields_that_override_the_method_change_nothing() {
    let bed = DpopBed::recording();
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        for (htm, good) in [("POST", true), ("DELETE", false)] {
            let proof = bed.proof().claim("htm", htm).build();
            let mut request = dpop(&bed.token, &[&proof]);
            *request.method_mut() = Method::POST;
            request.headers_mut().insert(name, "DELETE".parse().expect("a field value"));
            let answer = bed.send(request).await;
            // R9449-4.3-8-2
            if good {
                answer.assert_ok();
            } else {
                answer.assert_p401_of(RejectionKind::ProofMethodMismatch);
            }
        }
    }
}

#[tokio::test]
async fn htu_is_the_target_without_query_and_fragment() {
    // R9449-4.3-9-1
    assert_vectors_ok(&["p-valid", "p-valid-htu-query", "p-valid-htu-fragment"]).await;
    assert_vectors_refused(&["p-htu-host", "p-htu-http"]).await;
    let bed = DpopBed::recording();
    let uri = "https://api.example.com/r";
    for target in ["/r", "/r?", "/r?a=1&b=/x", "/r?a#b"] {
        for rest in ["", "?", "#", "?other", "#f", "?q=/../x#f", "#f?q", "?%41"] {
            visit(&bed, target, &format!("{uri}{rest}")).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn uris_are_compared_in_their_normal_form() {
    // R9449-4.3-9-2: by syntax.
    assert_vectors_ok(&["p-valid-htu-case", "p-valid-htu-pct", "p-valid-htu-dots"]).await;
    assert_vectors_refused(&["p-htu-path-case", "p-htu-pct-slash", "p-htu-trailing-slash"]).await;
    // R9449-4.3-9-3: by scheme.
    assert_vectors_ok(&["p-valid-htu-port", "p-valid-no-query-root"]).await;
    assert_vectors_refused(&["p-htu-port"]).await;
    let bed = DpopBed::recording();
    for (target, htu) in [
        ("/", "https://api.example.com"),
        ("/", "HTTPS://API.EXAMPLE.COM:443/"),
        ("/r", "https://api.example.com:/r"),
        ("/%7Euser/%c3%a9", "https://api.example.com/~user/%C3%A9"),
        ("/~user/%C3%A9", "https://api.example.com/%7euser/%c3%a9"),
        ("/a/./b/../r", "https://api.example.com/a/r"),
        ("/a/r", "https://api.example.com/a/%2e/b/%2E%2e/r"),
        ("/r", "https://%61pi.example.com/r"),
    ] {
        visit(&bed, target, htu).await.assert_ok();
    }
    for (target, htu) in [
        ("/r", "https://api.example.com"),
        ("/r", "https://api.example.com/r/"),
        ("/r/", "https://api.example.com/r"),
        ("/a/r", "https://api.example.com/a%2Fr"),
        ("/a//r", "https://api.example.com/a/r"),
        ("/r", "https://api.example.com:444/r"),
        ("/r", "https://api.example.com:80/r"),
        ("/r", "http://api.example.com:443/r"),
        ("/r", "https://api.example.com./r"),
        ("/r", "https://api.example.com/r;v=1"),
        ("/r", "https://sub.api.example.com/r"),
        ("/r", "https://api.example.com.evil.example/r"),
    ] {
        let answer = visit(&bed, target, htu).await;
        answer.assert_p401_of(RejectionKind::ProofUriMismatch);
    }
}

#[tokio::test]
async fn what_is_no_absolute_uri_of_the_web_is_refused() {
    // R9449-4.3-9-4
    assert_vectors_refused(&["p-htu-relative", "p-htu-userinfo"]).await;
    let bed = DpopBed::recording();
    for flaw in [ProofFlaw::HtuBadEscape, ProofFlaw::HtuSpace, ProofFlaw::HtuNonAscii] {
        bed.prove(&bed.proof().flaw(flaw)).await.assert_p401_of(RejectionKind::ProofUriMismatch);
    }
    let host = "api.example.com";
    for htu in [
        "r".to_owned(),
        "/r".to_owned(),
        format!("//{host}/r"),
        format!("{host}/r"),
        format!("https:/{host}/r"),
        format!("https:{host}/r"),
        format!("ftp://{host}/r"),
        format!("wss://{host}/r"),
        format!("https://@{host}/r"),
        format!("https://user:secret@{host}/r"),
        format!("https://{host}/r%"),
        format!("https://{host}/r%4"),
        format!("https://{host}/%zz/../r"),
        format!("https://{host}/r?%zz"),
        format!("https://{host}/r#a b"),
        format!("https://{host}\\r"),
        format!("https://{host}/\u{0}r"),
        format!(" https://{host}/r"),
        format!("https://{host}/r\n"),
        format!("https://{host}:99999/r"),
        format!("https://{host}:443x/r"),
        "https:///r".to_owned(),
        "https://[::1/r".to_owned(),
        "https://\u{ff41}pi.example.com/r".to_owned(),
    ] {
        let answer = visit(&bed, "/r", &htu).await;
        assert_eq!(answer.kind(), Some(RejectionKind::ProofUriMismatch), "{htu:?}");
        answer.assert_p401_of(RejectionKind::ProofUriMismatch);
    }
}

#[tokio::test]
async fn the_host_field_says_nothing() {
    let bed = DpopBed::recording();
    let names = ["host", "x-forwarded-host", "x-forwarded-server", "x-original-host"];
    for name in names {
        for (htu, good) in [("https://evil.example/r", false), ("https://api.example.com/r", true)]
        {
            let proof = bed.proof().claim("htu", htu).build();
            let mut request = dpop(&bed.token, &[&proof]);
            let headers = request.headers_mut();
            headers.insert(name, "evil.example".parse().expect("a field value"));
            headers.insert("forwarded", "host=evil.example;proto=https".parse().expect("one"));
            // R9449-4.3-9-5
            assert_eq!(bed.send(request).await.handled, good, "{name} {htu}");
        }
    }
    // Nor does the authority of an absolute target, or its scheme.
    for (htu, good) in [("https://evil.example/r", false), ("https://api.example.com/r", true)] {
        for target in ["https://evil.example/r", "http://evil.example:8080/r?q"] {
            assert_eq!(visit(&bed, target, htu).await.handled, good, "{target} {htu}");
        }
    }
}

#[tokio::test]
async fn a_nested_router_takes_nothing_off_the_uri() {
    let bed = DpopBed::recording();
    let inner =
        Router::new().route("/r", get(|| async { "served" })).layer(bed.bed.server.authenticate());
    let deep = Router::new().nest("/tenants/{id}", inner.clone());
    let app = Router::new().nest("/v1", inner).nest("/v2", deep);
    for (path, htu, good) in [
        ("/v1/r", "https://api.example.com/v1/r", true),
        ("/v1/r?q=1", "https://api.example.com/v1/r", true),
        ("/v1/r", "https://api.example.com/r", false),
        ("/v1/r", "https://api.example.com/v1/v1/r", false),
        ("/v2/tenants/7/r", "https://api.example.com/v2/tenants/7/r", true),
        ("/v2/tenants/7/r", "https://api.example.com/v2/tenants/8/r", false),
        ("/v2/tenants/7/r", "https://api.example.com/tenants/7/r", false),
        ("/v2/tenants/7/r", "https://api.example.com/r", false),
    ] {
        let proof = bed.proof().claim("htu", htu).build();
        let (mut parts, body) = dpop(&bed.token, &[&proof]).into_parts();
        parts.uri = path.parse().expect("a path");
        let request = Request::from_parts(parts, body);
        let response = app.clone().oneshot(request).await.expect("infallible");
        let served = response.status().is_success();
        let answer = read(response, served).await;
        // R9449-4.3-9-6, first half: the path as the client sent it.
        assert_eq!(answer.handled, good, "{path} {htu}");
        if !good {
            answer.assert_p401_of(RejectionKind::ProofUriMismatch);
        }
    }
}

#[tokio::test]
async fn the_prefix_that_a_proxy_takes_off_is_configured() {
    for base in ["https://api.example.com/prefix", "https://api.example.com/prefix/"] {
        let bed = DpopBed::recording_with(Dpop::new(), |builder| builder.base_url(base));
        for (target, htu, good) in [
            ("/r", "https://api.example.com/prefix/r", true),
            ("/", "https://api.example.com/prefix/", true),
            // R9449-4.3-9-6, second half
            ("/r", "https://api.example.com/r", false),
            ("/prefix/r", "https://api.example.com/prefix/r", false),
            ("/r", "https://api.example.com/PREFIX/r", false),
            ("/r", "https://api.example.com/prefix//r", false),
        ] {
            assert_eq!(visit(&bed, target, htu).await.handled, good, "{base} {target} {htu}");
        }
    }
    let bed =
        DpopBed::recording_with(Dpop::new(), |builder| builder.base_url("http://127.0.0.1:8080"));
    visit(&bed, "/r", "http://127.0.0.1:8080/r").await.assert_ok();
    let answer = visit(&bed, "/r", "https://api.example.com/r").await;
    answer.assert_p401_of(RejectionKind::ProofUriMismatch);
}
