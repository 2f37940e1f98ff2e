//! What came back in the mixed run: how many answers, by second, class, status and latency.

use std::error::Error;

use super::class::Class;
use crate::spread::Spread;

pub(crate) struct Series {
    noted: Vec<Noted>,
    /// Connections that broke, and answers that did not come in time.
    broken: u64,
}

/// So many answers of one kind.
#[derive(Clone, Copy)]
pub(crate) struct Noted {
    pub(crate) second: u64,
    pub(crate) class: Class,
    pub(crate) status: u64,
    /// Its logarithm, sixteen for each doubling of the microseconds.
    step: u64,
    pub(crate) count: u64,
}

impl Series {
    /// From what the script prints.
    pub(crate) fn read(output: &str) -> Result<Self, Box<dyn Error>> {
        let (mut noted, mut broken) = (Vec::new(), 0);
        for line in output.lines() {
            if let Some(figures) = line.strip_prefix("NOTED ") {
                noted.push(Noted::read(figures)?);
            } else if let Some(count) = line.strip_prefix("BROKEN ") {
                broken += count.parse::<u64>()?;
            }
        }
        Ok(Self { noted, broken })
    }

    pub(crate) fn of(&self, pick: impl Fn(&Noted) -> bool) -> Part {
        let mut picked: Vec<_> = self.noted.iter().copied().filter(pick).collect();
        picked.sort_by_key(|noted| noted.step);
        Part(picked)
    }

    /// The statuses that class was answered, each with its count.
    pub(crate) fn statuses(&self, class: Class) -> Vec<(u64, u64)> {
        let mut statuses: Vec<(u64, u64)> = Vec::new();
        for noted in self.noted.iter().filter(|noted| noted.class == class) {
            match statuses.iter_mut().find(|(status, _)| *status == noted.status) {
                Some((_, count)) => *count += noted.count,
                None => statuses.push((noted.status, noted.count)),
            }
        }
        statuses.sort_unstable();
        statuses
    }

    /// Every class was there, and every answer had the status that its class must have.
    pub(crate) fn verdict(&self) -> Result<(), Box<dyn Error>> {
        if self.broken > 0 {
            return Err(format!("{} connections broke or waited too long", self.broken).into());
        }
        for class in Class::ALL {
            match self.statuses(class).as_slice() {
                [(status, _)] if *status == class.status() => {}
                other => {
                    let (name, due) = (class.name(), class.status());
                    return Err(format!("{name}: {due} is due, and these came: {other:?}").into());
                }
            }
        }
        Ok(())
    }
}

impl Noted {
    fn read(figures: &str) -> Result<Self, Box<dyn Error>> {
        let figures: Vec<u64> = figures.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [second, class, status, step, count] = *figures.as_slice() else {
            return Err("the script prints something else".into());
        };
        let class = *Class::ALL.get(usize::try_from(class)?).ok_or("no such class")?;
        Ok(Self { second, class, status, step, count })
    }

    /// The longest latency in that step, in microseconds.
    fn latency(&self) -> f64 {
        let step = u32::try_from(self.step).map_or(f64::INFINITY, f64::from);
        ((step + 1.0) / 16.0).exp2()
    }
}

/// Answers from the fastest to the slowest.
pub(crate) struct Part(Vec<Noted>);

impl Part {
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|noted| noted.count).sum()
    }

    /// Each at most by a sixteenth of a doubling too high, which is 4.4 %.
    pub(crate) fn spread(&self) -> Spread {
        let [p50, p90, p99, p999, max] =
            [500, 900, 990, 999, 1000].map(|thousandths| self.latency(thousandths));
        Spread { p50, p90, p99, p999, max }
    }

    fn latency(&self, thousandths: u64) -> f64 {
        let wanted = (self.count() * thousandths).div_ceil(1000);
        let mut seen = 0;
        let found = self.0.iter().find(|noted| {
            seen += noted.count;
            seen >= wanted
        });
        found.map_or(0.0, Noted::latency)
    }
}
