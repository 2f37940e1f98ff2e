//! The files, the same for all users.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone)]
pub(super) struct Files(Arc<Mutex<BTreeMap<String, File>>>);

struct File {
    /// Nobody in particular, for the one that is there from the start.
    owner: Option<String>,
    text: String,
}

impl Default for Files {
    fn default() -> Self {
        let plan = File { owner: None, text: "World peace".to_owned() };
        Self(Arc::new(Mutex::new(BTreeMap::from([("plan.txt".to_owned(), plan)]))))
    }
}

/// As many as there may be, and the bytes of each.
const MOST: usize = 100;
const LONGEST: usize = 10_000;

impl Files {
    pub(super) fn names(&self) -> String {
        self.lock().keys().cloned().collect::<Vec<_>>().join(", ")
    }

    /// Whether there was room for it. Who writes over a file does not come to own it.
    pub(super) fn write(&self, owner: &str, name: String, text: String) -> bool {
        let mut files = self.lock();
        let fits = name.len() + text.len() <= LONGEST;
        let fits = fits && (files.len() < MOST || files.contains_key(&name));
        if fits {
            let new = || File { owner: Some(owner.to_owned()), text: String::new() };
            files.entry(name).or_insert_with(new).text = text;
        }
        fits
    }

    pub(super) fn is_there(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    pub(super) fn is_owned_by(&self, user: &str, name: &str) -> bool {
        self.lock().get(name).and_then(|file| file.owner.as_deref()) == Some(user)
    }

    /// What stood in it, if it was there.
    pub(super) fn delete(&self, name: &str) -> Option<String> {
        self.lock().remove(name).map(|file| file.text)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
