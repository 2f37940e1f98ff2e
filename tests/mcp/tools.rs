//! Scopes per tool.
