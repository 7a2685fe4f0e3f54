//! The sandbox.

pub mod faults;
pub mod requests;
pub mod server;
