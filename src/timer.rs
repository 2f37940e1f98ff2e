//! Whether there is a timer here. Tokio's own functions panic where there is none.

use std::panic::catch_unwind;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

/// Whether something can be timed out: inside a Tokio runtime, and its timers are enabled.
///
/// Nothing in Tokio tells the second but the attempt.
pub(crate) fn is_there() -> bool {
    Handle::try_current().is_ok() && catch_unwind(|| drop(sleep(Duration::ZERO))).is_ok()
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn only_a_runtime_with_timers_has_them() {
        assert!(!is_there());
        let mut builder = Builder::new_current_thread();
        let without = builder.build().expect("a runtime");
        assert!(!without.block_on(async { is_there() }));
        let with = builder.enable_time().build().expect("a runtime");
        assert!(with.block_on(async { is_there() }));
    }
}
