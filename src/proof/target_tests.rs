use http::Request;
use proptest::prelude::*;

use super::*;

const BASE: &str = "https://api.example.com";

/// What a server called `base` makes of a request for `path` with this `htu`.
fn matched(base: &str, path: &str, htu: &str) -> Option<String> {
    let url = PublicUrl::new(base, None).expect("a base URL");
    let request = Request::new(());
    url.target(&RequestHead::of(&request), path).matches(htu).map(Cow::into_owned)
}

/// The vectors p-valid-htu-* and p-htu-*.
#[test]
fn htu_is_the_uri_that_was_called() {
    for htu in [
        "https://api.example.com/r",
        "https://api.example.com/r?other=2",
        "https://api.example.com/r#f",
        "HTTPS://API.EXAMPLE.COM/r",
        "https://api.example.com:443/r",
        "https://api.example.com/%72",
        "https://api.example.com/a/../r",
    ] {
        assert_eq!(matched(BASE, "/r", htu).as_deref(), Some("https://api.example.com/r"), "{htu}");
    }
    for htu in [
        "http://api.example.com/r",
        "https://evil.example/r",
        "https://api.example.com/R",
        "https://api.example.com/r/",
        "/r",
        "https://api.example.com@evil.example/r",
        "https://api.example.com.evil.example/r",
        "https://api.example.com:8443/r",
        "https://api.example.com",
        "https://api.example.com/r?a b",
        "https://api.example.com/r?%zz",
        "",
    ] {
        assert_eq!(matched(BASE, "/r", htu), None, "{htu}");
    }
    assert_eq!(matched(BASE, "/a/r", "https://api.example.com/a%2Fr"), None);
}

#[test]
fn no_path_is_the_root() {
    let root = Some("https://api.example.com/");
    for path in ["", "/", "*"] {
        for htu in ["https://api.example.com", "https://api.example.com/?q"] {
            assert_eq!(matched(BASE, path, htu).as_deref(), root, "{path} {htu}");
        }
    }
}

#[test]
fn a_prefix_stands_before_the_path() {
    for base in ["https://h/api", "https://h/api/", "HTTPS://H:443/x/../api/"] {
        assert_eq!(matched(base, "/r", "https://h/api/r").as_deref(), Some("https://h/api/r"));
        assert_eq!(matched(base, "", "https://h/api").as_deref(), Some("https://h/api"));
        assert_eq!(matched(base, "/r", "https://h/r"), None);
    }
}

#[test]
fn no_path_leads_above_the_prefix() {
    for path in ["/../r", "/%2e%2E/r", "/a/../../r", "/a/%2e./../../r"] {
        assert_eq!(matched("https://h/api", path, "https://h/r"), None, "{path}");
        let below = Some("https://h/api/r");
        assert_eq!(matched("https://h/api", path, "https://h/api/r").as_deref(), below, "{path}");
    }
}

#[test]
fn broken_paths_match_nothing() {
    for path in ["/%zz", "/%2", "/a\\b", "/a b", "/\u{fc}", "r", "api.example.com:443"] {
        let htu = format!("https://api.example.com{path}");
        assert_eq!(matched(BASE, path, &htu), None, "{path}");
        assert_eq!(matched(BASE, path, BASE), None, "{path}");
    }
}

#[test]
fn the_authority_of_the_request_has_no_part_in_it() {
    let request = Request::get("http://evil.example/r")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example")
        .body(())
        .expect("a request");
    let url = PublicUrl::new(BASE, None).expect("a base URL");
    let target = url.target(&RequestHead::of(&request), "/r");
    assert!(target.matches("https://api.example.com/r").is_some());
    assert!(target.matches("https://evil.example/r").is_none());
    assert!(target.matches("http://evil.example/r").is_none());
}

#[test]
fn the_common_case_allocates_nothing() {
    let url = PublicUrl::new("https://h/api", None).expect("a base URL");
    let request = Request::new(());
    let target = url.target(&RequestHead::of(&request), "/r");
    for (htu, borrowed) in
        [("https://h/api/r", true), ("https://h/api/r#f", true), ("https://H/api/r", false)]
    {
        let matched = target.matches(htu).expect("the same URI");
        assert_eq!(matched, "https://h/api/r");
        assert_eq!(matches!(matched, Cow::Borrowed(_)), borrowed, "{htu}");
    }
}

#[test]
fn a_base_is_a_web_uri_without_query() {
    for base in ["", "/r", "https://h?q", "https://h/#f", "ftp://h", "https://u@h", "https://h/%z"]
    {
        assert!(PublicUrl::new(base, None).is_none(), "{base}");
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(path in any::<String>(), htu in any::<String>()) {
        if let Some(normal) = matched(BASE, &path, &htu) {
            prop_assert!(normal.starts_with("https://api.example.com/"));
        }
    }

    /// The short way and the long way agree.
    #[test]
    fn matching_is_equality_of_normal_forms(
        path in "/([a-b]|/|\\.|%2e|%2F|\\\\|%){0,6}",
        other in "/([a-b]|/|\\.|%2e|%2F|\\\\|%){0,6}",
    ) {
        for called in [&path, &other] {
            let htu = format!("{BASE}{path}");
            let normal = htu::normalize(&htu);
            let expected = normal.filter(|normal| {
                htu::normalize(&format!("{BASE}{called}")).as_ref() == Some(normal)
            });
            prop_assert_eq!(matched(BASE, called, &htu), expected);
        }
    }
}
