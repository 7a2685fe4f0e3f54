//! The time as one service of the sandbox believes it to be.
//!
//! Every service reads its clock through here, so that a test can put a single service into the past or the future
//! and see what the others, and the verifier, make of it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// A clock that can be shared and asked.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that answers what `now` answers.
    pub(crate) fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present, according to this clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
