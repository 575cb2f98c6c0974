//! Decodes what is range coded (Martin 1979), carryless after Subbotin, with 32 bits.

/// A stream of symbols, each coded with the counts that the decoder works out for itself.
pub struct Decoder<'a> {
    bytes: &'a [u8],
    low: u32,
    range: u32,
    code: u32,
}

impl<'a> Decoder<'a> {
    /// A decoder at the beginning of `bytes`. What lies beyond their end reads as zeros.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { bytes, low: 0, range: u32::MAX, code: 0 };
        for _ in 0..4 {
            decoder.code = decoder.code << 8 | decoder.byte();
        }
        decoder
    }

    fn byte(&mut self) -> u32 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        u32::from(*first)
    }

    /// The next symbol, below `counts.len()`; a symbol's share is its count, and all counts are at most 2¹⁶ together.
    pub fn next(&mut self, counts: &[u16]) -> usize {
        let total: u32 = counts.iter().map(|count| u32::from(*count)).sum();
        self.range /= total.max(1);
        let place = self.code.wrapping_sub(self.low) / self.range.max(1);
        let (mut symbol, mut below) = (0, 0);
        let mut count = u32::from(counts.first().copied().unwrap_or(1));
        for (i, next) in counts.iter().enumerate().skip(1) {
            if place < below + count {
                break;
            }
            below += count;
            (symbol, count) = (i, u32::from(*next));
        }
        self.low = self.low.wrapping_add(below.wrapping_mul(self.range));
        self.range = self.range.wrapping_mul(count);
        loop {
            if self.low ^ self.low.wrapping_add(self.range) >= 1 << 24 {
                if self.range >= 1 << 16 {
                    return symbol;
                }
                self.range = self.low.wrapping_neg() & 0xFFFF;
            }
            self.code = self.code << 8 | self.byte();
            self.low <<= 8;
            self.range <<= 8;
            // Damaged bytes can leave no range at all: there is nothing more to read then.
            if self.range == 0 {
                return symbol;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_give_symbols_and_end() {
        let mut rng = crate::rng::Rng::stream(1, "range coder");
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|_| rng.below(256) as u8).collect();
            let mut decoder = Decoder::new(&bytes);
            for i in 0..200 {
                let counts: Vec<u16> = (0..1 + i % 17).map(|_| 1 + rng.below(50) as u16).collect();
                assert!(decoder.next(&counts) < counts.len());
            }
        }
    }
}
