//! What may be asked about.

use tower_resource_server::AllowedIssuers;
use tower_resource_server::testing::{FixedClock, TestIssuer};

use super::{Bed, REALMS, Realms, assert_untrusted, token};
use crate::support::{ISSUER, NOW, RESOURCE, faults};

#[tokio::test]
async fn nobody_is_asked_about_names_that_are_not_allowed() {
    let bed = Bed::new();
    let foreign = [
        "https://as.example.com",
        "https://as.example.com/realms/",
        "https://as.example.com/realms/a/b",
        "https://as.example.com/realms/a?b",
        "https://as.example.com/realms/..",
        "https://evil.example/realms/blue",
        "https://as.example.com.evil.example/realms/blue",
        "http://as.example.com/realms/blue",
    ];
    for identifier in foreign {
        let issuer = TestIssuer::new(identifier).clock(bed.clock.clone());
        // R9068-4-2: an unknown issuer causes neither a look-up nor a fetch.
        assert_untrusted(&bed.send(&token(&issuer)).await);
    }
    assert_eq!((bed.realms.asked(), bed.fetch.count()), (0, 0));
}

#[tokio::test]
async fn names_that_are_allowed_whole_are_in_the_metadata() {
    let clock = FixedClock::at(NOW);
    let blue = format!("{REALMS}blue");
    let allowed = AllowedIssuers::exact([blue.clone(), ISSUER.to_owned()]).and_below(REALMS);
    let server = TestIssuer::new(ISSUER).resource_server(RESOURCE).clock(clock);
    let server = server.resolve_issuers(allowed, Realms::new()).build().expect("valid");
    let request = http::Request::get(server.metadata().path().to_owned());
    let request = request.body(http_body_util::Full::<bytes::Bytes>::default()).expect("a request");
    let response =
        tower::ServiceExt::oneshot(server.metadata(), request).await.expect("infallible");
    let answer = crate::support::read(response, false).await;
    assert_eq!(answer.json()["authorization_servers"], serde_json::json!([ISSUER, blue]));
}

#[test]
fn what_may_be_asked_about_is_checked() {
    let below = || AllowedIssuers::below(REALMS);
    for allowed in [
        AllowedIssuers::default(),
        AllowedIssuers::below("https://as.example.com"),
        AllowedIssuers::below("http://as.example.com/"),
        AllowedIssuers::default().and_between("https://as.example.com/", "v2.0"),
        // They would stand in the metadata document, and no token could count.
        AllowedIssuers::exact(["as.example.com"]),
        AllowedIssuers::exact([""]),
        AllowedIssuers::exact(["http://as.example.com"]),
        AllowedIssuers::exact(["https://as.example.com/?tenant=blue"]),
        AllowedIssuers::exact(["https://as.example.com", "https://as.example.com#blue"]),
        below().max_lookups_per_second(0),
        below().max_lookups_per_second(1001),
        below().max_issuers(0),
        below().max_issuers(100_001),
    ] {
        let shown = format!("{allowed:?}");
        let found = faults(|builder| builder.resolve_issuers(allowed, Realms::new()));
        assert_eq!(found, ["resolve_issuers"], "{shown}");
    }
    let widest = below().max_lookups_per_second(1000).max_issuers(100_000);
    let server = TestIssuer::new(ISSUER).resource_server(RESOURCE);
    assert!(server.resolve_issuers(widest, Realms::new()).build().is_ok());
}
