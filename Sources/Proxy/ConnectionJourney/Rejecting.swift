import ByteRelay
import EventLoops
import LinuxBindings
import WireFormats

extension Connection {
    /// Refuses: a TLS client gets the alert access_denied (RFC 8446, section 6.2), every other a reset.
    func reject(_ worker: Worker, on loop: isolated EventLoop) async {
        guard case .tls(let hello) = sniffed, await sendAlert(TLSAlert.accessDenied(answering: hello), worker, on: loop)
        else {
            resetOnClose(client.descriptor)
            return
        }
    }

    /// Sends the alert and lets the client take it: closing with unread bytes would reset the connection and lose it.
    private func sendAlert(_ alert: [UInt8], _ worker: Worker, on loop: isolated EventLoop) async -> Bool {
        guard case .done(alert.count)? = try? sendBytes(alert, to: client.descriptor),
            (try? shutdownSending(client.descriptor)) != nil
        else { return false }
        let deadline = loop.now + 1_000_000_000
        var tolerated = 256 * 1024
        while tolerated > 0 {
            guard await client.wait(for: .reading, until: deadline, on: loop) == .ready,
                let completion = try? worker.means.buffer.receive(from: client.descriptor)
            else { return false }
            switch completion {
            case .wouldBlock: client.isReadable = false
            case .done(0): return true
            case .done(let count): tolerated -= count
            }
        }
        return false
    }
}
