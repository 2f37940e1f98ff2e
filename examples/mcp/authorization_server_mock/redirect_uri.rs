//! Where browsers are sent back to (RFC 6749 §3.1.2, RFC 8252 §7).

const MAX_BYTES: usize = 2048;

/// What a client may register: `https`, `http` on loopback, or a scheme of an app, which has a dot
/// because it is a domain name reversed. Never a fragment.
pub(super) fn is_acceptable(uri: &str) -> bool {
    let legal = uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    legal && uri.len() <= MAX_BYTES && is_reachable(scheme, rest)
}

fn is_reachable(scheme: &str, rest: &str) -> bool {
    let host = rest.strip_prefix("//").unwrap_or_default();
    let host = &host[..host.find(['/', '?']).unwrap_or(host.len())];
    let plain = !host.is_empty() && !host.contains('@');
    match scheme {
        "https" => plain,
        "http" => plain && (is_loopback(host) || without_port(host) == "localhost"),
        app => {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
            app.contains('.') && app.bytes().all(legal)
        }
    }
}

/// Character by character (RFC 6749 §3.1.2.3). Only where an app listens on loopback may the port
/// be another: the system gives it one when it starts (RFC 8252 §7.3).
pub(super) fn matches(registered: &str, sent: &str) -> bool {
    if registered == sent {
        return true;
    }
    match (loopback(registered), loopback(sent)) {
        (Some(registered), Some(sent)) => registered == sent,
        _ => false,
    }
}

/// Host without port, and what comes after it.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (host, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    is_loopback(host).then(|| (without_port(host), rest))
}

/// By address: the name `localhost` may lead elsewhere, so its port is compared.
fn is_loopback(host: &str) -> bool {
    matches!(without_port(host), "127.0.0.1" | "[::1]")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    }
}
