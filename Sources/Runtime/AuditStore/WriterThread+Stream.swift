import AuditTrail
import LinuxBindings

/// What is kept beside each write to standard output, which cannot be read back.
///
/// `audit.chain` is written before the lines go out, marked as on its way, and again after. A daemon that is killed in between
/// does not know whether they went out: the next one goes on after them, and says that lines may be missing.
extension WriterThread {
    /// Says what is about to be written.
    func noteIntent() throws(AuditError) { try keepStream(isSettled: false) }

    /// Says that it was.
    func noteDone() throws(AuditError) { try keepStream(isSettled: true) }

    private func keepStream(isSettled: Bool) throws(AuditError) {
        guard let stream = writer.account.stream else { return }
        var kept = KeptChain(
            position: chain.position,
            checkpoint: signer?.lastCheckpoint ?? 0,
            file: writer.account.fileName
        )
        kept.isSettled = isSettled
        do throws(SystemCallError) {
            try writeBytes(stream.file, kept.text, at: 0)
        } catch {
            throw .noState(error)
        }
    }
}

/// The file of the chain's state, opened to be overwritten in place.
final class StreamState: Sendable {
    let file: OwnedDescriptor

    init(_ file: consuming OwnedDescriptor) { self.file = file }
}
