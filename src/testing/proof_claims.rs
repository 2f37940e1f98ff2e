//! Flaws of the claims of a proof.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2_signing::{Digest as _, Sha256};

use super::base64url;
use super::draft::Draft;
use super::forgery::with_spare_bits;
use super::proof_flaw::ProofFlaw;
use super::target::Target;

const HUGE: usize = 10 * 1024;
const OTHER_TOKEN: &str = "of-somebody-else";

impl ProofFlaw {
    pub(super) fn edit_claims(self, draft: &mut Draft) {
        if let Some(name) = self.missing() {
            draft.claims.remove(name);
        } else if let Some((name, value)) = self.mistyped() {
            draft.set_claim(name, value);
        } else if let Some((name, value)) = self.misstated(draft) {
            draft.set_claim(name, value);
        }
    }

    const fn missing(self) -> Option<&'static str> {
        Some(match self {
            Self::JtiMissing => "jti",
            Self::HtmMissing => "htm",
            Self::HtuMissing => "htu",
            Self::IatMissing => "iat",
            Self::AthMissing => "ath",
            _ => return None,
        })
    }

    /// Values that no proof may have, whatever it is for.
    fn mistyped(self) -> Option<(&'static str, Value)> {
        Some(match self {
            Self::JtiEmpty => ("jti", json!("")),
            Self::JtiNull => ("jti", Value::Null),
            Self::JtiNumber => ("jti", json!(7)),
            Self::JtiHuge => ("jti", json!("j".repeat(HUGE))),
            Self::HtmEmpty => ("htm", json!("")),
            Self::HtmNull => ("htm", Value::Null),
            Self::HtmNumber => ("htm", json!(7)),
            Self::HtuEmpty => ("htu", json!("")),
            Self::HtuNull => ("htu", Value::Null),
            Self::HtuNumber => ("htu", json!(7)),
            Self::IatNull => ("iat", Value::Null),
            Self::IatNegative => ("iat", json!(-1)),
            Self::IatMinimum => ("iat", json!(i64::MIN)),
            Self::IatHuge => ("iat", json!(1e308)),
            Self::AthEmpty => ("ath", json!("")),
            Self::AthNull => ("ath", Value::Null),
            Self::AthNumber => ("ath", json!(7)),
            Self::NonceEmpty => ("nonce", json!("")),
            Self::NonceNull => ("nonce", Value::Null),
            Self::NonceNumber => ("nonce", json!(7)),
            _ => return None,
        })
    }

    /// Values that are of the right type, or nearly, and say something else than they should.
    fn misstated(self, draft: &Draft) -> Option<(&'static str, Value)> {
        Some(match self {
            Self::IatString => ("iat", json!(draft.now.to_string())),
            Self::IatOld => ("iat", json!(draft.shifted(-3600))),
            Self::IatAhead => ("iat", json!(draft.shifted(3600))),
            _ => {
                let text = |name| draft.claims.get(name).and_then(Value::as_str);
                let method = || self.method(text("htm").unwrap_or("GET")).map(|htm| ("htm", htm));
                let target = || self.target(text("htu").unwrap_or("")).map(|htu| ("htu", htu));
                let hash = || self.hash(text("ath")).map(|ath| ("ath", ath));
                let (name, value) = method().or_else(target).or_else(hash)?;
                (name, json!(value))
            }
        })
    }

    fn method(self, htm: &str) -> Option<String> {
        Some(match self {
            Self::HtmOtherCase => {
                let lower = htm.to_ascii_lowercase();
                if lower == htm { htm.to_ascii_uppercase() } else { lower }
            }
            Self::HtmOther => (if htm == "POST" { "GET" } else { "POST" }).to_owned(),
            _ => return None,
        })
    }

    fn target(self, htu: &str) -> Option<String> {
        let target = Target::parse(htu);
        Some(match self {
            Self::HtuOtherScheme => target.other_scheme(),
            Self::HtuOtherHost => target.other_host(),
            Self::HtuOtherPort => target.other_port(),
            Self::HtuOtherPathCase => target.other_path_case(),
            Self::HtuTrailingSlash => target.followed_by("/"),
            Self::HtuEncodedSlash => target.followed_by("%2F"),
            Self::HtuRelative => target.relative(),
            Self::HtuUserinfo => target.userinfo(),
            Self::HtuBadEscape => target.followed_by("%zz"),
            Self::HtuSpace => target.followed_by(" "),
            Self::HtuNonAscii => target.followed_by("é"),
            _ => return None,
        })
    }

    fn hash(self, ath: Option<&str>) -> Option<String> {
        let ath = ath.map_or_else(|| base64url(Sha256::digest("")), str::to_owned);
        Some(match self {
            Self::AthPadded => ath + "=",
            Self::AthHex => hex(&URL_SAFE_NO_PAD.decode(&ath).unwrap_or_default()),
            Self::AthNonCanonical => {
                let length = ath.len();
                with_spare_bits(ath, length)
            }
            Self::AthOfOtherToken => base64url(Sha256::digest(OTHER_TOKEN)),
            _ => return None,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
