//! Tools and what they need, as a layer holds them: checked once, looked up by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method, Request};
use http_body::Body;

use super::fields;
use super::message::{Content, Message, TOOLS_CALL};
use super::{Others, Source, Tools, is_sound};
use crate::authorize::{Caller, Demand, Requirement};
use crate::config::{ConfigError, Fault, Settings};
use crate::error::RejectionKind;
use crate::field;
use crate::layer::{caller, demanded, refusal};
use crate::media_type;
use crate::rejection::Rejection;

/// What a layer is set to.
pub(super) struct Gate {
    settings: Arc<Settings>,
    /// What the layer around demands of every token.
    outer: Option<Requirement>,
    tools: HashMap<Box<str>, Arc<Demand>>,
    methods: HashMap<Box<str>, Arc<Demand>>,
    /// Without it, tools that are not listed are open to nobody.
    others: Option<Arc<Demand>>,
    /// Met by every token, unless the rules have faults: then by none.
    any_token: Arc<Demand>,
    source: Source,
    pub(super) limit: usize,
    pub(super) read_timeout: Duration,
}

/// What to do with a request, by its head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    Pass,
    Read,
}

impl Gate {
    pub(super) fn new(
        tools: Tools,
        outer: Option<&Requirement>,
        settings: &Arc<Settings>,
    ) -> Result<Self, ConfigError> {
        let mut faults = tools.faults();
        let any_token = Arc::new(Demand::default().within(outer).kept());
        let mut demand = |what: &str, needed: Option<Requirement>| match needed {
            None => Arc::clone(&any_token),
            Some(requirement) => {
                let demand = Demand::new(requirement);
                faults.extend(demand.faults().iter().map(|fault| of_rule(what, fault)));
                Arc::new(demand.within(outer).kept())
            }
        };
        let mut table = |what: &str, rules: Vec<(String, Option<Requirement>)>| {
            let rule = |(name, needed): (String, _)| {
                let demand = demand(&format!("{what} {name:?}"), needed);
                (name.into_boxed_str(), demand)
            };
            rules.into_iter().map(rule).collect::<HashMap<_, _>>()
        };
        let by_tool = table("tool", tools.tools);
        let methods = table("method", tools.methods);
        let others = match tools.others {
            Others::Nobody => None,
            Others::AnyToken => Some(demand("others", None)),
            Others::Need(requirement) => Some(demand("others", Some(requirement))),
        };
        if !faults.is_empty() {
            return Err(ConfigError::new(faults));
        }
        for demand in by_tool.values().chain(methods.values()).chain(&others) {
            demand.register(settings);
        }
        let (source, limit, read_timeout) = (tools.source, tools.limit, tools.read_timeout);
        let settings = Arc::clone(settings);
        Ok(Self {
            settings,
            outer: outer.cloned(),
            tools: by_tool,
            methods,
            others,
            any_token,
            source,
            limit,
            read_timeout,
        })
    }

    /// Rules with faults: every request is refused.
    pub(super) fn unusable(settings: &Arc<Settings>) -> Self {
        Self {
            settings: Arc::clone(settings),
            outer: None,
            tools: HashMap::new(),
            methods: HashMap::new(),
            others: None,
            any_token: Arc::new(Demand::of_nobody()),
            source: Source::Body,
            limit: 0,
            read_timeout: Duration::ZERO,
        }
    }

    /// What can be said without the body.
    pub(super) fn look<B: Body>(&self, request: &Request<B>) -> Result<Next, Rejection> {
        if self.any_token.unusable {
            return demanded(&self.settings, &self.any_token, request).map(|()| Next::Pass);
        }
        caller(&self.settings, &self.any_token, request)?;
        let is_post = request.method() == Method::POST;
        if !is_post && request.body().is_end_stream() {
            return Ok(Next::Pass);
        }
        let refuse = |kind| self.refusal(request, kind);
        if self.source == Source::Fields
            && let Some(message) = fields::message(request.headers()).map_err(refuse)?
        {
            return self.decide(request, &[message]).map(|()| Next::Pass);
        }
        if is_post && !is_plain_json(request.headers()) {
            return Err(refuse(RejectionKind::UnsupportedMediaType));
        }
        Ok(Next::Read)
    }

    /// The whole body is there.
    pub(super) fn judge<B>(&self, request: &Request<B>, body: &[u8]) -> Result<(), Rejection> {
        if body.is_empty() && request.method() != Method::POST {
            return Ok(());
        }
        let refuse = |kind| self.refusal(request, kind);
        if !is_plain_json(request.headers()) {
            return Err(refuse(RejectionKind::UnsupportedMediaType));
        }
        let content = Content::read(body).map_err(refuse)?;
        fields::check(request.headers(), &content).map_err(refuse)?;
        if self.lacks_session(request, &content) {
            return Err(refuse(RejectionKind::MissingSession));
        }
        self.decide(request, content.messages())
    }

