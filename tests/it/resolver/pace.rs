//! How much is asked, and what failures cost.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower_resource_server::testing::TestIssuer;
use tower_resource_server::{Algorithm, AllowedIssuers, Introspection, Issuer, RejectionKind};

use super::{Answers, Bed, FRESH, REALMS, assert_unavailable, assert_untrusted, token};
use crate::support::{Logs, key, let_others_run, present};

#[tokio::test]
async fn a_hundred_first_requests_share_one_look_up() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    bed.realms.gate.forget_permits(Semaphore::MAX_PERMITS);
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let (server, token) = (bed.server.clone(), token(&blue));
        requests.spawn(async move { present(&server, &token).await });
    }
    let_others_run().await;
    assert!(requests.try_join_next().is_none(), "all of them wait");
    bed.realms.gate.add_permits(1);
    for answer in requests.join_all().await {
        answer.assert_ok();
    }
    assert_eq!((bed.realms.asked(), bed.fetch.count()), (1, 1));
}

#[tokio::test]
async fn invented_names_are_asked_about_at_a_pace() {
    let bed = Bed::new();
    let blue = bed.remote("blue");
    bed.send(&token(&blue)).await.assert_ok();
    let strangers: Vec<_> = (0..50).map(|i| bed.issuer(&format!("invented-{i}"))).collect();
    let mut kinds = Vec::new();
    for stranger in &strangers {
        kinds.push(bed.send(&token(stranger)).await.kind().expect("a refusal"));
    }
    // Ten look-ups a second, besides that of blue.
    assert_eq!(bed.realms.asked(), 11);
    assert_eq!(kinds[..10], [RejectionKind::UntrustedIssuer; 10]);
    assert_eq!(kinds[10..], [RejectionKind::IssuerUnavailable; 40]);
    // Who is known notices nothing, and who is not is remembered as such.
    bed.send(&token(&blue)).await.assert_ok();
    assert_untrusted(&bed.send(&token(&strangers[0])).await);
    bed.clock.advance(Duration::from_secs(1));
    assert_untrusted(&bed.send(&token(&strangers[49])).await);
    assert_eq!(bed.realms.asked(), 12);
}

