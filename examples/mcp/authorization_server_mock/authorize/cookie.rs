//! The cookie that a session goes by.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::super::account::Session;
use super::super::mock::{Mock, State};
use super::super::random;

const NAME: &str = "mock_session";
const LIFETIME: Duration = Duration::from_secs(60 * 60);

pub(super) fn read(headers: &HeaderMap) -> Option<String> {
    let fields = headers.get_all(header::COOKIE).iter();
    let mut cookies = fields.filter_map(|field| field.to_str().ok()).flat_map(|it| it.split(';'));
    let (_, value) = cookies.find_map(|it| it.trim().split_once('=').filter(|it| it.0 == NAME))?;
    Some(value.to_owned())
}

/// Remembers the session, if somebody has signed in. Where there is no room it does without: the
/// person will be asked again.
pub(super) fn keep(
    mock: &Mock,
    state: &mut State,
    cookie: Option<String>,
    session: Session,
    response: &mut Response,
) {
    let now = mock.now();
    if session.accounts.is_empty() {
        return;
    }
    if let Some(known) = cookie.and_then(|cookie| state.sessions.get_mut(&cookie, now)) {
        *known = session;
        return;
    }
    // Names are given by the server alone: one that a stranger has set would be the stranger's.
    let Some(name) = random::name() else { return };
    let secure = if mock.issuer.issuer().starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!("{NAME}={name}; Path=/authorize; HttpOnly; SameSite=Lax{secure}");
    let kept = state.sessions.insert(name, session, now + LIFETIME, now);
    if let (Ok(()), Ok(cookie)) = (kept, HeaderValue::try_from(cookie)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}
