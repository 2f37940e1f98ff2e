//! To come in this very change.
