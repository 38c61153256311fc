import CLinux

/// Gives memory that was freed back to the kernel, which the C library keeps for later: some milliseconds where there is much.
package func trimMemory() {
    _ = clinux_trim_memory()
}
