//! The examples as a new user meets them: started, called with the lines they print, stopped.

mod alike;
mod client;
mod flags;
mod gateway;
mod hyper;
mod mcp;
mod nodes;
#[path = "../it/redis/server.rs"]
#[allow(dead_code, reason = "the store's own tests use more of it")]
mod redis_server;
mod support;
mod tonic;
mod tour;
mod upload;
mod wire;
