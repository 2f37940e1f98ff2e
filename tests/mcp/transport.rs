//! Origin, protocol version, sessions.
