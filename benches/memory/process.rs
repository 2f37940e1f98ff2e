//! What the operating system says of this process, and processes of this program.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use crate::states::State;

/// A look at the memory of a process, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// The most that was resident so far.
    pub(crate) most: u64,
    /// What was allocated and not freed since the first look. What the allocator keeps of freed
    /// memory is resident and not in here.
    pub(crate) in_use: i64,
}

/// One line of what a child tells: how far it has come, and its memory there.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) memory: Memory,
    /// How many entries are remembered there.
    pub(crate) entries: u64,
    /// What an entry is meant to take.
    pub(crate) budget: u64,
}

impl Memory {
    fn of_this_process() -> Self {
        let in_use = IN_USE.load(Ordering::Relaxed);
        let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
            kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a number of kB") * 1024
        };
        Self { resident: field("VmRSS:"), most: field("VmHWM:"), in_use }
    }
}

static IN_USE: AtomicI64 = AtomicI64::new(0);

/// Keeps count of what is allocated and freed meanwhile, by this thread.
pub(crate) fn counting(act: impl FnOnce()) {
    let counted = allocation_counter::measure(act);
    IN_USE.fetch_add(counted.bytes_current, Ordering::Relaxed);
}

/// Tells the parent how far this process has come.
pub(crate) fn tell(name: &str, entries: u64, budget: u64) {
    let Memory { resident, most, in_use } = Memory::of_this_process();
    println!("{name}\t{resident}\t{most}\t{in_use}\t{entries}\t{budget}");
}

/// Reaches the state in a fresh process, and returns what it tells.
pub(crate) fn run(state: State, quick: bool) -> Vec<Step> {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.args(["--state", state.name()]).args(quick.then_some("--quick"));
    let output = command.stderr(Stdio::inherit()).output().expect("it can be started again");
    assert!(output.status.success(), "{} failed", state.name());
    let text = String::from_utf8(output.stdout).expect("its own lines are text");
    text.lines().map(read).collect()
}

fn read(line: &str) -> Step {
    let mut fields = line.split('\t');
    let name = fields.next().unwrap_or_default().to_owned();
    let mut number = || fields.next().and_then(|field| field.parse::<i64>().ok());
    let mut next = || number().expect("a number");
    let [resident, most, in_use, entries, budget] = [next(), next(), next(), next(), next()];
    let memory = Memory { resident: resident as u64, most: most as u64, in_use };
    Step { name, memory, entries: entries as u64, budget: budget as u64 }
}
