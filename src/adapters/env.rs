//! The process environment, read once.

use crate::ci::Env;

/// The environment of this process. Variables that are not Unicode are left out: none of ours is.
pub fn read() -> Env {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
