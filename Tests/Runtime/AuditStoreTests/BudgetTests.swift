import AuditStore
import AuditTrail
import Foundation
import Testing

@Suite struct BudgetTests {
    private func settings(bytes: Int, rotation: Int = 50_000) -> AuditStoreSettings {
        AuditStoreSettings(
            rotation: AuditStoreSettings.Rotation(bytes: rotation, microseconds: .max),
            budget: AuditStoreSettings.Budget(bytes: bytes, margin: 100_000)
        )
    }

    @Test("at the budget nothing new is let through, refusals are told of for a while, and every end is written")
    func atTheBudget() throws {
        let folder = try AuditFolder()
        // One file, so that nothing is compressed meanwhile.
        let writer = try folder.writer(store: settings(bytes: 1_000_000, rotation: 1 << 30))
        #expect(eventually { writer.takesDecisions })
        var number = 0
        var open: [Int] = []
        while writer.takesDecisions, number < 20_000 {
            number += 1
            let isAllowed = number % 10 == 0
            let ticket = writer.submit(connection(number, isAllowed ? .allow : .deny))
            if isAllowed { open.append(number) }
            let isWritten = eventually { writer.writtenThrough >= ticket }
            #expect(isWritten)
        }
        guard case .overBudget(let used, 1_000_000, let takesRefusals) = writer.state else {
            Issue.record("\(writer.state)")
            return
        }
        #expect(used < 1_000_000 && takesRefusals)
        #expect(writer.hasRoom(backlog: 1000))
        while writer.hasRoom(backlog: 1000), number < 30_000 {
            number += 1
            let ticket = writer.submit(connection(number, .deny))
            let isWritten = eventually { writer.writtenThrough >= ticket }
            #expect(isWritten)
        }
        #expect(!writer.hasRoom(backlog: 1000))
        #expect(!open.isEmpty)
        let text = String(repeating: "\u{1F600}", count: 500)
        for number in open {
            let end = ConnectionEndRecord(
                id: RecordIdentifier(value: UInt128(number)),
                outcome: .cut,
                closedBy: .ours,
                reason: text,
                rule: text,
                bytesUp: .max,
                bytesDown: .max,
                durationMilliseconds: .max,
                connectMilliseconds: .max,
                dialled: text,
                detail: text
            )
            writer.submit(end)
        }
        #expect(eventually { writer.backlog.records == 0 })
        #expect(writer.finish(timeout: .seconds(20)))
        let bytes = try folder.names.map { try folder.size($0) }.reduce(0, +)
        #expect(bytes < 1_000_000, "\(bytes)")
        #expect(try readChain(folder.wholeTrail()).filter { $0.outcome == "cut" }.count == open.count)
    }

    @Test("when somebody takes segments away, traffic goes on by itself")
    func recovers() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: settings(bytes: 150_000))
        #expect(eventually { writer.takesDecisions })
        var number = 0
        while writer.takesDecisions, number < 2000 {
            number += 1
            let ticket = writer.submit(connection(number, .deny))
            let isWritten = eventually { writer.writtenThrough >= ticket }
            #expect(isWritten)
        }
        #expect(!writer.takesDecisions)
        // Compressing makes room as well.
        #expect(eventually { writer.takesDecisions || folder.segments.allSatisfy(\.isCompressed) })
        for segment in folder.segments { try? FileManager.default.removeItem(atPath: "\(folder.path)/\(segment.text)") }
        #expect(eventually { writer.takesDecisions })
        #expect(writer.finish(timeout: .seconds(20)))
    }

    @Test("the longest end of a connection fits what is set aside for it")
    func longestEnd() {
        let text = String(repeating: "\u{1F600}", count: 5000)
        let end = ConnectionEndRecord(
            id: RecordIdentifier(value: .max),
            outcome: .auditUnavailable,
            closedBy: .upstream,
            reason: text,
            rule: text,
            bytesUp: .max,
            bytesDown: .max,
            durationMilliseconds: .max,
            connectMilliseconds: .max,
            dialled: text,
            detail: text
        )
        var line: [UInt8] = []
        line.append(lineOf: AuditRecord(end, at: 0), sequence: .max, previous: [UInt8](repeating: 48, count: 64))
        #expect(line.count < RecordLimits.endBytes)
    }
}
