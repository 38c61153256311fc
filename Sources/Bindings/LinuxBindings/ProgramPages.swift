import CLinux

/// Lets go of the pages of the program and of its libraries that nobody can have written to: code, and constants.
///
/// A start touches far more of them than what follows does. What is used again comes back from the kernel's page cache, which
/// costs less than a microsecond a page.
package func releaseProgramPages() { clinux_release_program_pages() }
