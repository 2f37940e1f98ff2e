//! The curl lines to try.

use std::io;
use std::time::Duration;

use tower_resource_server::ClientCertificate;
use tower_resource_server::testing::{TestIssuer, TokenBuilder};

use crate::authority::{Authority, Identity};
use crate::folder::Folder;

/// Two clients, of which the first got the token.
pub(crate) struct Tour<'a> {
    base: &'a str,
    issuer: &'a TestIssuer,
    client: ClientCertificate,
    /// Arguments of curl: whom to trust, and as whom to come.
    trust: String,
    as_client: String,
    as_other: String,
}

impl<'a> Tour<'a> {
    pub(crate) fn new(
        base: &'a str,
        issuer: &'a TestIssuer,
        authority: &Authority,
        client: &Identity,
        other: &Identity,
        folder: &Folder,
    ) -> io::Result<Self> {
        let trust = folder.write("ca.pem", &authority.certificate.pem())?;
        Ok(Self {
            base,
            issuer,
            client: ClientCertificate::from_der(client.certificate.der()),
            trust: format!("--cacert {trust}"),
            as_client: identified(folder, "client", client)?,
            as_other: identified(folder, "other", other)?,
        })
    }

    pub(crate) fn print(&self) {
        println!("\nThe token below is bound to the certificate of one client. Try:");
        let bound = self.token().bound_to_certificate(&self.client);
        let (client, other) = (Some(&*self.as_client), Some(&*self.as_other));
        self.line("200: the token, and the certificate it is bound to", "/whoami", client, &bound);
        let stolen = "401: invalid_token, the same token without a certificate";
        self.line(stolen, "/whoami", None, &bound);
        let stolen = "401: invalid_token, the same token with another client's certificate";
        self.line(stolen, "/whoami", other, &bound);
        let short = "403: insufficient_scope, the binding is right and the scope is missing";
        self.line(short, "/notes", client, &bound);
        let notes = bound.clone().scope("notes/read");
        self.line("200: with the scope", "/notes", client, &notes);
        println!("\nA token that is bound to nothing:");
        let unbound = "401: invalid_token, this server wants bound ones";
        self.line(unbound, "/whoami", client, &self.token());
        self.line("200: this route takes others too", "/open", None, &self.token());
        let stolen = "401: invalid_token, but a bound one needs its certificate there as well";
        self.line(stolen, "/open", None, &bound);
        println!("\nWithout a token:");
        self.bare("401: a certificate is no access token", "/whoami", &self.as_client);
        let document = "200: the document says that tokens are bound to certificates";
        self.bare(document, "/.well-known/oauth-protected-resource", "");
        println!("\nControl-C stops the server.");
    }

    fn token(&self) -> TokenBuilder {
        self.issuer.token().audience(self.base).expires_in(Duration::from_secs(3600))
    }

    fn line(&self, comment: &str, path: &str, identity: Option<&str>, token: &TokenBuilder) {
        let field = format!("-H 'Authorization: Bearer {}'", token.build());
        let identity = identity.map(|identity| format!("{identity} ")).unwrap_or_default();
        self.bare(comment, path, &format!("{identity}{field}"));
    }

    fn bare(&self, comment: &str, path: &str, arguments: &str) {
        let command = format!("curl -si {} {}{path} {arguments}", self.trust, self.base);
        println!("\n# {comment}\n{}", command.trim_end());
    }
}

/// The arguments with which curl comes as that client.
fn identified(folder: &Folder, name: &str, client: &Identity) -> io::Result<String> {
    let certificate = folder.write(&format!("{name}.pem"), &client.certificate.pem())?;
    let key = folder.write(&format!("{name}.key"), &client.key.serialize_pem())?;
    Ok(format!("--cert {certificate} --key {key}"))
}
