//! What the methods do. By then the layers have checked what `rules` demands.

use std::pin::Pin;

use futures_util::stream::{self, Stream, StreamExt as _};
use tonic::codec::Streaming;
use tonic::{Request, Response, Status};
use tower_resource_server::Grant;
use tower_resource_server::tonic::{grant, optional_grant};

use crate::common::demands;
use crate::messages::{Caller, Greeting, Nothing, Notice, Report, Tool, ToolList};

type Answer<M> = Result<Response<M>, Status>;

/// Messages one after the other.
pub(crate) type Many<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

pub(crate) async fn public(_: Request<Nothing>) -> Answer<Notice> {
    notice("for everybody".to_owned())
}

pub(crate) async fn whoami(request: Request<Nothing>) -> Answer<Caller> {
    let grant = grant(&request)?;
    Ok(Response::new(Caller {
        sub: grant.subject().map(str::to_owned),
        client_id: grant.client_id().map(str::to_owned),
        iss: grant.issuer().to_owned(),
        scope: grant.scopes().collect::<Vec<_>>().join(" "),
        binding: grant.binding().name().to_owned(),
    }))
}

pub(crate) async fn greet(request: Request<Nothing>) -> Answer<Greeting> {
    let subject = optional_grant(&request)?.and_then(Grant::subject);
    Ok(Response::new(Greeting { sub: subject.map(str::to_owned) }))
}

pub(crate) async fn list_tools(_: Request<Nothing>) -> Answer<ToolList> {
    Ok(Response::new(ToolList { tools: tools().into() }))
}

pub(crate) async fn add_tool(request: Request<Tool>) -> Answer<Notice> {
    notice(added(&request.into_inner()))
}

pub(crate) async fn get_report(request: Request<Report>) -> Answer<Report> {
    Ok(Response::new(request.into_inner()))
}

/// Some demands are known only inside; the refusal looks like a layer's.
pub(crate) async fn handler_denied(request: Request<Nothing>) -> Answer<Notice> {
    grant(&request)?.require(demands::delete_tools())?;
    notice("deleted".to_owned())
}

pub(crate) async fn watch_tools(_: Request<Nothing>) -> Answer<Many<Tool>> {
    Ok(Response::new(stream::iter(tools()).map(Ok).boxed()))
}

/// Answers each as it comes.
pub(crate) async fn add_tools(request: Request<Streaming<Tool>>) -> Answer<Many<Notice>> {
    let text = |tool: Tool| Notice { text: added(&tool) };
    Ok(Response::new(request.into_inner().map(move |tool| tool.map(text)).boxed()))
}

fn tools() -> [Tool; 2] {
    ["hammer", "saw"].map(|name| Tool { name: name.to_owned() })
}

fn added(tool: &Tool) -> String {
    format!("{} is added", tool.name)
}

fn notice(text: String) -> Answer<Notice> {
    Ok(Response::new(Notice { text }))
}
