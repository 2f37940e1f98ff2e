//! From a draft to the text that is sent, through whatever is to go wrong on the way.

use serde_json::{Map, Value};

use super::base64url;
use super::draft::Draft;

/// What a flaw does at each step. Most leave all but one as it is.
pub(super) trait Damage: Copy {
    /// Changes header parameters, claims or the key that signs.
    fn edit(self, draft: &mut Draft);

    /// Changes the JSON of the header.
    fn rewrite_header(self, draft: &Draft, json: Vec<u8>) -> Vec<u8>;

    /// Changes the JSON of the claims.
    fn rewrite_payload(self, draft: &Draft, json: Vec<u8>) -> Vec<u8>;

    /// The signature, if this flaw makes it.
    fn forge(self, draft: &Draft, input: &[u8]) -> Option<Vec<u8>>;

    /// Changes the finished text.
    fn reshape(self, text: String) -> String;
}

impl Draft {
    /// The compact JWS (RFC 7515 §3.1) with these flaws.
    pub(super) fn build(&self, flaws: &[impl Damage]) -> String {
        let mut draft = self.clone();
        for flaw in flaws {
            flaw.edit(&mut draft);
        }
        let input = format!("{}.{}", draft.header_segment(flaws), draft.payload_segment(flaws));
        let forged = flaws.iter().find_map(|flaw| flaw.forge(&draft, input.as_bytes()));
        let signature = forged.unwrap_or_else(|| draft.signer.sign(input.as_bytes()));
        let text = format!("{input}.{}", base64url(signature));
        flaws.iter().fold(text, |text, flaw| flaw.reshape(text))
    }

    fn header_segment(&self, flaws: &[impl Damage]) -> String {
        let rewritten = |json, flaw: &_| Damage::rewrite_header(*flaw, self, json);
        let json = || flaws.iter().fold(serialized(&self.header), rewritten);
        base64url(self.raw_header.clone().unwrap_or_else(json))
    }

    fn payload_segment(&self, flaws: &[impl Damage]) -> String {
        let rewritten = |json, flaw: &_| Damage::rewrite_payload(*flaw, self, json);
        let json = || flaws.iter().fold(serialized(&self.claims), rewritten);
        base64url(self.raw_payload.clone().unwrap_or_else(json))
    }
}

fn serialized(members: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(members).expect("a map with string keys serializes")
}
