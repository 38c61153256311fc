import AuditStore
import EventLoops

extension Connection {
    /// How often it is looked whether records can be written again, in nanoseconds.
    private static let look: UInt64 = 100_000_000

    /// Waits while no record can be written; where that lasts too long, the connection will be refused.
    func waitForRecorder(_ worker: Worker, on loop: isolated EventLoop) async {
        isUnrecordable = false
        let deadline = loop.now + worker.settings.auditNanoseconds
        while !worker.audit.takesDecisions, cutting == nil {
            guard loop.now < deadline else {
                isUnrecordable = true
                return
            }
            await pause(Self.look, on: loop)
        }
    }

    /// Lets so many nanoseconds go by.
    func pause(_ nanoseconds: UInt64, on loop: isolated EventLoop) async {
        await withCheckedContinuation { continuation in
            _ = loop.schedule(afterNanoseconds: nanoseconds) { continuation.resume() }
        }
    }
}
