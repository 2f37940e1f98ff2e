//! Command lines of the client, each under a comment that says what it gives.

use tower_resource_server::SenderConstraint;
use tower_resource_server::testing::{Flaw, TokenBuilder};

use crate::common::walkthrough::{Tour, end, now};

pub(crate) fn print(tour: &Tour<'_>) {
    tour.begin();
    anonymous(tour);
    calls(tour);
    if tour.started.constraint != SenderConstraint::Dpop {
        bearer_tokens(tour);
    }
    tour.show("200: the metadata document, in plain HTTP", &tour.metadata_path(), None);
    if tour.is_called_by_name() {
        proofs(tour);
    } else {
        println!("\nTokens bound to a key (DPoP) are to be had at {}.", tour.token_endpoint());
        println!("Proofs name {}, so clients call that.", tour.started.public);
    }
    end();
}

fn anonymous(tour: &Tour<'_>) {
    let no_token = "Unauthenticated (16): no token, and challenges that say where to get one";
    line(tour, no_token, "Whoami");
    line(tour, "Ok (0): anybody may", "Public");
    line(tour, "Ok (0): anonymous is fine here", "Greet");
}

fn calls(tour: &Tour<'_>) {
    let (read, write, both) = ("tools/read reports/read", "tools/write", "admin audit");
    show(tour, "Ok (0): who the token speaks for", "Whoami", read);
    show(tour, "Ok (0): and where none is needed", "Greet", read);
    show(tour, "Ok (0): the scope tools/read is there", "ListTools", read);
    show(tour, "Ok (0): the same, one message after the other", "WatchTools", read);
    let lacks = "PermissionDenied (7): insufficient_scope, and the scopes it takes";
    show(tour, lacks, "AddTool axe", read);
    show(tour, "Ok (0): the scope tools/write is there", "AddTool axe", write);
    show(tour, "Ok (0): each tool is answered as it comes", "AddTools axe plane", write);
    show(tour, "PermissionDenied (7): insufficient_scope, and all that it takes", "Admin", read);
    show(tour, "Ok (0): both scopes are there", "Admin", both);
    show(tour, "Ok (0): reports/read or admin, either will do", "GetReport 7", both);
    let inside = "PermissionDenied (7): insufficient_scope, the method itself wants tools/delete";
    show(tour, inside, "HandlerDenied", read);
    let step_up = "Unauthenticated (16): insufficient_user_authentication, step up";
    show(tour, step_up, "Payments", read);
    show(tour, "PermissionDenied (7): a method without a rule is closed", "Forgotten", both);
}

/// What the token endpoint has none of for clients that make proofs.
fn bearer_tokens(tour: &Tour<'_>) {
    let with = |token: &TokenBuilder, call| format!("--token {} {call}", token.build());
    let mfa = tour.token().claim("acr", "urn:example:mfa").claim("auth_time", now());
    line(tour, "Ok (0): strong and recent authentication", &with(&mfa, "Payments"));
    let expired = tour.token().flaw(Flaw::Expired);
    let comment = "Unauthenticated (16): invalid_token, it expired an hour ago";
    line(tour, comment, &with(&expired, "Whoami"));
    let other = tour.token().flaw(Flaw::WrongAudience);
    let comment = "Unauthenticated (16): invalid_token, meant for another resource";
    line(tour, comment, &with(&other, "Whoami"));
    let opaque = tour.issuer.opaque(&tour.token().scope("tools/read"));
    let comment = "Ok (0): an opaque token, about which the issuer is asked";
    line(tour, comment, &format!("--token {opaque} ListTools"));
    let comment = "Unauthenticated (16): invalid_token, one that the issuer does not know";
    line(tour, comment, "--token never-issued ListTools");
}

fn proofs(tour: &Tour<'_>) {
    let call = format!("{} Whoami", with_proofs(tour, "tools/read"));
    let comment = match tour.started.constraint {
        SenderConstraint::Dpop => return,
        SenderConstraint::Bearer => {
            "Unauthenticated (16): DPoP is neither accepted nor offered here"
        }
        _ => "Ok (0): the token, and a proof for this call",
    };
    println!("\nTokens bound to a key (DPoP): the client gets one, and makes its proofs itself.");
    line(tour, comment, &call);
}

/// With a token of that scope; where the server accepts no other, one that the client gets for a key
/// of its own.
fn show(tour: &Tour<'_>, comment: &str, call: &str, scope: &str) {
    if tour.started.constraint != SenderConstraint::Dpop {
        let token = tour.token().scope(scope).build();
        line(tour, comment, &format!("--token {token} {call}"));
    } else if tour.is_called_by_name() {
        line(tour, comment, &format!("{} {call}", with_proofs(tour, scope)));
    }
}

fn with_proofs(tour: &Tour<'_>, scope: &str) -> String {
    format!("--dpop --token-endpoint {} --scope '{scope}'", tour.token_endpoint())
}

fn line(tour: &Tour<'_>, comment: &str, arguments: &str) {
    println!("\n# {comment}");
    println!("cargo run --example tonic_client -- --url {} {arguments}", tour.started.base);
}
