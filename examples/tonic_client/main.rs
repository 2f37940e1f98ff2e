//! A client for the service of the tonic example: it calls one method and prints what it gets.
//!
//! `cargo run --example tonic` prints command lines to try; `-- --help` lists the flags. The exit
//! status is 0 where the call succeeds, 1 where it does not, 2 where the command line makes no sense.

mod call;
mod cli;
mod credentials;
#[path = "../common/ending.rs"]
mod ending;
#[path = "../dpop_client/exchange.rs"]
#[allow(dead_code, reason = "the other client looks at more of an answer")]
mod exchange;
#[path = "../tonic/messages.rs"]
mod messages;
#[path = "../dpop_client/proof.rs"]
mod proof;
mod show;
#[path = "../dpop_client/token.rs"]
mod token;
#[path = "../dpop_client/values.rs"]
mod values;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use call::Call;
use cli::Options;
use credentials::Credentials;
use messages::SERVICE;
use tonic::Status;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};

/// A server that takes longer is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a call may take, its stream included.
const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match cli::options() {
        Ok(options) => options,
        Err(code) => return code,
    };
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", show::in_one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Whether the call succeeded.
async fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let mut credentials = Credentials::get(options).await?;
    let endpoint = Endpoint::from_shared(options.url.clone())?;
    let channel = endpoint.connect_timeout(CONNECT).timeout(DEADLINE).connect().await?;
    let mut client = Grpc::new(channel);
    let mut ended = attempt(&mut client, &options.call, &credentials).await?;
    if let Err(status) = &ended
        && credentials.learn(status)
    {
        println!("\n# The server wants its nonce in the proof: once more, with a new proof");
        ended = attempt(&mut client, &options.call, &credentials).await?;
    }
    Ok(ended.is_ok())
}

async fn attempt(
    client: &mut Grpc<Channel>,
    call: &Call,
    credentials: &Credentials,
) -> Result<Result<(), Status>, Box<dyn Error>> {
    println!("> {SERVICE}/{}", call.method());
    let metadata = credentials.metadata(&call.path())?;
    show::request(&metadata);
    let ended = call.send(client, &metadata).await;
    if let Err(status) = &ended {
        show::status(status);
    }
    Ok(ended)
}
