//! Where the files lie that curl reads.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, io, process};

/// A directory of this process, for no other user to read; removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn create() -> io::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("mtls-example-{}-{}", process::id(), now.subsec_nanos());
        let path = env::temp_dir().join(name);
        private().create(&path)?;
        Ok(Self(path))
    }

    /// The path of the file that was written.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<String> {
        let path = self.0.join(name);
        fs::write(&path, text)?;
        Ok(shown(&path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// It has to be new: one that lies there already may be somebody else's.
fn private() -> fs::DirBuilder {
    #[allow(unused_mut, reason = "other systems have no modes")]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
