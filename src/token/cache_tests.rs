use super::*;
use crate::json::Object;
use crate::keys::KeySource;
use crate::token::{AudiencePolicy, ClaimMapper, TrustedIssuer, claims};

/// What an issuer said of a token, which counts until then.
pub(in crate::token) fn answer(text: &str, until: Timestamp) -> Arc<Vouched> {
    let issuer = TrustedIssuer::new(
        "https://as.example.com".into(),
        Arc::new(ClaimMapper::new()),
        Vec::new(),
        Arc::new(AudiencePolicy { accepted: None, single_only: false }),
        KeySource::Fixed(Arc::default()),
    );
    let members = Object::parse(text).expect("an object");
    let claims = claims::of_answer(text, &members, false).expect("claims of the right types");
    Arc::new(Vouched::by_answer(claims, text.to_owned(), Arc::new(issuer), until))
}

const LEEWAY: Duration = Duration::from_secs(5);

/// A cache of a single part, so that each addition looks after all of it.
fn cache() -> TokenCache {
    TokenCache::new(64 * 1024)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// Adds a token that expires then.
fn add(cache: &TokenCache, name: &str, expires: i64, now: i64) {
    let token = answer(&format!(r#"{{"exp":{expires}}}"#), Timestamp::MAX);
    cache.insert(Digest::of(name), &token, LEEWAY, at(now));
}

fn knows(cache: &TokenCache, name: &str) -> bool {
    cache.get(&Digest::of(name)).is_some()
}

#[test]
fn an_expired_token_is_known_for_a_minute_and_then_dropped() {
    let cache = cache();
    add(&cache, "a", 300, 0);
    add(&cache, "b", 9000, 364);
    assert!(knows(&cache, "a"), "the leeway and not yet a minute");
    add(&cache, "c", 9000, 365);
    assert!(!knows(&cache, "a") && knows(&cache, "b") && knows(&cache, "c"));
}

#[test]
fn a_token_that_comes_expired_is_known_for_a_minute_too() {
    let cache = cache();
    add(&cache, "a", 300, 5000);
    add(&cache, "b", 9000, 5059);
    assert!(knows(&cache, "a"));
    add(&cache, "c", 9000, 5060);
    assert!(!knows(&cache, "a"));
}

#[test]
fn what_is_dropped_is_freed() {
    let cache = cache();
    let token = answer(r#"{"exp":300}"#, Timestamp::MAX);
    cache.insert(Digest::of("a"), &token, LEEWAY, at(0));
    assert_eq!(Arc::strong_count(&token), 2);
    add(&cache, "b", 9000, 1000);
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn tokens_take_no_more_than_their_bound() {
    let cache = cache();
    (0..1000).for_each(|number| add(&cache, &number.to_string(), 300, 0));
    let kept = (0..1000).filter(|number| knows(&cache, &number.to_string())).count();
    let token = answer(r#"{"exp":300}"#, Timestamp::MAX);
    let most = 64 * 1024 / weight(&token) as usize;
    assert!((most / 2..=most).contains(&kept), "{kept} of {most}");
    let none = TokenCache::new(0);
    add(&none, "a", 300, 0);
    assert!(!knows(&none, "a"));
}
