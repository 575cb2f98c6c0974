//! Working memory that is used again and again, step after step.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// The most buffers that wait to be used again.
const MOST: usize = 64;
/// The most values of one that waits.
const LARGEST: usize = 1 << 20;

thread_local! {
    static POOL: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Working memory of any content, which goes back to the pool.
#[derive(Debug)]
pub(super) struct Scratch {
    buffer: Vec<f32>,
    length: usize,
}

impl Scratch {
    /// The smallest buffer that is large enough and not far too large: nothing has to be cleared.
    pub(super) fn of(length: usize) -> Self {
        let found = POOL.with_borrow_mut(|pool| {
            let fitting =
                pool.iter().enumerate().filter(|(_, buffer)| (length..=2 * length).contains(&buffer.len()));
            let (best, _) = fitting.min_by_key(|(_, buffer)| buffer.len())?;
            Some(pool.swap_remove(best))
        });
        Self { buffer: found.unwrap_or_else(|| vec![0.0; length]), length }
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.buffer.get(..self.length).unwrap_or_default()
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.buffer.get_mut(..self.length).unwrap_or_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        // A thread that ends has no pool any more.
        let _ = POOL.try_with(|pool| {
            if let Ok(mut pool) = pool.try_borrow_mut()
                && pool.len() < MOST
                && buffer.len() <= LARGEST
            {
                pool.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_its_pool_is_bounded() {
        let first = Scratch::of(1000);
        let at = first.as_ptr();
        drop(first);
        let again = Scratch::of(600);
        assert_eq!((again.as_ptr(), again.len()), (at, 600));
        assert_ne!(Scratch::of(400).as_ptr(), at);
        drop((0..2 * MOST).map(|_| Scratch::of(10)).collect::<Vec<_>>());
        drop(Scratch::of(LARGEST + 1));
        POOL.with_borrow(|pool| {
            assert_eq!(pool.len(), MOST);
            assert!(pool.iter().all(|buffer| buffer.len() <= LARGEST));
        });
        assert_eq!(Scratch::of(0).len(), 0);
    }
}
