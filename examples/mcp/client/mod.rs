//! The client: an MCP client with a user, who is asked no more often than needed.
//!
//! | module | |
//! |---|---|
//! | [`http`] | requests, each printed with its answer |
//! | [`challenge`] | `WWW-Authenticate`, read by grammar |
//! | [`discovery`] | from a refused request to the authorization server |
//! | [`registration`] | becoming known there |
//! | [`grant`] | the authorization code flow with PKCE, and refresh |
//! | [`message`] | MCP's messages by revision |
//! | [`connection`] | calls with a token on them |
//! | [`outcome`] | what became of a call: an answer, or what a refusal asks for |
//! | [`story`] | the scenarios, and what each has to come to |

mod challenge;
mod connection;
mod discovery;
mod form;
mod grant;
pub(crate) mod http;
mod message;
mod outcome;
#[path = "../../dpop_client/proof.rs"]
mod proof;
mod registration;
mod shown;
pub(crate) mod story;
mod user;
