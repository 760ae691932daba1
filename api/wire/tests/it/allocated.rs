//! How much memory a thread asks for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, which counts what it is asked for.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(bytes: usize) {
    // A thread that ends has nothing to count with any more.
    let _ = BYTES.try_with(|known| known.set(known.get() + bytes as u64));
}

#[expect(unsafe_code, reason = "an allocator is; every call goes on to the system's unchanged")]
// SAFETY: the system's allocator answers each call as it stands.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count(bytes.saturating_sub(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.realloc(place, layout, bytes) }
    }
}

/// Bytes that the thread asks for while it does this.
pub(crate) fn by(doing: impl FnOnce()) -> u64 {
    let before = BYTES.get();
    doing();
    BYTES.get() - before
}
