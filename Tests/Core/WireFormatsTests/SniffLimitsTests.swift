import Testing
import WireFormats

@Suite("The limits of sniffing")
struct SniffLimitsTests {
    @Test("a hello may take up the limit and not one octet more (B05)", arguments: [16384, 1000, 1])
    func helloBytes(recordLength: Int) {
        var builder = HelloBuilder(extensions: [(21, [UInt8](repeating: 0, count: 3000))])
        builder.recordLength = recordLength
        let bytes = builder.bytes
        var limits = SniffLimits()
        limits.helloBytes = bytes.count
        #expect(reading(bytes, limits: limits).hello != nil)
        limits.helloBytes -= 1
        #expect(reading(bytes, limits: limits) == .malformed(.helloTooLong))
    }

    @Test("a hello that says it is too long is refused by its first nine octets (B05)")
    func announced() {
        let bytes: [UInt8] = [22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff]
        #expect(reading(bytes) == .malformed(.helloTooLong))
        #expect(reading(Array(bytes.dropLast())).isUndecided)
    }

    @Test("a hello of more than one full record is read (B05)")
    func largeHello() {
        let padding = [UInt8](repeating: 0, count: 40000)
        #expect(reading(HelloBuilder(extensions: [(21, padding)]).bytes).hello != nil)
    }

    @Test("extensions and protocol names are counted")
    func counts() {
        var limits = SniffLimits()
        limits.helloExtensions = 3
        limits.protocolNames = 2
        let extensions = (100..<103).map { (type: UInt16($0), content: [UInt8]()) }
        #expect(reading(HelloBuilder(extensions: extensions).bytes, limits: limits).hello != nil)
        let more = HelloBuilder(extensions: extensions + [(103, [])])
        #expect(reading(more.bytes, limits: limits) == .malformed(.extensionsTooMany))
        let two = HelloBuilder(extensions: [(16, vector16([1, 97, 1, 98]))])
        #expect(reading(two.bytes, limits: limits).hello != nil)
        let three = HelloBuilder(extensions: [(16, vector16([1, 97, 1, 98, 1, 99]))])
        #expect(reading(three.bytes, limits: limits) == .malformed(.protocolNamesTooMany))
    }

    @Test("a head may take up the limit and not one octet more")
    func headBytes() {
        let head = "GET / HTTP/1.1\r\nHost: a.com\r\n\r\n"
        var limits = SniffLimits()
        limits.headBytes = head.utf8.count
        #expect(reading(head, limits: limits) != .malformed(.headTooLong))
        #expect(reading(head + "body", limits: limits) != .malformed(.headTooLong))
        limits.headBytes -= 1
        #expect(reading(head, limits: limits) == .malformed(.headTooLong))
        #expect(reading(String(head.dropLast(2)), limits: limits).isUndecided)
    }

    @Test("header fields, letters of a method and empty lines are counted")
    func headCounts() {
        var limits = SniffLimits()
        limits.headFields = 2
        limits.methodBytes = 4
        limits.leadingBytes = 2
        let head = "GET / HTTP/1.1\r\nHost: a.com\r\nA: b\r\n"
        #expect(reading(head + "\r\n", limits: limits) != .malformed(.fieldsTooMany))
        #expect(reading(head + "B: c\r\n\r\n", limits: limits) == .malformed(.fieldsTooMany))
        #expect(reading("ABCD /", limits: limits).isUndecided)
        #expect(reading("ABCDE /", limits: limits) == .malformed(.requestLine))
        #expect(reading("\r\n", limits: limits).isUndecided)
        #expect(reading("\r\n\r", limits: limits) == .malformed(.leadingEmptyLine))
    }
}
