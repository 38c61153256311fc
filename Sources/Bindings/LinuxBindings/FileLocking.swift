import CLinux
import Glibc

/// Takes the file for this opening of it alone, until the descriptor is closed; false where somebody else has it.
///
/// The lock is advisory (flock(2)): it keeps out who asks for it. A child process shares it with its descriptor until it
/// runs a program of its own, so that closing alone may leave it for a moment: `unlock` does not.
package func lockExclusively(_ file: borrowing OwnedDescriptor) throws(SystemCallError) -> Bool {
    let number = file.number
    switch try nonblockingCall("flock", { flock(number, LOCK_EX | LOCK_NB) }) {
    case .done: return true
    case .wouldBlock: return false
    }
}

/// Lets somebody else take the file, at once.
package func unlock(_ file: borrowing OwnedDescriptor) {
    _ = flock(file.number, LOCK_UN)
}
