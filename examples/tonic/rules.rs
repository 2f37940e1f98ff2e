//! What each method demands. One that is not here is denied.

use tower_resource_server::Methods;

use crate::common::demands;
use crate::messages::SERVICE;

pub(crate) fn rules() -> Methods {
    let path = |method: &str| format!("/{SERVICE}/{method}");
    Methods::new()
        .public(path("Public"))
        .public(path("Greet"))
        .any_token(path("Whoami"))
        .any_token(path("HandlerDenied"))
        .method(path("ListTools"), demands::read_tools())
        .method(path("WatchTools"), demands::read_tools())
        .method(path("AddTool"), demands::write_tools())
        .method(path("AddTools"), demands::write_tools())
        .method(path("Admin"), demands::administer())
        .method(path("GetReport"), demands::read_reports())
        .method(path("Payments"), demands::pay())
}
