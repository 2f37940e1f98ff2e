//! The names of token shapes, and what each stands for.

use super::mapper::ClaimMapper;

/// What the access tokens of an issuer look like: RFC 9068, or what a known authorization server
/// makes of it.
///
/// [`Rfc9068`](Self::Rfc9068) is the strict one and the default. Each of the others says below what
/// it relaxes, and why an ID token, a logout token or any other JWT of the same server still cannot
/// pass. The [guide](crate::guide::authorization_servers) has the whole configuration for each
/// server. Servers of another shape are described with a [`ClaimMapper`].
///
/// None relaxes the signature, the issuer, the audience, the times, `cnf`, or the types of claims.
/// `scope`, `nbf`, `acr` and `auth_time` are never demanded; only the last two are ignored where
/// their type is wrong (RFC 9470 §6.1). Wherever a `typ` other than `at+jwt` is accepted, tokens
/// are refused as `wrong-token-type` that have a claim of another kind of JWT: `nonce`, `at_hash`,
/// `c_hash` or `s_hash` of ID tokens, `events` of logout tokens and security events, `htm` or `htu`
/// of proofs, and `token_introspection`.
///
/// ```
/// use tower_resource_server::{Issuer, Profile};
///
/// // An authorization server that leaves jti out of its access tokens.
/// let issuer = Issuer::discover("https://as.example.com").profile(Profile::Lenient);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Profile {
    /// RFC 9068 §2.2: the type `at+jwt`, and `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and
    /// `jti`.
    #[default]
    Rfc9068,
    /// As RFC 9068, but `sub`, `client_id`, `iat` and `jti` may be absent. All other checks stay,
    /// `typ: at+jwt` among them.
    Lenient,
    /// Auth0, with either of its token dialects.
    ///
    /// The RFC 9068 dialect is accepted as it is. For the default dialect, the type may be `JWT`,
    /// the client may stand in `azp`, and `jti` may be absent. An ID token of Auth0 has neither
    /// `azp` nor `client_id`, has a client as its audience, and mostly a `nonce`.
    Auth0,
    /// Amazon Cognito user pools.
    ///
    /// `token_use` must be `access`, which is `id` in ID tokens. There is no `typ`, or `JWT`, as
    /// emulators have it. There is no `aud` unless the client asked for a resource: then the audience
    /// is read from `client_id`, and the issuer has to name the clients that are accepted with
    /// [`Issuer::audience_name`](crate::Issuer::audience_name). A token that does have an `aud` is
    /// judged by that alone.
    Cognito,
    /// Microsoft Entra ID, tokens of version 1 and of version 2.
    ///
    /// The type is `JWT`; the client stands in `azp` (version 2) or `appid` (version 1), the scopes
    /// in `scp`, and the token id in `uti`, which may be absent. ID tokens have neither client claim,
    /// and mostly have a `nonce`. So they are told apart even where a client and its API are one
    /// registration and have one audience.
    Entra,
    /// Google ID tokens by which one service calls another.
    ///
    /// The access tokens of Google are opaque. What services present to Cloud Run and to each other
    /// are ID tokens of their service accounts, made for the URL of the called service: type `JWT`,
    /// the caller in `azp`, without `jti` and scope. An ID token for a client has the id of that
    /// client as its audience, which `build` refuses to accept (`*.apps.googleusercontent.com`).
    ///
    /// **A valid one says who calls, and nothing more:** anybody can have such a token made for any
    /// audience. Demand a [`Predicate`](crate::Predicate) on `email` or `sub` of every route.
    Google,
    /// Ory Hydra with JWT access tokens.
    ///
    /// The type is `JWT`, and the scopes may be an array in `scp`. ID tokens have no `client_id`,
    /// and logout tokens have neither that nor `exp`.
    Hydra,
    /// Keycloak.
    ///
    /// The type is `JWT` unless the client is set to `at+jwt`, and the client stands in `azp`. The
    /// claim `typ` must be `Bearer` or `DPoP`; it is `ID`, `Refresh`, `Offline` or `Logout` in other
    /// tokens. For that reason `nonce` is no mark here: before Keycloak 25 access tokens have it
    /// too.
    Keycloak,
    /// Okta custom authorization servers.
    ///
    /// There is no `typ`; the client stands in `cid` and the scopes are an array in `scp`. ID tokens
    /// have no `cid`. The tokens of the *org* authorization server are for Okta's own endpoints
    /// alone; they have a `typ` of their own and are refused.
    Okta,
    /// Zitadel with JWT access tokens.
    ///
    /// The type is `JWT`; the client may be absent or stand in `azp`. ID tokens have the audience of
    /// access tokens here, but never a `jti`, and they do have `at_hash` or `nonce`.
    Zitadel,
}

impl From<Profile> for ClaimMapper {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Rfc9068 => Self::new(),
            Profile::Lenient => lenient(),
            Profile::Auth0 => auth0(),
            Profile::Cognito => cognito(),
            Profile::Entra => entra(),
            Profile::Google => google(),
            Profile::Hydra => hydra(),
            Profile::Keycloak => keycloak(),
            Profile::Okta => okta(),
            Profile::Zitadel => zitadel(),
        }
    }
}

fn lenient() -> ClaimMapper {
    ClaimMapper::new()
        .optional_subject()
        .optional_client_id()
        .optional_issued_at()
        .optional_token_id()
}

fn auth0() -> ClaimMapper {
    ClaimMapper::new().types(["at+jwt", "JWT"]).client_id(["client_id", "azp"]).optional_token_id()
}

/// A token for a resource names it in `aud`, and is no token for every API that knows its client.
/// `JWT` is what emulators write.
fn cognito() -> ClaimMapper {
    ClaimMapper::new()
        .types(["JWT"])
        .optional_type()
        .audience(["aud", "client_id"])
        .require_value("token_use", ["access"])
}

fn entra() -> ClaimMapper {
    ClaimMapper::new()
        .types(["JWT"])
        .client_id(["azp", "appid"])
        .scope(["scp"])
        .token_id(["uti"])
        .optional_token_id()
}

fn google() -> ClaimMapper {
    ClaimMapper::new()
        .types(["JWT"])
        .client_id(["azp"])
        .optional_token_id()
        .no_audience_under(".apps.googleusercontent.com")
}

fn hydra() -> ClaimMapper {
    ClaimMapper::new().types(["JWT"]).scope(["scp", "scope"]).scope_lists()
}

fn keycloak() -> ClaimMapper {
    ClaimMapper::new()
        .types(["at+jwt", "JWT"])
        .client_id(["azp", "client_id"])
        .require_value("typ", ["Bearer", "DPoP"])
        .accept_nonce()
}

fn okta() -> ClaimMapper {
    ClaimMapper::new().untyped().client_id(["cid"]).scope(["scp"]).scope_lists()
}

fn zitadel() -> ClaimMapper {
    ClaimMapper::new().types(["at+jwt", "JWT"]).client_id(["client_id", "azp"]).optional_client_id()
}
