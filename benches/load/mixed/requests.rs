//! Requests made beforehand, in files that the script reads: in each line the class, and the request
//! with `|` for the ends of its lines.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tower_resource_server::Algorithm;
use tower_resource_server::testing::{Flaw, SigningKey, TestIssuer, TokenBuilder};

use super::class::Class;
use super::issuers::Issuers;
use super::{CONNECTIONS, EACH_SECOND};
use crate::plan::Mixed;
use crate::trust::{LIFETIME, TOKENS};

const SCOPE: &str = "tools/read";

/// A request with those fields, each with a line end after it.
struct Line<'a> {
    class: Class,
    base: &'a str,
    fields: String,
}

pub(crate) fn write(
    folder: &Path,
    issuers: &Issuers,
    base: &str,
    plan: Mixed,
) -> Result<(), Box<dyn Error>> {
    println!("\nMixed traffic: making {} tokens and proofs", once(plan) * 2 * CONNECTIONS as u64);
    fs::create_dir_all(folder)?;
    let known = |class, issuer: &TestIssuer, count| {
        (0..count).map(|_| bearer(class, base, &token(issuer, base).build())).collect::<String>()
    };
    let (second, first) = (TOKENS / 6, TOKENS - TOKENS / 6);
    fs::write(folder.join("known"), known(Class::Known, &issuers.first, first))?;
    fs::write(folder.join("rotated"), known(Class::Rotated, &issuers.rotated, first))?;
    fs::write(folder.join("second"), known(Class::Second, &issuers.second, second))?;
    fs::write(folder.join("strangers"), known(Class::Stranger, &issuers.stranger, second))?;
    fs::write(folder.join("refused"), refused(&issuers.first, base))?;
    std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            scope.spawn(move || {
                (half..CONNECTIONS).step_by(2).try_for_each(|connection| {
                    new(&folder.join(format!("new-{connection}")), issuers, base, plan)?;
                    proofs(&folder.join(format!("proofs-{connection}")), &issuers.first, base, plan)
                })
            })
        });
        halves.into_iter().try_for_each(|half| half.join().expect("it does not panic"))
    })?;
    Ok(())
}

/// How many of the requests that are sent once a connection needs.
const fn once(plan: Mixed) -> u64 {
    plan.seconds * EACH_SECOND
}

/// In the order of their sending, so that none comes by a key that is not there yet.
fn new(file: &Path, issuers: &Issuers, base: &str, plan: Mixed) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    for count in 0..once(plan) {
        let issuer =
            if count < plan.rotation * EACH_SECOND { &issuers.first } else { &issuers.rotated };
        file.write_all(bearer(Class::New, base, &token(issuer, base).build()).as_bytes())?;
    }
    file.flush()
}

/// One token bound to one key, and a proof for each request.
fn proofs(file: &Path, issuer: &TestIssuer, base: &str, plan: Mixed) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    let key = SigningKey::generate(Algorithm::ES256);
    let token = token(issuer, base).bound_to(&key).build();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    for _ in 0..once(plan) {
        let proof = key.proof("GET", &format!("{base}/tools")).token(&token).at(now).build();
        let fields = format!("Authorization: DPoP {token}|DPoP: {proof}|");
        file.write_all(Line { class: Class::Proof, base, fields }.text().as_bytes())?;
    }
    file.flush()
}

fn refused(issuer: &TestIssuer, base: &str) -> String {
    let expired = token(issuer, base).flaw(Flaw::Expired).build();
    let other_scope = token(issuer, base).scope("reports/read").build();
    [
        Line { class: Class::NoToken, base, fields: String::new() }.text(),
        bearer(Class::NoJwt, base, "mF_9.B5f-4.1JqM"),
        bearer(Class::Expired, base, &expired),
        bearer(Class::NoScope, base, &other_scope),
    ]
    .concat()
}

fn token(issuer: &TestIssuer, base: &str) -> TokenBuilder {
    issuer.token().audience(base).scope(SCOPE).expires_in(LIFETIME)
}

fn bearer(class: Class, base: &str, token: &str) -> String {
    Line { class, base, fields: format!("Authorization: Bearer {token}|") }.text()
}

impl Line<'_> {
    fn text(&self) -> String {
        let Self { class, base, fields } = self;
        let host = base.trim_start_matches("http://");
        format!("{} GET /tools HTTP/1.1|Host: {host}|{fields}|\n", class.number())
    }
}
