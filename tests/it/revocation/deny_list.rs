//! The list of revoked tokens in memory.

use std::sync::Arc;
use std::time::Duration;

use tower_resource_server::{DenyList, DenyListFull, RejectionKind};

use super::{assert_kind, at};
use crate::support::{Bed, ISSUER, NOW};

#[tokio::test]
async fn a_list_denies_tokens_subjects_and_clients() {
    let list = Arc::new(DenyList::new().clock_skew(Duration::ZERO));
    let shared = Arc::clone(&list);
    let bed = Bed::with(|builder| builder.revocation(shared));
    let token = |jti: &str, subject: &str, client: &str, issued: u64| {
        let token = bed.issuer.token().claim("jti", jti).claim("iat", issued);
        token.subject(subject).client_id(client).expires_in(Duration::from_secs(9000)).build()
    };
    let until = at(NOW + 9000);
    list.deny_token(ISSUER, "1", until).expect("room");
    list.deny_subject(ISSUER, "mallory", at(NOW - 10), until).expect("room");
    list.deny_client(ISSUER, "leaky", at(NOW - 10), until).expect("room");
    list.deny_token("https://other.example.com", "2", until).expect("room");
    for (jti, subject, client, issued, denied) in [
        ("1", "alice", "app", NOW, true),
        ("2", "alice", "app", NOW, false),
        ("3", "mallory", "app", NOW - 10, true),
        ("3", "mallory", "app", NOW - 9, false),
        ("3", "leaky", "mallory", NOW - 20, false),
        ("3", "alice", "leaky", NOW - 10, true),
        ("3", "alice", "leaky", NOW - 9, false),
    ] {
        let answer = bed.bearer(&token(jti, subject, client, issued)).await;
        match denied {
            true => assert_kind(&answer, RejectionKind::RevokedToken),
            false => answer.assert_ok(),
        }
    }
    // An entry can be widened and not narrowed.
    list.deny_subject(ISSUER, "mallory", at(NOW - 100), at(NOW)).expect("room");
    let answer = bed.bearer(&token("3", "mallory", "app", NOW - 10)).await;
    assert_kind(&answer, RejectionKind::RevokedToken);
}

#[tokio::test]
async fn an_issuer_whose_clock_is_ahead_saves_no_token() {
    for (skew, ahead) in [(None, 5), (Some(2), 2), (Some(0), 0), (Some(301), 300)] {
        let list = DenyList::new();
        let list = Arc::new(match skew {
            None => list,
            Some(seconds) => list.clock_skew(Duration::from_secs(seconds)),
        });
        let shared = Arc::clone(&list);
        let leeway = Duration::from_secs(300);
        let bed = Bed::with(|builder| builder.revocation(shared).leeway(leeway));
        list.deny_subject(ISSUER, "mallory", at(NOW), at(NOW + 9000)).expect("room");
        list.deny_client(ISSUER, "leaky", at(NOW), at(NOW + 9000)).expect("room");
        let token = |subject: &str, client: &str, issued: u64| {
            let token = bed.issuer.token().subject(subject).client_id(client);
            token.claim("iat", issued).expires_in(Duration::from_secs(9000)).build()
        };
        bed.clock.advance(Duration::from_secs(10));
        for (subject, client) in [("mallory", "app"), ("alice", "leaky")] {
            let answer = bed.bearer(&token(subject, client, NOW + ahead)).await;
            assert_kind(&answer, RejectionKind::RevokedToken);
            bed.bearer(&token(subject, client, NOW + ahead + 1)).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn a_denied_token_does_not_come_back_in_the_leeway_of_its_end() {
    let list = Arc::new(DenyList::new());
    let shared = Arc::clone(&list);
    let bed = Bed::with(|builder| builder.revocation(shared).leeway(Duration::from_secs(300)));
    let token = bed.issuer.token().subject("mallory").expires_in(Duration::from_secs(100)).build();
    list.deny_subject(ISSUER, "mallory", at(NOW), at(NOW + 100)).expect("room");
    for seconds in [99, 1, 299] {
        bed.clock.advance(Duration::from_secs(seconds));
        assert_kind(&bed.bearer(&token).await, RejectionKind::RevokedToken);
    }
    bed.clock.advance(Duration::from_secs(1));
    assert_kind(&bed.bearer(&token).await, RejectionKind::ExpiredToken);
}

#[tokio::test]
async fn a_full_list_drops_what_has_ended_and_nothing_else() {
    let list = Arc::new(DenyList::with_capacity(2));
    let shared = Arc::clone(&list);
    let bed = Bed::with(|builder| builder.revocation(shared));
    let deny = |jti: &str, life: u64| list.deny_token(ISSUER, jti, at(NOW + life));
    assert_eq!((deny("1", 10), deny("2", 100), deny("1", 20)), (Ok(()), Ok(()), Ok(())));
    assert_eq!(deny("3", 100), Err(DenyListFull::default()));
    bed.bearer(&bed.token()).await.assert_ok();
    assert_eq!(deny("3", 100), Err(DenyListFull::default()), "both are live");
    // Five minutes after its end, for the leeway.
    bed.clock.advance(Duration::from_secs(20 + 300));
    bed.bearer(&bed.token()).await.assert_ok();
    assert_eq!((deny("3", 100), list.len()), (Ok(()), 2));
    let token = bed.issuer.token().claim("jti", "2").build();
    assert_kind(&bed.bearer(&token).await, RejectionKind::RevokedToken);
}