#[tokio::test]
async fn invented_names_do_not_hide_that_an_issuer_is_trusted_no_longer() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted());
    let old = token(&blue);
    bed.send(&old).await.assert_ok();
    bed.realms.set("blue", Answers::Nothing);
    bed.clock.advance(FRESH);
    for i in 0..20 {
        assert!(bed.send(&token(&bed.issuer(&format!("invented-{i}")))).await.kind().is_some());
    }
    // The pace of strangers is used up; that of known issuers is not.
    bed.send(&old).await.assert_ok();
    let_others_run().await;
    assert_untrusted(&bed.send(&old).await);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_looked_up_again_takes_the_pace_of_no_other() {
    let bed = Bed::new();
    let (blue, red) = (bed.issuer("blue"), bed.issuer("red"));
    let (of_blue, of_red) = (token(&blue), token(&red));
    for (realm, issuer, token) in [("blue", &blue, &of_blue), ("red", &red, &of_red)] {
        bed.realms.trust(realm, issuer.trusted());
        bed.send(token).await.assert_ok();
    }
    bed.realms.set("blue", Answers::Failure);
    bed.realms.set("red", Answers::Nothing);
    bed.clock.advance(FRESH);
    for _ in 0..20 {
        bed.send(&of_blue).await.assert_ok();
        let_others_run().await;
    }
    assert_eq!(bed.realms.asked(), 3);
    bed.send(&of_red).await.assert_ok();
    let_others_run().await;
    assert_untrusted(&bed.send(&of_red).await);
    bed.clock.advance(Duration::from_secs(1));
    bed.send(&of_blue).await.assert_ok();
    let_others_run().await;
    assert_eq!(bed.realms.asked(), 5);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_looked_up_takes_the_pace_of_no_other() {
    let faulty = |bed: &Bed| Answers::Issuer(Box::new(bed.issuer("blue").trusted().algorithms([])));
    let failing: [fn(&Bed) -> Answers; 3] = [|_| Answers::Failure, |_| Answers::Panic, faulty];
    for answer in failing {
        let bed = Bed::new();
        bed.realms.set("blue", answer(&bed));
        let (blue, red) = (bed.issuer("blue"), bed.fixed("red"));
        for _ in 0..20 {
            assert_unavailable(&bed.send(&token(&blue)).await);
        }
        assert_eq!(bed.realms.asked(), 1);
        bed.send(&token(&red)).await.assert_ok();
        bed.clock.advance(Duration::from_millis(999));
        assert_unavailable(&bed.send(&token(&blue)).await);
        assert_eq!(bed.realms.asked(), 2);
        bed.clock.advance(Duration::from_millis(1));
        assert_unavailable(&bed.send(&token(&blue)).await);
        assert_eq!(bed.realms.asked(), 3);
    }
}

#[tokio::test]
async fn look_ups_that_bring_issuers_take_nothing_of_the_pace() {
    let bed = Bed::new();
    let tenants: Vec<_> = (0..50).map(|i| bed.fixed(&format!("tenant-{i}"))).collect();
    for tenant in &tenants {
        bed.send(&token(tenant)).await.assert_ok();
    }
    // And nothing when all of them are looked up again.
    bed.clock.advance(FRESH);
    for tenant in &tenants {
        bed.send(&token(tenant)).await.assert_ok();
        let_others_run().await;
    }
    assert_eq!(bed.realms.asked(), 100);
}

#[tokio::test]
async fn a_look_up_for_which_another_is_forgotten_takes_of_the_pace() {
    let bed = Bed::allowing(AllowedIssuers::below(REALMS).max_issuers(1));
    let [blue, red] = ["blue", "red"].map(|realm| bed.fixed(realm));
    let mut accepted = 0;
    for _ in 0..20 {
        for issuer in [&blue, &red] {
            let answer = bed.send(&token(issuer)).await;
            accepted += usize::from(answer.kind().is_none());
        }
    }
    // The first had room; ten had not. From then on whoever is there stays.
    assert_eq!(bed.realms.asked(), 11);
    assert_eq!(accepted, 11 + 14);
}

#[tokio::test]
async fn that_many_are_forgotten_at_once_gives_nothing_back() {
    let bed = Bed::allowing(AllowedIssuers::below(REALMS).max_issuers(300));
    let (key, mut accepted) = (key(Algorithm::ES256, "1"), 0);
    for i in 0..320 {
        let realm = format!("tenant-{i}");
        let tenant = TestIssuer::with_key(format!("{REALMS}{realm}"), key.clone());
        let tenant = tenant.clock(bed.clock.clone());
        bed.realms.trust(&realm, tenant.trusted());
        accepted += usize::from(bed.send(&token(&tenant)).await.kind().is_none());
    }
    // Three go when there is no place left. The last three places are paced as those of others are.
    assert_eq!((bed.realms.asked(), accepted), (307, 307));
    assert_eq!(bed.server.health().issuers().len(), 298);
}

#[tokio::test]
async fn names_that_are_allowed_whole_have_a_pace_of_their_own() {
    let named = [format!("{REALMS}blue"), format!("{REALMS}red")];
    let bed = Bed::allowing(AllowedIssuers::exact(named).and_below(REALMS));
    let blue = bed.fixed("blue");
    for i in 0..20 {
        assert!(bed.send(&token(&bed.issuer(&format!("invented-{i}")))).await.kind().is_some());
    }
    assert_eq!(bed.realms.asked(), 10);
    bed.send(&token(&blue)).await.assert_ok();
    assert_untrusted(&bed.send(&token(&bed.issuer("red"))).await);
}

#[tokio::test]
async fn the_pace_is_a_setting() {
    let bed = Bed::allowing(AllowedIssuers::below(REALMS).max_lookups_per_second(3));
    for i in 0..3 {
        assert_untrusted(&bed.send(&token(&bed.issuer(&format!("invented-{i}")))).await);
    }
    assert_unavailable(&bed.send(&token(&bed.issuer("blue"))).await);
}

#[tokio::test]
async fn sixteen_look_ups_run_at_a_time() {
    let bed = Bed::allowing(AllowedIssuers::below(REALMS).max_lookups_per_second(100));
    bed.realms.gate.forget_permits(Semaphore::MAX_PERMITS);
    let mut requests = JoinSet::new();
    for tenant in 0..16 {
        let tenant = bed.fixed(&format!("tenant-{tenant}"));
        let (server, token) = (bed.server.clone(), token(&tenant));
        requests.spawn(async move { present(&server, &token).await });
    }
    let_others_run().await;
    let another = bed.fixed("another");
    assert_unavailable(&bed.send(&token(&another)).await);
    assert_eq!(bed.realms.asked(), 16);
    bed.realms.gate.add_permits(17);
    for answer in requests.join_all().await {
        answer.assert_ok();
    }
    bed.send(&token(&another)).await.assert_ok();
}

#[tokio::test]
async fn failures_are_ours_and_count_for_a_second() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    for answer in [
        Answers::Failure,
        Answers::Panic,
        // Faulty, or another than was asked about.
        Answers::Issuer(Box::new(blue.trusted().algorithms([]))),
        Answers::Issuer(Box::new(bed.issuer("red").trusted())),
        Answers::Issuer(Box::new(Issuer::jwks_uri(blue.issuer(), "http://as.example.com/keys"))),
        Answers::Issuer(Box::new(blue.trusted().introspect(Introspection::at(
            "https://as.example.com/introspect",
            tower_resource_server::ClientAuthentication::client_secret_basic("id", "s"),
        )))),
    ] {
        bed.realms.set("blue", answer);
        assert_unavailable(&bed.send(&token(&blue)).await);
        bed.clock.advance(Duration::from_secs(1));
    }
    bed.realms.trust("blue", blue.trusted());
    bed.send(&token(&blue)).await.assert_ok();
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_does_not_answer_is_given_up() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.set("blue", Answers::Hang);
    let begun = tokio::time::Instant::now();
    assert_unavailable(&bed.send(&token(&blue)).await);
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn the_log_says_why_an_issuer_cannot_be_used_and_nothing_unescaped() {
    let bed = Bed::new();
    let blue = bed.issuer("blue");
    bed.realms.trust("blue", blue.trusted().algorithms([]));
    let (logs, guard) = Logs::capture();
    assert_unavailable(&bed.send(&token(&blue)).await);
    drop(guard);
    let text = logs.text();
    assert!(text.contains("accepts no algorithm") && text.contains("realms/blue"), "{text}");
}
