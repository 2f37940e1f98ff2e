//! What tools raise, by revision.
