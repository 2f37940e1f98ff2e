//! The example programs, in release build.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

pub(crate) const NAMES: [&str; 2] = ["axum", "hyper"];

/// Has cargo build them.
pub(crate) fn build() -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    for name in NAMES {
        command.args(["--example", name]);
    }
    match command.status()?.success() {
        true => Ok(()),
        false => Err("the examples do not build".into()),
    }
}

/// Where cargo puts it: this bench is in the directory beside.
pub(crate) fn path(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let release = own.parent().and_then(|deps| deps.parent()).ok_or("not run by cargo")?;
    let path = release.join("examples").join(name);
    match path.exists() {
        true => Ok(path),
        false => Err(format!("cargo has put the example {name} elsewhere than here").into()),
    }
}
