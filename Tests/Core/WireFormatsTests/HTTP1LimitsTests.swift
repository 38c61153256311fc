import Testing
import WireFormats

@Suite("The limits of HTTP/1 messages")
struct HTTP1LimitsTests {
    private static let head = "POST /abc HTTP/1.1\r\nHost: a.com\r\nX: y\r\n\r\n"

    @Test("a head may take up each limit and not one more (B08)")
    func heads() throws {
        let bytes = Array(Self.head.utf8)
        let line = "POST /abc HTTP/1.1\r\n".utf8.count
        let cases: [(WritableKeyPath<HTTP1Limits, Int>, Int, HTTP1Violation)] = [
            (\.headBytes, bytes.count, .headTooLong), (\.startLineBytes, line, .startLineTooLong),
            (\.methodBytes, 4, .methodTooLong), (\.fields, 2, .fieldsTooMany),
        ]
        for (limit, most, violation) in cases {
            var limits = HTTP1Limits()
            limits[keyPath: limit] = most
            #expect(try readRequest(bytes, limits: limits).get() != nil, "\(violation)")
            #expect(try readRequest(bytes + [0], limits: limits).get() != nil, "\(violation)")
            limits[keyPath: limit] = most - 1
            for ends in splits(bytes.count) + [[]] {
                #expect(readRequest(bytes, ends: ends, limits: limits) == .failure(violation), "\(ends)")
            }
        }
    }

    @Test("the limits hold for responses, too (B08)")
    func responses() throws {
        let bytes = Array("HTTP/1.1 200 OK\r\nX: y\r\n\r\n".utf8)
        let cases: [(WritableKeyPath<HTTP1Limits, Int>, Int, HTTP1Violation)] = [
            (\.headBytes, bytes.count, .headTooLong), (\.startLineBytes, 17, .startLineTooLong),
            (\.fields, 1, .fieldsTooMany),
        ]
        for (limit, most, violation) in cases {
            var limits = HTTP1Limits()
            limits[keyPath: limit] = most
            #expect(try readResponse(bytes, limits: limits).get() != nil, "\(violation)")
            limits[keyPath: limit] = most - 1
            for ends in splits(bytes.count) + [[]] {
                #expect(readResponse(bytes, ends: ends, limits: limits) == .failure(violation), "\(ends)")
            }
        }
    }

    @Test("a head that never ends is refused at the limit, and one octet before it is not (B08)")
    func endless() throws {
        var limits = HTTP1Limits()
        limits.headBytes = 200
        limits.startLineBytes = 100
        let line = Array(repeating: UInt8(ascii: "a"), count: 300)
        let start = Array("GET /".utf8) + line
        #expect(try readRequest(Array(start[..<99]), limits: limits).get() == nil)
        #expect(readRequest(Array(start[..<100]), limits: limits) == .failure(.startLineTooLong))
        let field = Array("GET / HTTP/1.1\r\nX: ".utf8) + line
        #expect(try readRequest(Array(field[..<199]), limits: limits).get() == nil)
        #expect(readRequest(Array(field[..<200]), limits: limits) == .failure(.headTooLong))
        for ends in splits(field.count) {
            #expect(readRequest(field, ends: ends, limits: limits) == .failure(.headTooLong))
        }
    }

    @Test("the members of Connection are counted over all its fields (B08)")
    func connectionOptions() throws {
        var limits = HTTP1Limits()
        limits.connectionOptions = 3
        let head = "GET / HTTP/1.1\r\nHost: a.com\r\nConnection: a, close\r\nConnection: b"
        #expect(try readRequest(head + "\r\n\r\n", limits: limits).get() != nil)
        #expect(readRequest(head + ", c\r\n\r\n", limits: limits) == .failure(.connectionOptionsTooMany))
    }

    @Test("a chunk's line and trailers may take up their limits and not one octet more (B08)")
    func bodies() {
        let bytes = Array("0;ext\r\nX: y\r\nZ: a\r\n\r\n".utf8)
        let cases: [(WritableKeyPath<HTTP1Limits, Int>, Int, HTTP1Violation)] = [
            (\.chunkLineBytes, 7, .chunkLineTooLong), (\.trailerBytes, 14, .trailersTooLong),
            (\.trailerFields, 2, .trailersTooMany),
        ]
        for (limit, most, violation) in cases {
            var limits = HTTP1Limits()
            limits[keyPath: limit] = most
            #expect(readBody(bytes, limits: limits).isComplete, "\(violation)")
            #expect(readBody(bytes + [0, 0], limits: limits).isComplete, "\(violation)")
            limits[keyPath: limit] = most - 1
            for ends in splits(bytes.count) + [[]] {
                #expect(readBody(bytes, ends: ends, limits: limits).violation == violation, "\(ends)")
            }
        }
    }

    @Test("a long head that comes octet by octet is read in time that grows with its length (B08)")
    func linearTime() throws {
        var text = "GET /\(String(repeating: "a", count: 16000)) HTTP/1.1\r\nHost: a.com\r\n"
        for _ in 0..<4 { text += "X: \(String(repeating: "b", count: 12000))\r\n" }
        let bytes = Array((text + "\r\n").utf8)
        let clock = ContinuousClock()
        var result = readRequest(bytes)
        let took = clock.measure { result = readRequest(bytes, ends: 1..<bytes.count) }
        #expect(try result.get() != nil)
        // Read anew at each octet it would take 2 billion steps; the bound leaves a slow machine its time.
        #expect(took < .seconds(20))
    }
}
