//! Counts everything, and compares it with the baseline or writes a new one.

use std::error::Error;
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use instructions::{Baseline, Comparison, Counts, Tools};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.txt");
const UPDATE: &str = "cargo bench -p instructions -- --update";

/// Prints the comparison, and fails if a path has risen.
pub(crate) fn compare() -> ExitCode {
    finish(|tools| {
        let baseline = Baseline::read(&fs::read_to_string(BASELINE)?)?;
        let comparison = Comparison::new(&baseline, &count()?, tools);
        println!("{comparison}");
        comparison.verdict().iter().for_each(|line| println!("{line}"));
        if !comparison.passes() {
            println!("Where that has to be so, a new baseline is made with: {UPDATE}");
        }
        Ok(comparison.passes())
    })
}

/// Writes the baseline anew.
pub(crate) fn update() -> ExitCode {
    finish(|tools| {
        let counts = count()?;
        // A file that cannot be read is made anew like one that is not there.
        let before = fs::read_to_string(BASELINE).unwrap_or_default();
        let before = Baseline::read(&before).unwrap_or_default();
        println!("{}", Comparison::new(&before, &counts, tools));
        fs::write(BASELINE, Baseline::of(&counts, tools.clone()).to_string())?;
        println!("That is the baseline now, in {BASELINE}.");
        Ok(true)
    })
}

fn finish(work: impl FnOnce(&Tools) -> Result<bool, Box<dyn Error>>) -> ExitCode {
    let tools = match Tools::found() {
        Ok(tools) => tools,
        Err(missing) => return skipped(&missing),
    };
    match work(&tools) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where all programs have to be there, that one is missing is a failure.
fn skipped(missing: &dyn Error) -> ExitCode {
    println!("SKIPPED: no instructions are counted, since {missing}.");
    match env::var_os("TRS_REQUIRE_PROGRAMS") {
        Some(_) => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    }
}

/// Whether addresses can be the same in each run, which not every container allows.
fn can_fix_addresses() -> bool {
    let mut probe = Command::new("setarch");
    probe.args([env::consts::ARCH, "-R", "true"]).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// Runs this program once more, as gungraun's.
fn count() -> Result<Counts, Box<dyn Error>> {
    let aslr = if can_fix_addresses() { "--allow-aslr=no" } else { "--allow-aslr=yes" };
    let output = Command::new(env::current_exe()?)
        .args(["--bench", "--output-format=json", "--parallel=auto", aslr])
        .stderr(Stdio::piped())
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(Counts::read(&String::from_utf8(output.stdout)?)?)
}
