//! How a program ends whose command line asks for nothing else, or for nothing that there is.

use std::process::ExitCode;

/// What was parsed; or how to end, after the usage that was asked for or a line that says why.
pub(crate) fn unless_parsed<T>(
    parsed: Result<Option<T>, lexopt::Error>,
    usage: &str,
) -> Result<T, ExitCode> {
    match parsed {
        Ok(Some(options)) => Ok(options),
        Ok(None) => {
            println!("{usage}");
            Err(ExitCode::SUCCESS)
        }
        Err(error) => Err(fail(&error.to_string())),
    }
}

/// One line on standard error, and the status of a bad command line.
pub(crate) fn fail(message: &str) -> ExitCode {
    eprintln!("error: {}", message.replace("\n  - ", " - ").replace('\n', " "));
    ExitCode::from(2)
}
