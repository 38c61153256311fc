import AuditStore
import EventLoops
import Testing

@Suite("Who waits for a record")
struct AuditGateTests {
    @Test("is let go of once it was told, however long others wait behind it")
    func lettingGo() async throws {
        let isLetGo = try await withGate { writer, loop in try await isLetGoOnceTold(writer, on: loop) }
        #expect(isLetGo)
    }

    @Test("is told when that is written, also where others came before it with records behind its own")
    func order() async throws {
        let isWritten = try await withGate { writer, loop in try await isToldBeforeOthers(writer, on: loop) }
        #expect(isWritten)
    }

    private func withGate(_ body: (AuditWriter, EventLoop) async throws -> Bool) async throws -> Bool {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        let loop = try EventLoop(index: 0)
        try loop.start()
        let result = try await body(writer, loop)
        await loop.stop()
        #expect(writer.finish(timeout: .seconds(60)))
        return result
    }
}

private final class Party: AuditGateParty {
    private let told: (Bool) -> Void

    init(_ told: @escaping (Bool) -> Void) { self.told = told }

    func recordIsThrough(isWritten: Bool, on loop: isolated EventLoop) { told(isWritten) }
}

private func isLetGoOnceTold(_ writer: AuditWriter, on loop: isolated EventLoop) async throws -> Bool {
    let gate = try AuditGate(writer, patience: 60_000_000_000, on: loop)
    weak var first: Party?
    await withCheckedContinuation { continuation in
        let party = Party { _ in continuation.resume() }
        first = party
        gate.tell(party, of: writer.submit(connection(1)), on: loop)
        // This one is never written.
        gate.tell(Party { _ in }, of: .max, on: loop)
    }
    return withExtendedLifetime(gate) { first == nil }
}

private func isToldBeforeOthers(_ writer: AuditWriter, on loop: isolated EventLoop) async throws -> Bool {
    let gate = try AuditGate(writer, patience: 20_000_000_000, on: loop)
    gate.tell(Party { _ in }, of: .max, on: loop)
    let isWritten = await withCheckedContinuation { continuation in
        gate.tell(Party { continuation.resume(returning: $0) }, of: writer.submit(connection(1)), on: loop)
    }
    return withExtendedLifetime(gate) { isWritten }
}
