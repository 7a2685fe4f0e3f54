//! signgate
fn main() {}
