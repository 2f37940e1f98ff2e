//! How long everything takes.

pub(crate) struct Plan {
    pub(crate) compares: bool,
    pub(crate) mixes: bool,
    /// How often each server has its turn.
    pub(crate) rounds: usize,
    /// How long a turn is. wrk takes whole seconds alone.
    pub(crate) seconds: u64,
    /// A second for each before the rounds, which is not counted.
    pub(crate) warms_up: bool,
    pub(crate) mixed: Mixed,
    /// Too short for figures that are to be kept.
    pub(crate) quick: bool,
}

/// Seconds from the beginning of the mixed run.
#[derive(Clone, Copy)]
pub(crate) struct Mixed {
    pub(crate) seconds: u64,
    pub(crate) rotation: u64,
    pub(crate) outage: u64,
}

impl Plan {
    /// What is not for this bench is cargo's: it always says `--bench`.
    pub(crate) fn from_command_line() -> Self {
        let has = |flag: &str| std::env::args().any(|argument| argument == flag);
        let only = [has("--compare"), has("--mixed")];
        let plan = if has("--quick") { Self::quick() } else { Self::whole() };
        Self { compares: only[0] || !only[1], mixes: only[1] || !only[0], ..plan }
    }

    const fn whole() -> Self {
        let mixed = Mixed { seconds: 50, rotation: 12, outage: 25 };
        Self { rounds: 7, seconds: 2, mixed, warms_up: true, quick: false, ..Self::quick() }
    }

    const fn quick() -> Self {
        let mixed = Mixed { seconds: 12, rotation: 3, outage: 6 };
        Self {
            compares: true,
            mixes: true,
            rounds: 1,
            seconds: 1,
            warms_up: false,
            mixed,
            quick: true,
        }
    }
}
