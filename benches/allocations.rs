//! Allocations per request, which do not vary from run to run.
//!
//! In a program of its own, since counting slows every allocation of the program it is in.

mod support;

use http::Request;
use support::{Bare, Body, OneExtension, drive, issuer, layered, request, server};
use tower_resource_server::Algorithm;
use tower_resource_server::testing::Flaw;
use tower_service::Service;

fn main() {
    let issuer = issuer(Algorithm::ES256);
    let token = issuer.token().scope("read").build();
    let good = request(Some(&token));
    show("bare service", &mut Bare, &good);
    show("bare service, one extension", &mut OneExtension, &good);
    let remembering = server(&issuer, |builder| builder);
    show("bearer, seen before", &mut layered(&remembering), &good);
    let forgetful = server(&issuer, |builder| builder.token_cache_bytes(0));
    show("bearer, first sight", &mut layered(&forgetful), &good);
    show("refuse, no credentials", &mut layered(&remembering), &request(None));
    show("refuse, garbage token", &mut layered(&remembering), &request(Some("garbage")));
    let expired = request(Some(&issuer.token().flaw(Flaw::Expired).build()));
    show("refuse, expired and seen before", &mut layered(&remembering), &expired);
}

/// Counts one call after a first one, which may fill caches.
fn show<S>(name: &str, service: &mut S, request: &Request<Body>)
where
    S: Service<Request<Body>, Error = std::convert::Infallible>,
{
    drop(drive(service, request.clone()));
    let request = request.clone();
    let counted = allocation_counter::measure(|| drop(drive(service, request)));
    println!("{name:32} {:3} allocations {:6} bytes", counted.count_total, counted.bytes_total);
}
