use proptest::prelude::*;

use super::*;

#[test]
fn what_is_equivalent_has_one_form() {
    for (uri, normal) in [
        ("https://api.example.com/r", "https://api.example.com/r"),
        ("HTTPS://API.Example.COM/r", "https://api.example.com/r"),
        ("https://api.example.com:443/r", "https://api.example.com/r"),
        ("https://api.example.com:/r", "https://api.example.com/r"),
        ("https://api.example.com:0443/r", "https://api.example.com/r"),
        ("http://api.example.com:80/r", "http://api.example.com/r"),
        ("http://api.example.com:443/r", "http://api.example.com:443/r"),
        ("https://api.example.com:08443/r", "https://api.example.com:8443/r"),
        ("https://api.example.com", "https://api.example.com/"),
        ("https://api.example.com:443", "https://api.example.com/"),
        ("https://api%2Eexample.com/%72", "https://api.example.com/r"),
        ("https://%41pi.example.com/", "https://api.example.com/"),
        ("https://h/%7euser/%2d%5f", "https://h/~user/-_"),
        ("https://h/a%2fb%3f", "https://h/a%2Fb%3F"),
        ("https://h/%252e", "https://h/%252e"),
        ("https://h/a/./b/../c", "https://h/a/c"),
        ("https://h/a/%2e%2E/c", "https://h/c"),
        ("https://h/../../c", "https://h/c"),
        ("https://h/a/b/..", "https://h/a/"),
        ("https://h/a/.", "https://h/a/"),
        ("https://h/..", "https://h/"),
        ("https://h/a//../b", "https://h/a/b"),
        ("https://h//a", "https://h//a"),
        ("https://h/.a/..b/...", "https://h/.a/..b/..."),
        ("https://[2001:DB8:0:0::1]:443/r", "https://[2001:db8::1]/r"),
        ("http://[::1]:8080", "http://[::1]:8080/"),
        ("https://h/a[1]|{x}^", "https://h/a[1]|{x}^"),
    ] {
        assert_eq!(normalize(uri).as_deref(), Some(normal), "{uri}");
    }
}

#[test]
fn what_is_no_web_uri_has_none() {
    for uri in [
        "",
        "/r",
        "//h/r",
        "r",
        "https:/h/r",
        "https:h/r",
        "https://",
        "https:///r",
        "https://:443/r",
        "ftp://h/r",
        "httpss://h/r",
        " https://h/r",
        "https://h/r ",
        "https://h/a b",
        "https://u@h/r",
        "https://h%40evil/r",
        "https://@h/r",
        "https://h:x/r",
        "https://h:+443/r",
        "https://h:65536/r",
        "https://h:443:443/r",
        "https://[::1/r",
        "https://[::1]x/r",
        "https://[::1%25eth0]/r",
        "https://[v1.x]/r",
        "https://::1/r",
        "https://h\\evil/r",
        "https://h/a\\b",
        "https://h/a\tb",
        "https://h/\u{0}",
        "https://h/\u{fc}",
        "https://h\u{fc}/",
        "https://h%C3%BC/",
        "https://h|/",
        "https://h/%zz",
        "https://h/%2",
        "https://h/%",
        "https://h/%+1",
        "https://h/a?b",
        "https://h/a#b",
        "https://h?b",
    ] {
        assert_eq!(normalize(uri), None, "{uri:?}");
    }
}

#[test]
fn queries_and_fragments_are_cut_off_and_looked_at() {
    assert_eq!(split_query("https://h/r?a#b"), ("https://h/r", "?a#b"));
    assert_eq!(split_query("https://h/r#b?a"), ("https://h/r", "#b?a"));
    assert_eq!(split_query("https://h/r"), ("https://h/r", ""));
    for sound in ["", "?", "#", "?a=/%2f&b[]=?#x"] {
        assert!(is_sound(sound), "{sound}");
    }
    for broken in ["?a b", "?%zz", "?100%", "#\\", "?\u{fc}", "?\n"] {
        assert!(!is_sound(broken), "{broken:?}");
    }
}

#[test]
fn long_paths_of_dots_collapse() {
    let up = format!("https://h{}", "/a/..".repeat(100_000));
    assert_eq!(normalize(&up).as_deref(), Some("https://h/"));
}

fn path_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("/".to_owned()),
            Just(".".to_owned()),
            Just("%2e".to_owned()),
            Just("%2F".to_owned()),
            Just("%25".to_owned()),
            Just("%c3".to_owned()),
            "[a-zA-Z0-9~_|-]{1,3}",
        ],
        0..12,
    )
    .prop_map(|parts| format!("/{}", parts.concat()))
}

/// Escapes each unreserved character of a path for which a bit is set.
fn re_encode(path: &str, which: u64) -> String {
    let mut encoded = String::new();
    let mut literal = 0;
    for (at, c) in path.char_indices() {
        if c == '%' {
            literal = 3;
        }
        let unreserved = u8::try_from(c).is_ok_and(is_unreserved);
        if literal == 0 && unreserved && which >> (at % 64) & 1 == 1 {
            encoded.push_str(&format!("%{:02x}", u32::from(c)));
        } else {
            encoded.push(c);
        }
        literal = i32::max(literal - 1, 0);
    }
    encoded
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let (uri, rest) = split_query(&text);
        let _ = (normalize(uri), is_sound(rest), is_plain(uri), path(uri), origin("https", uri));
    }

    #[test]
    fn normalizing_twice_is_normalizing_once(
        authority in "(HTTPS?|http)://[a-zA-Z0-9.%\\[\\]:-]{1,12}",
        path in path_text(),
    ) {
        let with_any_host = normalize(&format!("{authority}{path}"));
        let with_good_host = normalize(&format!("https://h{path}"));
        prop_assert!(with_good_host.is_some());
        for normal in [with_any_host, with_good_host].into_iter().flatten() {
            prop_assert_eq!(normalize(&normal), Some(normal));
        }
    }

    #[test]
    fn escaped_or_not_unreserved_characters_are_the_same(path in path_text(), which: u64) {
        let written = format!("https://h{path}");
        let encoded = format!("https://h{}", re_encode(&path, which));
        prop_assert_eq!(normalize(&written), normalize(&encoded));
    }

    #[test]
    fn what_is_plain_is_its_own_normal_form(path in "/[ -~]{0,12}") {
        if is_plain(&path) && !path.contains(['?', '#']) {
            prop_assert_eq!(super::path(&path), Some(path));
        }
    }
}
