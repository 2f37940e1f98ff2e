//! Opaque tokens: their issuer is asked (RFC 7662, RFC 9701).

mod answers;
mod bed;
mod bindings;
mod caching;
mod credentials;
mod discovery;
mod outages;
mod rates;
mod requests;
mod settings;
mod shapes;
mod signed;
