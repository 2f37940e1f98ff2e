//! An issuer that the examples are told to trust, and its tokens.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tower_resource_server::testing::TestIssuer;

/// Longer than the bench runs.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);

/// How many there are where tokens come in turn.
pub(crate) const TOKENS: usize = 1000;

const ISSUER: &str = "https://as.example.com";
const RESOURCE: &str = "https://api.example.com";

/// Files of this bench, where cargo lets it have some.
pub(crate) fn folder() -> Result<PathBuf, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("load");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// What the load of the comparison is made of.
pub(crate) struct Trust {
    pub(crate) keys: PathBuf,
    pub(crate) token: String,
    /// A file with tokens, one in each line.
    pub(crate) tokens: PathBuf,
}

impl Trust {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let issuer = TestIssuer::new(ISSUER);
        let token =
            || issuer.token().audience(RESOURCE).scope("tools/read").expires_in(LIFETIME).build();
        let (keys, tokens) = (folder()?.join("keys.json"), folder()?.join("tokens.txt"));
        fs::write(&keys, issuer.jwks_bytes())?;
        fs::write(&tokens, (0..TOKENS).map(|_| token() + "\n").collect::<String>())?;
        Ok(Self { keys, token: token(), tokens })
    }

    /// How an example is told.
    pub(crate) fn flags(&self) -> Result<[&str; 6], Box<dyn Error>> {
        let keys = self.keys.to_str().ok_or("the path of the key set is not in UTF-8")?;
        Ok(["--issuer", ISSUER, "--jwks", keys, "--resource", RESOURCE])
    }
}
