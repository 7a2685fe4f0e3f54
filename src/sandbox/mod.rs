//! The sandbox.

pub mod faults;
pub mod image;
pub mod registry;
pub mod requests;
pub mod server;
