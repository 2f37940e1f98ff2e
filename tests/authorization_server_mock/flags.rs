//! The command line.

use std::time::Duration;

use crate::authorization_server_mock::cli::{self, Arguments};
use crate::authorization_server_mock::options::Consent;

fn parse(arguments: &[&str]) -> Result<Option<Arguments>, lexopt::Error> {
    cli::parse(lexopt::Parser::from_args(arguments))
}

#[test]
fn each_flag_sets_something() {
    let line = "--listen [::1]:0 --issuer https://as.example.com --resource https://a/ \
                --resource http://b/c --acr-values x --token-lifetime 5 --require-nonce \
                --consent-page --client id:se:cret --introspection-client rs:secret";
    let mut arguments: Vec<_> = line.split_whitespace().collect();
    arguments.extend(["--scopes-supported", "a b", "--scopes", "a"]);
    let Arguments { listen, options } = parse(&arguments).expect("good").expect("no help");
    assert!(listen.ip().is_loopback() && listen.is_ipv6());
    assert_eq!(options.issuer.as_deref(), Some("https://as.example.com"));
    assert_eq!(options.resources, ["https://a/", "http://b/c"]);
    assert_eq!(options.acr_values, ["x"]);
    assert_eq!(options.token_lifetime, Duration::from_secs(5));
    assert!(options.require_nonce);
    assert_eq!(options.consent, Consent::Page);
    assert_eq!(options.clients.len(), 1);
    assert_eq!(options.introspection_client, ("rs".to_owned(), "secret".to_owned()));
    assert_eq!(options.scopes_supported.to_string(), "a b");
    assert_eq!(options.scopes_granted.map(|scope| scope.to_string()).as_deref(), Some("a"));
    assert!(parse(&["--help"]).expect("good").is_none());
}

#[test]
fn bad_flags_are_one_line() {
    let bad: [&[&str]; 15] = [
        &["--no-such-flag"],
        &["positional"],
        &["--listen"],
        &["--listen", "nowhere"],
        &["--listen", "0.0.0.0:9000"],
        &["--issuer", "as.example.com"],
        &["--issuer", "https://as.example.com/"],
        &["--issuer", "https://as.example.com/a?b"],
        &["--resource", "/mcp"],
        &["--scopes", "\""],
        &["--token-lifetime", "-1"],
        &["--client", "hidden"],
        &["--client", ":hidden"],
        &["--introspection-client", "hidden:"],
        &["--consent-page=yes"],
    ];
    for arguments in bad {
        let error = parse(arguments).err().unwrap_or_else(|| panic!("{arguments:?}"));
        assert_eq!(error.to_string().lines().count(), 1, "{arguments:?}");
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}
