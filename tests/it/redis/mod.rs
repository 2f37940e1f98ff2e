//! The replay store in Redis, against real servers.

mod claims;
mod cluster;
mod losses;
mod outages;
mod server;
mod store;
