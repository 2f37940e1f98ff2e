//! Traffic as it comes: good tokens and bad ones, new tokens, proofs; keys that change, and an issuer
//! that falls silent.
//!
//! The server is the axum example with a second issuer, on core 0, over HTTP/1.1. It fetches the keys
//! of both issuers from this bench, over loopback HTTP. The load is wrk's. Its script sends from
//! [`CONNECTIONS`] connections, each as fast as answers come, and judges each answer: every class of
//! request has one status that it must get, whatever happens.
//!
//! | class | of the requests | status |
//! |---|---|---|
//! | 1,000 tokens in turn, a sixth of them of the second issuer | the rest of the 80 % good ones | 200 |
//! | tokens never seen before, each sent once | 5 %, and [`EACH_SECOND`] a second and connection at most | 200 |
//! | DPoP tokens, each request with a proof of its own | as many | 200 |
//! | no token; no JWT; expired; without the scope | 5 % each | 401, 401, 401, 403 |
//!
//! - **The rotation**: the first issuer publishes a second key beside its first, and from that moment on
//!   half of its known tokens and all of its new ones are signed with it. The server has to find out by
//!   itself.
//! - **The outage**: from then on the second issuer takes connections and answers nothing. Its known
//!   tokens must go on. On [`STRANGERS`] connections of their own come tokens of it by a key that was
//!   never published: they are answered 503, after a wait or at once. On connections of their own since
//!   each of them waits for its answer, and what waits on a connection does not ask.

mod class;
mod drive;
mod issuers;
mod plot;
mod report;
mod requests;
mod series;

use std::error::Error;

use crate::cores::Cores;
use crate::plan::Plan;
use crate::server::Server;
use crate::{trust, unprotected};
use issuers::Issuers;

/// Each is a thread of wrk, so that its script knows what an answer is for.
pub(crate) const CONNECTIONS: usize = 16;

const STRANGERS: usize = 2;

/// New tokens of each connection, and proofs.
pub(crate) const EACH_SECOND: u64 = 40;

#[tokio::main]
pub(crate) async fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let cores = Cores::with_server_on(1);
    let issuers = Issuers::start().await?;
    let server = start(&issuers, &cores)?;
    let pools = trust::folder()?.join("mixed");
    requests::write(&pools, &issuers, &server.base, plan.mixed)?;
    let before = server.computed()?;
    let series = drive::run(&pools, &issuers, &server, &cores, plan.mixed).await?;
    let computed = server.computed()?.saturating_sub(before);
    report::print(&series, plan.mixed, computed);
    let folder = match plan.quick {
        true => trust::folder()?,
        false => std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load"),
    };
    plot::draw(&folder.join("mixed.svg"), &series, plan.mixed)?;
    println!("Plot: {}", folder.join("mixed.svg").display());
    series.verdict()
}

fn start(issuers: &Issuers, cores: &Cores) -> Result<Server, Box<dyn Error>> {
    let [first, second] =
        [&issuers.first, &issuers.second].map(|issuer| issuer.issuer().to_owned());
    let [keys, second_keys] = [&first, &second].map(|issuer| Issuers::keys_of(issuer));
    let of_first = ["--issuer", &first, "--jwks", &keys, "--allow-loopback"];
    let of_second = ["--second", &second, &second_keys];
    let arguments = [&[unprotected::FLAG, "two-issuers"], &of_first[..], &of_second[..]].concat();
    Server::start(&std::env::current_exe()?, &arguments, cores)
}
