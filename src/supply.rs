//! Files that belong to the program and that it can be built without: whoever runs it then provides those that it
//! comes to need, so that a download holds nothing that most do not use.
//!
//! With the feature `supplies`, which is on unless told, they are part of the program.

use std::sync::OnceLock;

use crate::error::{Error, Result};

/// One of these files.
pub struct Supply {
    /// Its name.
    pub name: &'static str,
    length: usize,
    digest: u64,
    embedded: Option<&'static [u8]>,
    provided: OnceLock<Vec<u8>>,
}

impl Supply {
    /// The file of this name with these contents, which only a program with the feature holds.
    pub const fn new(name: &'static str, bytes: &'static [u8]) -> Self {
        let mut file = Self::outside(name, bytes);
        if cfg!(feature = "supplies") {
            file.embedded = Some(bytes);
        }
        file
    }

    /// The file of this name with these contents, whose length and digest alone stay in the program.
    const fn outside(name: &'static str, bytes: &[u8]) -> Self {
        Self { name, length: bytes.len(), digest: digest(bytes), embedded: None, provided: OnceLock::new() }
    }

    /// How many bytes it has.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Its contents.
    ///
    /// # Errors
    /// [`Error::Missing`] where it is not part of the program and nobody has provided it.
    pub fn bytes(&self) -> Result<&[u8]> {
        self.embedded
            .or_else(|| self.provided.get().map(Vec::as_slice))
            .ok_or(Error::Missing { file: self.name })
    }

    /// Takes its contents. Twice does no harm: they can only be the same.
    ///
    /// # Errors
    /// Bytes that are not those that the program was built for.
    pub fn provide(&self, bytes: &[u8]) -> Result<()> {
        let Self { name, length, .. } = self;
        if bytes.len() != *length {
            let got = bytes.len();
            return Err(Error::File(format!(
                "\"{name}\" has {got} bytes; that of this version has {length}"
            )));
        }
        if digest(bytes) != self.digest {
            return Err(Error::File(format!("\"{name}\" is damaged, or that of another version")));
        }
        self.provided.get_or_init(|| bytes.to_vec());
        Ok(())
    }
}

/// FNV-1a with 64 bits: against damage, not against malice, which could change the program as well.
///
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
const fn digest(mut bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    while let [first, rest @ ..] = bytes {
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_reference() {
        // The test vectors of the page above.
        assert_eq!(digest(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(digest(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn what_is_not_there_is_named_until_the_right_bytes_are_provided() {
        let file = Supply::outside("some.bin", b"contents");
        let missing = file.bytes().unwrap_err();
        assert!(matches!(missing, Error::Missing { file: "some.bin" }));
        assert!(missing.to_string().contains("provide(\"some.bin\""), "{missing}");
        for (bytes, part) in
            [(&b""[..], "has 0 bytes"), (b"content", "has 7 bytes"), (b"contentz", "damaged")]
        {
            let refused = file.provide(bytes).unwrap_err().to_string();
            assert!(refused.contains(part) && refused.contains("some.bin"), "{refused}");
            assert!(file.bytes().is_err());
        }
        file.provide(b"contents").unwrap();
        file.provide(b"contents").unwrap();
        assert!(file.provide(b"contentz").is_err());
        assert_eq!(file.bytes().unwrap(), b"contents");
    }
}
