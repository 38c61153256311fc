import AuditStore
import AuditTrail
import Testing

@Suite struct AuditEntryTests {
    @Test("a connection that is judged and finished leaves one decision and one end, with its own identifier")
    func finished() throws {
        let lines = try lines { writer in
            var entry = AuditEntry(connection(1, .deny), writer: writer)
            let ticket = entry.judged(connection(99))
            #expect(ticket == 1)
            entry.finish(end(98))
        }
        #expect(lines.map(\.summary) == ["connection", "connection_end closed"])
        #expect(Set(lines.map(\.id)) == [RecordIdentifier(value: 1).description])
    }

    @Test("a connection that nobody judges is recorded as refused, with what was known of it")
    func neverJudged() throws {
        let lines = try lines { writer in
            var entry = AuditEntry(connection(1), writer: writer)
            entry.facts?.sni = "learnt.example"
        }
        #expect(lines.map(\.kind) == ["connection"])
        #expect(lines.first?.object["decision"] as? String == "deny")
        #expect(lines.first?.object["treatment"] as? String == "refuse")
        #expect(lines.first?.object["reason"] as? String == "abandoned")
        #expect(lines.first?.object["sni"] as? String == "learnt.example")
    }

    @Test("a connection that is finished without being judged leaves one refusal and no end")
    func finishedUnjudged() throws {
        let lines = try lines { AuditEntry(connection(1), writer: $0).finish(end(1)) }
        #expect(lines.map { $0.object["reason"] as? String } == ["abandoned"])
    }

    @Test("an allowed connection that nobody finishes is abandoned")
    func neverFinished() throws {
        let lines = try lines { writer in
            var entry = AuditEntry(connection(1), writer: writer)
            _ = entry.judged(connection(1))
        }
        #expect(lines.map(\.summary) == ["connection", "connection_end abandoned"])
    }

    @Test("a refused connection leaves its decision alone, finished or not", arguments: [true, false])
    func refused(isFinished: Bool) throws {
        let lines = try lines { writer in
            var entry = AuditEntry(connection(1), writer: writer)
            _ = entry.judged(connection(1, .deny))
            if isFinished { entry.finish(end(1)) }
        }
        #expect(lines.map(\.kind) == ["connection"])
    }

    @Test("a request that is judged and finished leaves one decision and one end, with its own identifier")
    func finishedRequest() throws {
        let lines = try lines { writer in
            var entry = RequestEntry(request(1, .deny), writer: writer)
            _ = entry.judged(request(99))
            entry.finish(requestEnd(98))
        }
        #expect(lines.map(\.summary) == ["request", "request_end closed"])
        #expect(Set(lines.map(\.id)) == [RecordIdentifier(value: 1).description])
    }

    @Test("a request that nobody judges is recorded as refused, and an allowed one that nobody finishes as abandoned")
    func abandonedRequest() throws {
        let lines = try lines { writer in
            _ = RequestEntry(request(1), writer: writer)
            var entry = RequestEntry(request(2), writer: writer)
            _ = entry.judged(request(2))
        }
        #expect(lines.map(\.summary) == ["request", "request", "request_end abandoned"])
        #expect(lines.first?.object["decision"] as? String == "deny")
        #expect(lines.first?.object["treatment"] as? String == "refuse")
        #expect(lines.first?.object["reason"] as? String == "abandoned")
    }

    @Test("a refused request leaves its decision alone, finished or not", arguments: [true, false])
    func refusedRequest(isFinished: Bool) throws {
        let lines = try lines { writer in
            var entry = RequestEntry(request(1), writer: writer)
            _ = entry.judged(request(1, .deny))
            if isFinished { entry.finish(requestEnd(1)) }
        }
        #expect(lines.map(\.kind) == ["request"])
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
