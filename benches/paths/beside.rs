//! What a path is timed beside: services that do less, and signatures by themselves.

use std::time::Duration;

use super::client::Client;
use super::connection::Connection;
use super::job;
use crate::support::together::alone;
use crate::support::{Bare, OneExtension};

pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) comparison: Comparison,
    pub(crate) time: Box<dyn FnMut() -> Duration>,
}

/// How the path and what stands beside it are compared, and what the budget allows.
#[derive(Clone, Copy)]
pub(crate) enum Comparison {
    /// In microseconds.
    Difference(Option<f64>),
    Ratio(Option<f64>),
}

impl Beside {
    /// The same requests to the service without a layer.
    pub(crate) fn bare(client: &Client, at_most: Option<f64>) -> Self {
        Self::service("bare", Bare, client, at_most)
    }

    /// The same requests to a service that only adds one extension to each.
    pub(crate) fn one_extension(client: &Client, at_most: Option<f64>) -> Self {
        Self::service("one extension", OneExtension, client, at_most)
    }

    fn service(
        name: &str,
        service: impl Connection + 'static,
        client: &Client,
        at_most: Option<f64>,
    ) -> Self {
        let client = client.clone();
        let time = move || alone(job(service.again(), &client));
        let comparison = Comparison::Difference(at_most);
        Self { name: name.to_owned(), comparison, time: Box::new(time) }
    }
}
