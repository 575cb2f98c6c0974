#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tealight_fuzz::entries::link(bytes);
});
