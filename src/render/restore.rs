//! Putting right what a hook broke.
//!
//! The hooks are the application's code and are trusted with bytes, not with meaning: a body can be
//! ugly, but a 401 without its challenge leaves a client stuck, and a refusal without `no-store`
//! may be served to others. So the result is compared with the plan, not the hooks restrained while
//! they run. Each repair is silent on the wire and logged once per process.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, RETRY_AFTER, TRAILER, TRANSFER_ENCODING,
    UPGRADE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, Version};

use super::envelope::{NO_STORE, append_challenges};
use super::plan::Plan;
use crate::cache_control;
use crate::cors::DPOP_NONCE;
use crate::field;

pub(super) fn restore(plan: &Plan<'_>, response: &mut Response<Bytes>) {
    let mut mended = false;
    if response.status() != plan.status {
        *response.status_mut() = plan.status;
        mended = true;
    }
    // What the connection speaks is the server's to say.
    *response.version_mut() = Version::default();
    let headers = response.headers_mut();
    mended |= restore_challenges(plan, headers);
    mended |= restore_no_store(headers);
    mended |= restore_nonce(plan, headers);
    mended |= restore_framing(headers);
    if let Some(retry_after) = &plan.retry_after {
        // The hooks are not told about it, so setting it here mends nothing of theirs.
        headers.insert(RETRY_AFTER, retry_after.clone());
    }
    if let Some(allow) = &plan.allow {
        headers.insert(ALLOW, allow.clone());
    }
    if mended {
        warn_of_repair();
    }
}

fn restore_challenges(plan: &Plan<'_>, headers: &mut HeaderMap) -> bool {
    if headers.get_all(WWW_AUTHENTICATE).iter().eq(plan.challenges.iter()) {
        return false;
    }
    headers.remove(WWW_AUTHENTICATE);
    append_challenges(&plan.challenges, headers);
    true
}

/// Never more than one (RFC 9449 §8), and none that this server would not accept.
fn restore_nonce(plan: &Plan<'_>, headers: &mut HeaderMap) -> bool {
    if headers.get_all(DPOP_NONCE).iter().eq(plan.nonce) {
        return false;
    }
    headers.remove(DPOP_NONCE);
    if let Some(nonce) = plan.nonce {
        headers.insert(DPOP_NONCE, nonce.clone());
    }
    true
}

/// Exactly one Cache-Control line, with no-store in it (RFC 9111 §5.2.2.5).
fn restore_no_store(headers: &mut HeaderMap) -> bool {
    // What the hooks write that nobody has changed is known at sight.
    let no_store =
        |line: &HeaderValue| *line == NO_STORE || cache_control::has(headers, "no-store");
    if field::single(headers, &CACHE_CONTROL).is_ok_and(|line| line.is_some_and(no_store)) {
        return false;
    }
    headers.insert(CACHE_CONTROL, NO_STORE);
    true
}

/// The server frames the body and manages the connection; a hook could only be wrong about them.
fn restore_framing(headers: &mut HeaderMap) -> bool {
    static FRAMING: [HeaderName; 5] =
        [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE, TRAILER];
    // There are few fields and hardly ever one of these, so they are looked through once.
    if !headers.keys().any(|name| FRAMING.contains(name)) {
        return false;
    }
    for name in &FRAMING {
        headers.remove(name);
    }
    true
}

/// Each once per process: a hook that is wrong is wrong on every request.
fn warn_of_repair() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: "tower_resource_server::envelope",
            "an envelope hook changed status, challenges, DPoP-Nonce, caching or framing; that was undone"
        );
    }
}

pub(super) fn warn_of_panic() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: "tower_resource_server::envelope",
            "an envelope hook panicked; the default rendering was sent"
        );
    }
}