    /// The first request of a session is the one that cannot name it.
    fn lacks_session<B>(&self, request: &Request<B>, content: &Content<'_>) -> bool {
        let lacks = self.settings.mcp.as_ref().is_some_and(|mcp| mcp.lacks_session(request));
        let begins = |message: &Message<'_>| message.method.as_deref() == Some("initialize");
        lacks && !content.messages().iter().all(begins)
    }

    /// All messages of a body have to be allowed. The answer names what all of them need.
    fn decide<B>(&self, request: &Request<B>, messages: &[Message<'_>]) -> Result<(), Rejection> {
        let mut needed: Vec<&Arc<Demand>> = Vec::new();
        for message in messages {
            match self.rule(message) {
                Rule::None => {}
                Rule::Nobody => return Err(self.unlisted(request)),
                Rule::Need(demand) if needed.iter().any(|other| Arc::ptr_eq(other, demand)) => {}
                Rule::Need(demand) => needed.push(demand),
            }
        }
        match *needed.as_slice() {
            [] => Ok(()),
            [demand] => self.put(demand, request),
            _ => self.put(&self.all(&needed), request),
        }
    }

    /// What calls something is no preflight, whatever its method: the service may look at none.
    fn put<B>(&self, demand: &Arc<Demand>, request: &Request<B>) -> Result<(), Rejection> {
        match caller(&self.settings, demand, request)? {
            Caller::Anonymous(anonymous) => Err(Rejection::missing(anonymous, demand)),
            Caller::Granted(_) => demanded(&self.settings, demand, request),
        }
    }

    fn all(&self, demands: &[&Arc<Demand>]) -> Arc<Demand> {
        let requirements = demands.iter().filter_map(|demand| demand.requirement.clone());
        let demand = requirements.reduce(Requirement::and).map(Demand::new).unwrap_or_default();
        Arc::new(demand.within(self.outer.as_ref()))
    }

    fn rule(&self, message: &Message<'_>) -> Rule<'_> {
        let Some(method) = message.method.as_deref() else { return Rule::None };
        if method != TOOLS_CALL {
            return self.methods.get(method).map_or(Rule::None, Rule::Need);
        }
        let Some(name) = message.name.as_deref() else { return Rule::Nobody };
        let others = || self.others.as_ref().filter(|_| is_sound(name));
        self.tools.get(name).or_else(others).map_or(Rule::Nobody, Rule::Need)
    }

    fn unlisted<B>(&self, request: &Request<B>) -> Rejection {
        match caller(&self.settings, &self.any_token, request) {
            Ok(Caller::Anonymous(anonymous)) => Rejection::missing(anonymous, &self.any_token),
            _ => self.refusal(request, RejectionKind::UnlistedTool),
        }
    }

    pub(super) fn refusal<B>(&self, request: &Request<B>, kind: RejectionKind) -> Rejection {
        refusal(&self.settings, &self.any_token, request, kind)
    }
}

/// What a message needs beyond being let through.
enum Rule<'g> {
    None,
    Nobody,
    Need(&'g Arc<Demand>),
}

fn of_rule(what: &str, fault: &Fault) -> Fault {
    let problem = format!("{what}: {}", fault.problem());
    Fault::new("require_tools", problem, fault.suggestion().to_owned())
}

/// JSON as it is read here: UTF-8, not compressed. Whoever runs the message would read another text
/// where it believes other fields.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let Ok(Some(value)) = field::single(headers, &CONTENT_TYPE) else { return false };
    let parameters = value.to_str().unwrap_or_default().split(';').skip(1);
    let in_utf_8 = parameters.map(str::trim).all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if has_prefix(name, "charset") => {
            let value = value.trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
        }
        _ => true,
    });
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    let plain = encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    media_type::is(value, "application/json") && in_utf_8 && plain
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_plain_json_is_read() {
        let of = |lines: &[(http::HeaderName, &'static str)]| {
            let lines = lines.iter().cloned();
            lines.map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
        };
        for value in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; x=y",
        ] {
            assert!(is_plain_json(&of(&[(CONTENT_TYPE, value)])), "{value}");
            let plain = of(&[(CONTENT_TYPE, value), (CONTENT_ENCODING, "Identity")]);
            assert!(is_plain_json(&plain));
            let packed = of(&[(CONTENT_TYPE, value), (CONTENT_ENCODING, "gzip")]);
            assert!(!is_plain_json(&packed));
        }
        for value in [
            "text/plain",
            "application/json; charset=utf-7",
            "application/json; charset=utf-8; CharSet=utf-16",
            "application/json; charset*=utf-7''",
            "application/json-rpc",
        ] {
            assert!(!is_plain_json(&of(&[(CONTENT_TYPE, value)])), "{value}");
        }
        assert!(!is_plain_json(&HeaderMap::new()));
        let mut twice = of(&[(CONTENT_TYPE, "application/json")]);
        twice.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        assert!(!is_plain_json(&twice));
    }
}
