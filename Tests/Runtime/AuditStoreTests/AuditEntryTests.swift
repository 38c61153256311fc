import AuditStore
import AuditTrail
import Testing

@Suite struct AuditEntryTests {
    @Test("a connection that is judged and finished leaves one decision and one end, with its own identifier")
    func finished() throws {
        let lines = try lines { writer in
            var entry = entry(writer)
            let ticket = entry.judged(AuditRecord(connection(1), at: 1))
            #expect(ticket == 1)
            entry.finish { AuditRecord(ConnectionEndRecord(id: $0, outcome: .closed), at: 2) }
        }
        #expect(lines.map(\.summary) == ["connection", "connection_end closed"])
        #expect(Set(lines.map(\.id)) == [RecordIdentifier(value: 1).description])
    }

    @Test("a connection that nobody judges is recorded as refused, with what was known of it")
    func neverJudged() throws {
        let lines = try lines { _ = entry($0) }
        #expect(lines.map(\.kind) == ["connection"])
        let record = try #require(lines.first?.object)
        let texts = ["decision", "treatment", "reason", "mode", "capture", "client"].map { record[$0] as? String }
        #expect(texts == ["deny", "refuse", "abandoned", "audit", "explicit", "192.0.2.1:5"])
        #expect((record["workload"] as? [String: Any])?["pod"] as? String == "p")
        #expect(record["policy_hash"] as? String == "sha256:x")
    }

    @Test("a connection that is finished without being judged leaves one refusal and no end")
    func finishedUnjudged() throws {
        let lines = try lines { writer in
            entry(writer).finish { AuditRecord(ConnectionEndRecord(id: $0, outcome: .closed), at: 2) }
        }
        #expect(lines.map { $0.object["reason"] as? String } == ["abandoned"])
    }

    @Test("an allowed connection that nobody finishes is abandoned")
    func neverFinished() throws {
        let lines = try lines { writer in
            var entry = entry(writer)
            _ = entry.judged(AuditRecord(connection(1), at: 1))
        }
        #expect(lines.map(\.summary) == ["connection", "connection_end abandoned"])
    }

    @Test("a refused connection leaves its decision alone, finished or not", arguments: [true, false])
    func refused(isFinished: Bool) throws {
        let lines = try lines { writer in
            var entry = entry(writer)
            _ = entry.judged(AuditRecord(connection(1, .deny), at: 1))
            if isFinished { entry.finish { AuditRecord(ConnectionEndRecord(id: $0, outcome: .closed), at: 2) } }
        }
        #expect(lines.map(\.kind) == ["connection"])
    }

    @Test("an allowed request that is finished leaves its end, and one that nobody finishes is abandoned")
    func requests() throws {
        let lines = try lines { writer in
            JudgedRequestEntry(judged: RecordIdentifier(value: 1), isAllowed: true, writer: writer).finish {
                AuditRecord(RequestEndRecord(id: $0, connection: nil, outcome: .closed), at: 2)
            }
            _ = JudgedRequestEntry(judged: RecordIdentifier(value: 2), isAllowed: true, writer: writer)
        }
        #expect(lines.map(\.summary) == ["request_end closed", "request_end abandoned"])
        #expect(lines.map(\.id) == [1, 2].map { RecordIdentifier(value: $0).description })
    }

    @Test("a refused request leaves no end, finished or not", arguments: [true, false])
    func refusedRequest(isFinished: Bool) throws {
        let lines = try lines { writer in
            let entry = JudgedRequestEntry(judged: RecordIdentifier(value: 1), isAllowed: false, writer: writer)
            if isFinished {
                entry.finish { AuditRecord(RequestEndRecord(id: $0, connection: nil, outcome: .closed), at: 2) }
            }
        }
        #expect(lines.isEmpty)
    }

    private func entry(_ writer: AuditWriter) -> AuditEntry {
        let circumstances = ConnectionCircumstances(
            RecordedPolicy(hash: "sha256:x", mode: .audit, generation: 3),
            WorkloadIdentity(namespace: nil, pod: "p", serviceAccount: nil, uid: nil)
        )
        let beginning = ConnectionBeginning(.explicit, client: "192.0.2.1:5", circumstances)
        return AuditEntry(RecordIdentifier(value: 1), beginning, writer: writer)
    }

    /// What an entry left in a file of its own, after the start.
    private func lines(_ connection: (AuditWriter) -> Void) throws -> [ReadLine] {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        connection(writer)
        #expect(writer.finish(timeout: .seconds(20)))
        return Array(try readChain(folder.content).dropFirst())
    }
}
