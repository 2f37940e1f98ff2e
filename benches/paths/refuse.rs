//! Refusals, with the challenges of both schemes and their bodies.

use http::Request;
use tower_resource_server::testing::{Flaw, ProofFlaw, TestIssuer};
use tower_resource_server::{Algorithm, Dpop, ResourceServer, SealedNonces};

use super::dpop::{Bound, REQUESTS};
use super::{Allocations, Beside, Client, Path, Plan, Server};
use crate::support::{Body, busy, issuer, layered, request, server};

/// One of two clients that send the same kind of request.
type Sender = fn(&TestIssuer, usize) -> Request<Body>;

pub(crate) fn bearer() -> Vec<Plan> {
    let plan = |(name, at_most, sender): (_, _, Sender)| {
        Plan::new(format!("refuse/{name}"), move |_| {
            let issuer = issuer(Algorithm::ES256);
            let server = server(&issuer, |builder| builder.realm("bench"));
            let clients = [0, 1].map(|client| Client::new([sender(&issuer, client)]));
            path(clients, kept(&server), BOTH, at_most)
        })
    };
    let cases: [(_, _, Sender); 5] = [
        ("no-credentials", Some(0.45), |_, _| request(None)),
        ("garbage", Some(0.7), |_, client| request(Some(["garbage", "rubbish"][client]))),
        ("garbage-of-three-parts", Some(0.7), |_, client| {
            request(Some(
                ["eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "eyJhbGciOiJFUzI1NiJ9.e30.c2lu"][client],
            ))
        }),
        ("wrong-issuer", None, |issuer, _| flawed(issuer, Flaw::WrongIssuer)),
        ("expired-seen", None, |issuer, _| flawed(issuer, Flaw::Expired)),
    ];
    cases.map(plan).into()
}

fn flawed(issuer: &TestIssuer, flaw: Flaw) -> Request<Body> {
    request(Some(&issuer.token().flaw(flaw).build()))
}

fn kept(server: &ResourceServer) -> Server {
    Server::Kept(Box::new(layered(server)))
}

/// So many challenges: for Bearer, and for DPoP.
const BOTH: usize = 2;

fn path(clients: [Client; 2], server: Server, challenges: usize, at_most: Option<f64>) -> Path {
    let besides = vec![Beside::bare(&clients[0], at_most)];
    let allocations = match at_most {
        Some(_) => Allocations::AtMost(8),
        None => Allocations::Any,
    };
    Path { besides, allocations, ..Path::refused(clients, server, challenges) }
}

/// The token is known, and something is wrong with the proof.
pub(crate) fn dpop() -> Vec<Plan> {
    let flawed = |flaw| {
        move |issuer: &TestIssuer| {
            let bound = Bound::new(issuer, Algorithm::ES256);
            let one = |_| bound.request(|proof| proof.flaw(flaw)).0;
            Client::new((0..REQUESTS).map(one))
        }
    };
    vec![
        of_clients("other-uri", BOTH, plain, flawed(ProofFlaw::HtuOtherHost)),
        of_clients("bad-signature", BOTH, plain, flawed(ProofFlaw::BadSignature)),
        of_clients("replayed", BOTH, plain, |issuer| {
            Client::new([Bound::new(issuer, Algorithm::ES256).request(|proof| proof).0])
        }),
        // A nonce is of no use to Bearer.
        of_clients("no-nonce", 1, asking, |issuer| {
            let bound = Bound::new(issuer, Algorithm::ES256);
            Client::new((0..REQUESTS).map(|_| bound.request(|proof| proof).0))
        }),
    ]
}

fn plain(issuer: &TestIssuer) -> ResourceServer {
    busy(issuer, |builder| builder.realm("bench"))
}

/// Wants a nonce of its own in each proof.
fn asking(issuer: &TestIssuer) -> ResourceServer {
    let nonces = Dpop::new().nonces(SealedNonces::random());
    server(issuer, |builder| builder.realm("bench").dpop(nonces))
}

fn of_clients(
    name: &str,
    challenges: usize,
    server: fn(&TestIssuer) -> ResourceServer,
    client: impl Fn(&TestIssuer) -> Client + 'static,
) -> Plan {
    Plan::new(format!("refuse/dpop/{name}"), move |_| {
        let issuer = issuer(Algorithm::ES256);
        let clients = [client(&issuer), client(&issuer)];
        path(clients, kept(&server(&issuer)), challenges, None)
    })
}
