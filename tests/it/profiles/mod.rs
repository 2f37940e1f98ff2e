//! Presets for the authorization servers people run, against tokens of their shape.

mod audiences;
mod fixture;
mod kinds;
mod mapper;
mod presets;

pub(crate) use fixture::{Fixture, fixtures};
