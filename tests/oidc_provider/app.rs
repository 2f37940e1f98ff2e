//! A client of the authorization server: it gets tokens for the resource server under test.

use http::StatusCode;
use serde_json::Value;
use tower_resource_server::testing::SigningKey;

use crate::provider::Provider;

impl Provider {
    /// A token for that resource, of the scope `read`.
    pub(crate) async fn token(&self, resource: &str) -> String {
        let granted = self.grant(resource, None).await;
        assert_eq!(granted["token_type"], "Bearer");
        access_token(&granted)
    }

    /// A token bound to that key.
    pub(crate) async fn bound_token(&self, resource: &str, key: &SigningKey) -> String {
        let proof = key.proof("POST", &self.url("/token")).build();
        let granted = self.grant(resource, Some(&proof)).await;
        assert_eq!(granted["token_type"], "DPoP");
        access_token(&granted)
    }

    /// RFC 6749 §4.4, RFC 8707 §2.
    async fn grant(&self, resource: &str, proof: Option<&str>) -> Value {
        let form =
            [("grant_type", "client_credentials"), ("scope", "read"), ("resource", resource)];
        let (status, granted) = self.post("app", "/token", &form, proof).await;
        assert_eq!(status, StatusCode::OK, "{granted}");
        granted
    }

    /// RFC 7009.
    pub(crate) async fn revoke(&self, token: &str) {
        let (status, _) = self.post("app", "/token/revocation", &[("token", token)], None).await;
        assert_eq!(status, StatusCode::OK);
    }
}

fn access_token(granted: &Value) -> String {
    granted["access_token"].as_str().expect("a token").to_owned()
}
