//! The messages of `tools.proto`.

use serde::Serialize;

/// As it stands in paths.
pub(crate) const SERVICE: &str = "example.v1.Tools";

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Nothing {}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Notice {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Caller {
    #[prost(string, optional, tag = "1")]
    pub(crate) sub: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) client_id: Option<String>,
    #[prost(string, tag = "3")]
    pub(crate) iss: String,
    #[prost(string, tag = "4")]
    pub(crate) scope: String,
    #[prost(string, tag = "5")]
    pub(crate) binding: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Greeting {
    #[prost(string, optional, tag = "1")]
    pub(crate) sub: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Tool {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct ToolList {
    #[prost(message, repeated, tag = "1")]
    pub(crate) tools: Vec<Tool>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Report {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
}
