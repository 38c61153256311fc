import EventLoops
import Glibc
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import TLSInterception
import Testing

/// What a cipher has written and its socket has not taken: nobody may spin on it, and nobody may forget it.
@Suite("Octets of TLS that a socket does not take")
struct UnsentOctetsTests {
    @Test("a socket with such octets cannot be written, whoever waits sleeps until it takes them, and all arrive")
    func waiting() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let seen = try await fillAndDrain(on: loop)
        #expect(seen == ["not writable", "timedOut", "ready", "flushed", "whole"])
        await loop.stop()
    }
}

private struct NoSocket: Error {}

private func fillAndDrain(on loop: isolated EventLoop) async throws -> [String] {
    let authority = try TestAuthority()
    let pair = try TLSPair(authority, serving: try TLSServerContext())
    guard pair.shakeHands() == (.done, .done) else { throw NoSocket() }
    let socket = StreamSocket(OwnedDescriptor(adopting: pair.takeClientEnd()))
    socket.cipher = TLSCipher(pair.client)
    try socket.attach(to: loop)
    defer { socket.detach(from: loop) }
    let octets = [UInt8](repeating: 7, count: 4_000_000)
    var sent = 0
    while socket.isFlushed, sent < octets.count {
        guard case .done(let count) = try socket.send(octets[sent...]) else { break }
        sent += count
    }
    var seen = [socket.isWritable ? "writable" : "not writable"]
    // The first edge may be there already: it is of the socket as it was when it was attached.
    _ = await socket.wait(for: .writing, until: loop.now &+ 20_000_000, on: loop)
    socket.noteUnsent()
    seen.append("\(await socket.wait(for: .writing, until: loop.now &+ 50_000_000, on: loop))")
    var received = 0
    while let piece = try pair.server.receive() { received += piece.count }
    seen.append("\(await socket.wait(for: .writing, until: loop.now &+ 5_000_000_000, on: loop))")
    seen.append(socket.isFlushed ? "flushed" : "unsent")
    while let piece = try pair.server.receive() { received += piece.count }
    seen.append(received == sent ? "whole" : "\(received) of \(sent)")
    return seen
}
