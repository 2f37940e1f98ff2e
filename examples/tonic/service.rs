//! The service of `tools.proto`: from paths to methods. Elsewhere this is generated.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::messages::SERVICE;
use crate::methods;

#[derive(Clone)]
pub(crate) struct Tools;

impl NamedService for Tools {
    const NAME: &'static str = SERVICE;
}

impl Service<Request<Body>> for Tools {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(answer(request).await) })
    }
}

/// Codec and kind of each method follow from the function it is.
async fn answer(request: Request<Body>) -> Response<Body> {
    macro_rules! serve {
        ($kind:ident, $method:ident) => {
            Grpc::new(ProstCodec::default()).$kind(service_fn(methods::$method), request).await
        };
    }
    let path = request.uri().path();
    match path.rsplit('/').next().unwrap_or(path) {
        "Public" => serve!(unary, public),
        "Whoami" | "Admin" | "Payments" => serve!(unary, whoami),
        "Greet" => serve!(unary, greet),
        "ListTools" => serve!(unary, list_tools),
        "AddTool" => serve!(unary, add_tool),
        "GetReport" => serve!(unary, get_report),
        "HandlerDenied" => serve!(unary, handler_denied),
        "WatchTools" => serve!(server_streaming, watch_tools),
        "AddTools" => serve!(streaming, add_tools),
        "Forgotten" => serve!(unary, public),
        _ => Status::unimplemented("there is no such method").into_http(),
    }
}
