//! Allocations per request, which do not vary from run to run.
//!
//! In a program of its own, since counting slows every allocation of the program it is in.

mod support;

use http::Request;
use support::{Bare, Body, OneExtension, busy, drive, issuer, layered, request, server};
use tower_layer::Layer;
use tower_resource_server::mcp::Tools;
use tower_resource_server::testing::{Flaw, SigningKey, TestIssuer};
use tower_resource_server::{Algorithm, Dpop, ResourceServer, Scopes, SealedNonces};
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
    show("refuse, a call without credentials", &mut layered(&remembering), &call());
    dpop(&issuer);
    let expired = request(Some(&issuer.token().flaw(Flaw::Expired).build()));
    show("refuse, expired and seen before", &mut layered(&remembering), &expired);
    mcp(&remembering, &token);
}

/// What reading the message costs on top, where the body is there at once.
fn mcp(server: &ResourceServer, token: &str) {
    let tools = Tools::new().tool("read_file", Scopes::all(["read"])).any_token("list_files");
    let mut service = server.authenticate().layer(server.require_tools(tools).layer(Bare));
    let call = |name: &str| {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{{}}}}}}"#
        );
        let mut call = request(Some(token)).map(|_| Body::from(body));
        *call.method_mut() = http::Method::POST;
        let json = http::HeaderValue::from_static("application/json");
        call.headers_mut().insert(http::header::CONTENT_TYPE, json);
        call
    };
    show("mcp, tool that needs a scope", &mut service, &call("read_file"));
    show("mcp, tool open to any token", &mut service, &call("list_files"));
    show("mcp, tool that is not listed", &mut service, &call("format_disk"));
}

/// A gRPC call that carries no token.
fn call() -> Request<Body> {
    let mut call = request(None);
    let grpc = http::HeaderValue::from_static("application/grpc");
    call.headers_mut().insert(http::header::CONTENT_TYPE, grpc);
    call
}

/// The token is known after the first of two requests, and so is the header of its proofs.
fn dpop(issuer: &TestIssuer) {
    let key = SigningKey::generate(Algorithm::ES256);
    let token = issuer.token().scope("read").bound_to(&key).build();
    let next = || {
        let proof = key.proof("GET", "https://api.example.com/tools").token(&token);
        proof.authorize(request(None))
    };
    let remembering = busy(issuer, |builder| builder);
    show_two("dpop, seen before", &mut layered(&remembering), next(), next());
    let forgetful = busy(issuer, |builder| builder.token_cache_bytes(0));
    show_two("dpop, both new", &mut layered(&forgetful), next(), next());
    let nonces = Dpop::new().nonces(SealedNonces::random());
    let asking = server(issuer, |builder| builder.dpop(nonces));
    show_two("refuse, dpop without nonce", &mut layered(&asking), next(), next());
    let same = next();
    show_two("refuse, replayed", &mut layered(&remembering), same.clone(), same);
    let other = || {
        let proof = key.proof("GET", "https://api.example.com/other").token(&token);
        proof.authorize(request(None))
    };
    show_two("refuse, dpop for another uri", &mut layered(&remembering), other(), other());
}

/// Counts one call after a first one, which may fill caches.
fn show<S>(name: &str, service: &mut S, request: &Request<Body>)
where
    S: Service<Request<Body>, Error = std::convert::Infallible>,
{
    show_two(name, service, request.clone(), request.clone());
}

fn show_two<S>(name: &str, service: &mut S, first: Request<Body>, request: Request<Body>)
where
    S: Service<Request<Body>, Error = std::convert::Infallible>,
{
    drop(drive(service, first));
    let counted = allocation_counter::measure(|| drop(drive(service, request)));
    println!("{name:32} {:3} allocations {:6} bytes", counted.count_total, counted.bytes_total);
}
