//! What is printed of a call: never a token, a proof or a nonce.

use std::error::Error;

use serde::Serialize;
use tonic::Status;
use tonic::metadata::{KeyAndValueRef, MetadataMap};

/// What says nothing of the call, or is said already.
const UNSHOWN: [&str; 5] = ["content-length", "content-type", "date", "grpc-status", "vary"];

pub(crate) fn request(metadata: &MetadataMap) {
    let authorization = metadata.get("authorization").and_then(|value| value.to_str().ok());
    if let Some((scheme, _)) = authorization.and_then(|value| value.split_once(' ')) {
        println!("> authorization: {scheme} (the token)");
    }
    if metadata.contains_key("dpop") {
        println!("> dpop: (a proof)");
    }
}

pub(crate) fn status(status: &Status) {
    let code = status.code();
    metadata(&format!("{code:?} ({}): {}", code as i32, status.message()), status.metadata());
}

pub(crate) fn metadata(said: &str, metadata: &MetadataMap) {
    println!("< {}", said.trim_end_matches([' ', ':']));
    for entry in metadata.iter() {
        let KeyAndValueRef::Ascii(name, value) = entry else { continue };
        match name.as_str() {
            name if UNSHOWN.contains(&name) => {}
            "dpop-nonce" => println!("< dpop-nonce: (a nonce)"),
            name => println!("< {name}: {}", value.to_str().unwrap_or("(unreadable)")),
        }
    }
}

pub(crate) fn message(message: &impl Serialize) {
    println!("{}", serde_json::to_string(message).unwrap_or_default());
}

/// An error with its causes, of which the first is often just that there was an error.
pub(crate) fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let texts: Vec<_> = causes.map(|error| error.to_string().replace('\n', " ")).collect();
    texts.join(": ")
}
