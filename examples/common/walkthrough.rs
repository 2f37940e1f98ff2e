//! Ready-made curl lines, each under a comment that says what it gives.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tower_resource_server::testing::{Flaw, TestIssuer, TokenBuilder};

/// Prints a tour of the routes at `base`, with tokens of `issuer` for `resource`.
pub(crate) fn print(base: &str, resource: &str, issuer: &TestIssuer) {
    let token = || issuer.token().audience(resource).expires_in(Duration::from_secs(3600));
    let read = token().scope("tools/read reports/read");
    println!("\nThe tokens below are good for an hour. Try:");
    show("401: no token, and a challenge that says where to get one", base, "/whoami", None);
    show("200: who the token speaks for", base, "/whoami", Some(&read));
    show("200: the scope tools/read is there", base, "/tools", Some(&read));
    show("403: insufficient_scope, and the scopes it takes", base, "/admin", Some(&read));
    let both = token().scope("admin audit");
    show("200: both scopes are there", base, "/admin", Some(&both));
    show("200: reports/read or admin, either will do", base, "/reports/7", Some(&both));
    show("403: the handler itself wants tools/delete", base, "/handler-denied", Some(&read));
    show("401: insufficient_user_authentication, step up", base, "/payments", Some(&read));
    let mfa = token().claim("acr", "urn:example:mfa").claim("auth_time", now());
    show("200: strong and recent authentication", base, "/payments", Some(&mfa));
    show("200: anonymous is fine here", base, "/optional", None);
    show("200: the layer sits inside a nested router", base, "/nested/whoami", Some(&read));
    let expired = read.clone().flaw(Flaw::Expired);
    show("401: invalid_token, it expired an hour ago", base, "/whoami", Some(&expired));
    let other = read.clone().flaw(Flaw::WrongAudience);
    show("401: invalid_token, meant for another resource", base, "/whoami", Some(&other));
    show("200: the metadata document", base, "/.well-known/oauth-protected-resource", None);
    println!();
}

fn show(comment: &str, base: &str, path: &str, token: Option<&TokenBuilder>) {
    println!("\n# {comment}");
    match token {
        Some(token) => {
            println!("curl -si {base}{path} -H 'Authorization: Bearer {}'", token.build());
        }
        None => println!("curl -si {base}{path}"),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
