//! Two hours in the life of an authorization server, and what clients see of it.
//!
//! It is down when the resource server starts, comes up, rotates its keys, is away for an hour,
//! answers too slowly, then not at all, then slowly, answers garbage, and comes back with other keys.
//! All the while strangers send tokens with key ids, or opaque tokens, that nobody has heard of: more
//! than five thousand of them. What each of them gets, and how often the authorization server is
//! asked, is told by the script.

mod clients;
mod issuers;
mod keys;
mod life;
mod opaque;
mod phases;
mod runtimes;
mod told;
