//! One call of a method, of whatever kind it is. Elsewhere this is generated.

use futures_util::stream;
use http::uri::PathAndQuery;
use prost::Message;
use serde::Serialize;
use tonic::client::Grpc;
use tonic::codec::Streaming;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Extensions, Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::messages::{Caller, Greeting, Nothing, Notice, Report, SERVICE, Tool, ToolList};
use crate::show;

pub(crate) struct Call {
    method: &'static str,
    values: Vec<String>,
}

/// How many values each method takes: none, one, or as many as one likes.
const METHODS: [(&str, usize); 12] = [
    ("AddTool", 1),
    ("AddTools", usize::MAX),
    ("Admin", 0),
    ("Forgotten", 0),
    ("GetReport", 1),
    ("Greet", 0),
    ("HandlerDenied", 0),
    ("ListTools", 0),
    ("Payments", 0),
    ("Public", 0),
    ("WatchTools", 0),
    ("Whoami", 0),
];

impl Call {
    pub(crate) fn new(method: &str, values: Vec<String>) -> Result<Self, String> {
        let known = METHODS.into_iter().find(|(name, _)| *name == method);
        let (method, wants) = known.ok_or("there is no such method; --help lists them")?;
        if wants == values.len() || wants == usize::MAX && !values.is_empty() {
            return Ok(Self { method, values });
        }
        Err(match wants {
            0 => format!("{method} takes no value"),
            1 => format!("{method} takes one value"),
            _ => format!("{method} takes a value or more"),
        })
    }

    pub(crate) const fn method(&self) -> &'static str {
        self.method
    }

    pub(crate) fn path(&self) -> String {
        format!("/{SERVICE}/{}", self.method)
    }

    /// Sends it and prints the messages that come.
    pub(crate) async fn send(
        &self,
        client: &mut Grpc<Channel>,
        metadata: &MetadataMap,
    ) -> Result<(), Status> {
        let sender = Sender { client, path: self.path(), metadata };
        let (value, nothing) = (self.values.first().cloned().unwrap_or_default(), Nothing {});
        match self.method {
            "Whoami" | "Admin" | "Payments" => sender.unary::<_, Caller>(nothing).await,
            "Greet" => sender.unary::<_, Greeting>(nothing).await,
            "ListTools" => sender.unary::<_, ToolList>(nothing).await,
            "AddTool" => sender.unary::<_, Notice>(Tool { name: value }).await,
            "GetReport" => sender.unary::<_, Report>(Report { id: value }).await,
            "WatchTools" => sender.server_streaming::<_, Tool>(nothing).await,
            "AddTools" => {
                let tools = self.values.iter().map(|name| Tool { name: name.clone() });
                sender.streaming::<_, Notice>(tools.collect()).await
            }
            _ => sender.unary::<_, Notice>(nothing).await,
        }
    }
}

struct Sender<'a> {
    client: &'a mut Grpc<Channel>,
    path: String,
    metadata: &'a MetadataMap,
}

impl Sender<'_> {
    async fn unary<M, N>(mut self, message: M) -> Result<(), Status>
    where
        M: Message + 'static,
        N: Message + Default + Serialize + 'static,
    {
        let (path, request) = self.ready(message).await?;
        let codec = ProstCodec::<M, N>::default();
        let response = self.client.unary(request, path, codec).await?;
        show::message(response.get_ref());
        show::metadata("Ok (0)", response.metadata());
        Ok(())
    }

    async fn server_streaming<M, N>(mut self, message: M) -> Result<(), Status>
    where
        M: Message + 'static,
        N: Message + Default + Serialize + 'static,
    {
        let (path, request) = self.ready(message).await?;
        let codec = ProstCodec::<M, N>::default();
        each(self.client.server_streaming(request, path, codec).await?).await
    }

    async fn streaming<M, N>(mut self, messages: Vec<M>) -> Result<(), Status>
    where
        M: Message + 'static,
        N: Message + Default + Serialize + 'static,
    {
        let (path, request) = self.ready(stream::iter(messages)).await?;
        let codec = ProstCodec::<M, N>::default();
        each(self.client.streaming(request, path, codec).await?).await
    }

    async fn ready<T>(&mut self, message: T) -> Result<(PathAndQuery, Request<T>), Status> {
        let path = self.path.parse().map_err(|_| Status::internal("no path"))?;
        self.client.ready().await.map_err(|error| Status::from_error(error.into()))?;
        Ok((path, Request::from_parts(self.metadata.clone(), Extensions::default(), message)))
    }
}

/// A stream says how it ended only at its end.
async fn each<N: Serialize>(response: Response<Streaming<N>>) -> Result<(), Status> {
    let (metadata, mut messages, _) = response.into_parts();
    while let Some(message) = messages.message().await? {
        show::message(&message);
    }
    show::metadata("Ok (0)", &metadata);
    Ok(())
}
