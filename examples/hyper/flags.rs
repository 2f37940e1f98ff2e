//! What this server's command line has besides the common flags.

use std::time::Duration;

use http::Uri;
use lexopt::ValueExt;

use crate::common::cli::OwnFlags;

/// Long enough for most work, and short enough for those who wait.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Flags {
    /// Host and port of the server behind.
    pub(crate) upstream: Option<String>,
    /// How long it may do nothing before its answer begins.
    patience: Option<Duration>,
}

impl Flags {
    pub(crate) fn patience(&self) -> Duration {
        self.patience.unwrap_or(PATIENCE)
    }
}

impl OwnFlags for Flags {
    const USAGE: &str = "
  --upstream URL           be a reverse proxy: check requests and forward them there, without their
                           credentials; an http URL of host and port
  --upstream-timeout SECONDS
                           how long it may do nothing before its answer begins (default 30)";

    fn take(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<bool, lexopt::Error> {
        match name {
            "upstream" => self.upstream = Some(parser.value()?.parse_with(origin)?),
            "upstream-timeout" => self.patience = Some(parser.value()?.parse_with(seconds)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn lacking(&self) -> Option<&'static str> {
        let lacks = self.patience.is_some() && self.upstream.is_none();
        lacks.then_some("--upstream-timeout needs --upstream")
    }
}

/// What stands behind a gateway is reached without TLS here, and has no path: requests keep theirs.
fn origin(url: &str) -> Result<String, String> {
    let uri: Uri = url.parse().map_err(|_| "it is no URL".to_owned())?;
    let authority = uri.authority().filter(|authority| {
        let host = !authority.host().is_empty() && !authority.as_str().contains('@');
        host && uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none()
    });
    let authority = authority.ok_or("use an http URL of host and port, without a path")?;
    Ok(authority.to_string())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|time| !time.is_zero()).ok_or_else(|| "use a number of seconds".to_owned())
}
