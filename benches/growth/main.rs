//! Under construction on a branch.
fn main() {}
