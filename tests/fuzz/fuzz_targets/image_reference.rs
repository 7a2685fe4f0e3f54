#![no_main]
#[path = "../parsers.rs"]
#[allow(dead_code, reason = "one parser a target")]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::run("image_reference", bytes));
