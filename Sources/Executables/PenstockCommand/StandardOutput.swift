import LinuxBindings

/// Writes text to standard output whole; ends the program with 73, and says why, where it does not take all of it.
///
/// A reader that has gone, as `head` goes once it has enough, misses nothing: then what is still to come is dropped, and
/// the command ends with the status that it has anyway.
/// - Returns: Whether somebody may still be reading.
@discardableResult
func deliver(_ text: String) -> Bool {
    do throws(SystemCallError) {
        try deliverToStandardOutput(text)
        return true
    } catch {
        guard !error.isReaderGone else { return false }
        say("\(unwritten(error)); what was written to it is not whole")
        exitProcess(ExitCode.unwritable.rawValue)
    }
}

/// Writes bytes to standard output whole, and nothing afterwards.
///
/// - Throws: exit code 73 where it does not take all of them, unless its reader has gone.
func writeToOutput(_ bytes: [UInt8]) throws(Complaint) {
    let output = OwnedDescriptor(adopting: 1)
    do throws(SystemCallError) {
        try writeAll(bytes, to: output)
    } catch {
        guard !error.isReaderGone else { return }
        throw Complaint(unwritten(error), .unwritable)
    }
}

private func unwritten(_ error: SystemCallError) -> String { "cannot write to standard output: \(error)" }
