import CLinux
import Glibc

/// The two streams that a program writes to.
package enum OutputStream: Int32, Sendable {
    case output = 1
    case errors = 2

    /// Whether what is written there is shown on a terminal.
    package var isTerminal: Bool { isatty(rawValue) == 1 }

    /// The columns of the terminal; nil where it is none, or does not say.
    package var columns: Int? {
        var size = winsize()
        guard unsafe clinux_window_size(rawValue, &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}

/// A variable of the environment; nil where it is not set, or holds no UTF-8.
///
/// Only executables ask for it.
package func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(validatingCString: value)
}
