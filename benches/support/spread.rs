//! Numbers that look random and are the same in each run.

/// As evenly spread as a digest (splitmix64).
pub(crate) fn word(seed: u64) -> u64 {
    let state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Four such words.
pub(crate) fn digest(seed: u64) -> [u8; 32] {
    let mut digest = [0; 32];
    for (number, part) in (0..).zip(digest.chunks_exact_mut(8)) {
        part.copy_from_slice(&word(seed.wrapping_mul(4).wrapping_add(number)).to_le_bytes());
    }
    digest
}
