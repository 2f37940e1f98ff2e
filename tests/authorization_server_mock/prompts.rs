//! What may be shown to the person, and how it is to have signed in.

use std::time::Duration;

use crate::bed::Bed;

const MFA: &str = "urn:example:mfa";

#[tokio::test]
async fn without_a_word_there_is_a_code_or_an_error() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let silent = ("prompt", "none");
    // AS-OIDC-3.1.2.6-1: nobody is there, ...
    bed.authorize(&client, &[silent]).await.is_returned("login_required");
    let cookie = bed.authorize(&client, &[]).await.cookie();
    let cookie = Some(cookie.as_str());
    assert!(bed.browse(&client, &[silent], cookie).await.returned("code").is_some());
    // ... or has consented to less, ...
    let more = [silent, ("scope", "tools/read tools/write")];
    bed.browse(&client, &more, cookie).await.is_returned("consent_required");
    // ... or for another client, ...
    let other = bed.public().await;
    bed.browse(&other, &[silent], cookie).await.is_returned("consent_required");
    // ... or has signed in in another way, ...
    let strong = [silent, ("acr_values", MFA)];
    bed.browse(&client, &strong, cookie).await.is_returned("interaction_required");
    // ... or long ago, ...
    bed.clock.advance(Duration::from_secs(61));
    let recent = [silent, ("max_age", "60")];
    bed.browse(&client, &recent, cookie).await.is_returned("login_required");
    // ... or as somebody else, ...
    let bob = ("login_hint", "bob");
    bed.browse(&client, &[silent, bob], cookie).await.is_returned("login_required");
    // ... or as two.
    assert!(bed.browse(&client, &[bob], cookie).await.returned("code").is_some());
    bed.browse(&client, &[silent], cookie).await.is_returned("account_selection_required");
    assert!(bed.browse(&client, &[silent, bob], cookie).await.returned("code").is_some());
}

#[tokio::test]
async fn without_a_word_there_is_no_page() {
    use crate::authorization_server_mock::options::Consent;
    let bed = Bed::with(|options| options.consent = Consent::Page).await;
    let client = bed.public().await;
    let page = bed.authorize(&client, &[]).await;
    page.is_page(200);
    let silent = ("prompt", "none");
    // AS-OIDC-3.1.2.1-1: even where people are asked.
    bed.browse(&client, &[silent], None).await.is_returned("login_required");
    bed.browse(&client, &[silent], Some(&page.cookie())).await.is_returned("consent_required");
    for other in ["none login", "none consent", "login none"] {
        let answer = bed.browse(&client, &[("prompt", other)], None).await;
        answer.is_returned("invalid_request");
    }
}

#[tokio::test]
async fn nobody_can_sign_in_in_a_way_that_is_not_there() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    for prompt in ["", "none", "login"] {
        let answer =
            bed.authorize(&client, &[("acr_values", "urn:other"), ("prompt", prompt)]).await;
        // AS-OIDC-UAR-1
        answer.is_returned("unmet_authentication_requirements");
    }
}

/// RFC 9470 §5, §6.1: the client comes back with what the resource server has asked for.
#[tokio::test]
async fn a_step_up_is_in_the_token() {
    let bed = Bed::new().await;
    let client = bed.public().await;
    let seen = bed.authorize(&client, &[]).await;
    let redeemed = async |code: String| {
        let tokens = bed.redeem(&client, &code, &[]).await.json();
        bed.introspect(&tokens["access_token"]).await
    };
    let token = redeemed(seen.returned("code").expect("a code")).await;
    assert_eq!(token["acr"], "urn:example:password");
    assert_eq!(token["auth_time"], 1_800_000_000);

    bed.clock.advance(Duration::from_secs(30));
    let cookie = seen.cookie();
    let again = async |change: &[(&str, &str)]| {
        let answer = bed.browse(&client, change, Some(&cookie)).await;
        redeemed(answer.returned("code").expect("a code")).await
    };
    // The session will do for as long as it is young.
    assert_eq!(again(&[("max_age", "30")]).await["auth_time"], 1_800_000_000);
    assert_eq!(again(&[("max_age", "29")]).await["auth_time"], 1_800_000_030);
    bed.clock.advance(Duration::from_secs(1));
    assert_eq!(again(&[("prompt", "login")]).await["auth_time"], 1_800_000_031);
    // The first of them that is there.
    let values = format!("urn:other {MFA} urn:example:password");
    assert_eq!(again(&[("acr_values", &values)]).await["acr"], MFA);
}
