//! A bounded memory of things that expire.

use std::collections::HashMap;
use std::time::SystemTime;

/// What is past its time counts as absent, and makes room. What is not, never does: a flood of new
/// entries is refused instead of pushing good ones out.
pub(super) struct Expiring<V> {
    entries: HashMap<String, Entry<V>>,
    capacity: usize,
}

struct Entry<V> {
    value: V,
    expires_at: SystemTime,
}

/// There is no room for another.
#[derive(Debug)]
pub(super) struct Full;

impl<V> Expiring<V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity }
    }

    pub(super) fn insert(
        &mut self,
        name: String,
        value: V,
        expires_at: SystemTime,
        now: SystemTime,
    ) -> Result<(), Full> {
        if self.entries.len() >= self.capacity {
            self.sweep(now);
        }
        if self.entries.len() >= self.capacity {
            return Err(Full);
        }
        self.entries.insert(name, Entry { value, expires_at });
        Ok(())
    }

    pub(super) fn get(&self, name: &str, now: SystemTime) -> Option<&V> {
        let entry = self.entries.get(name).filter(|entry| now < entry.expires_at)?;
        Some(&entry.value)
    }

    pub(super) fn get_mut(&mut self, name: &str, now: SystemTime) -> Option<&mut V> {
        let entry = self.entries.get_mut(name).filter(|entry| now < entry.expires_at)?;
        Some(&mut entry.value)
    }

    pub(super) fn take(&mut self, name: &str, now: SystemTime) -> Option<V> {
        let entry = self.entries.remove(name).filter(|entry| now < entry.expires_at)?;
        Some(entry.value)
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// Forgets what is past its time, and tells which that was.
    pub(super) fn sweep(&mut self, now: SystemTime) -> Vec<String> {
        let past = self.entries.extract_if(|_, entry| entry.expires_at <= now);
        past.map(|(name, _)| name).collect()
    }

    /// Forgets those of which that is so, and tells which they were.
    pub(super) fn remove_where(&mut self, is: impl Fn(&V) -> bool) -> Vec<String> {
        let those = self.entries.extract_if(|_, entry| is(&entry.value));
        those.map(|(name, _)| name).collect()
    }
}
