import Testing

@testable import WireFormats

@Suite("The headers of a TCP segment")
struct SegmentHeadersTests {
    /// Ports 0x61a8 and 0x3e08, sequence number 1, this acknowledgement number, the rest of a SYN, and this urgent pointer.
    private static let tcp: [UInt8] =
        [0x61, 0xa9, 0x3e, 0x08, 0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 0x50, 0x02, 0xff, 0xff, 0, 0, 0x61, 0xa8]

    private static func ipv4(words: UInt8 = 5, protocol kind: UInt8 = 6) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: Int(words) * 4)
        header[0] = 0x40 | words
        header[9] = kind
        return header
    }

    private static func ipv6(next: UInt8) -> [UInt8] {
        [0x60, 0, 0, 0, 0, 20, next, 64] + [UInt8](repeating: 0, count: 32)
    }

    @Test(
        "the note is found behind options and extension headers",
        arguments: [
            ipv4(), ipv4(words: 15), ipv6(next: 6), ipv6(next: 43) + [6, 2] + [UInt8](repeating: 0, count: 22),
            ipv6(next: 0) + [60, 0, 0, 0, 0, 0, 0, 0] + [6, 0, 0, 0, 0, 0, 0, 0],
        ]
    ) func found(network: [UInt8]) {
        let headers = network + Self.tcp
        let note = OriginNote(ofSegment: headers.span)
        #expect(note?.userHash == 0x1234_5678 && note?.port == 0x61a8)
        for count in 0..<headers.count {
            let shorter = Array(headers.prefix(count))
            let note = OriginNote(ofSegment: shorter.span)
            #expect(note == nil, "\(count) octets")
        }
    }

    @Test(
        "what is none of TCP over IP has no note, nor has a segment without a port in it",
        arguments: [
            [], ipv4(protocol: 17) + tcp, ipv4(words: 4) + [0, 0, 0, 0] + tcp, ipv6(next: 17) + tcp,
            ipv6(next: 44) + tcp, ipv6(next: 59) + tcp, [0x50] + ipv4() + tcp, ipv6(next: 0) + [0, 255] + tcp,
            ipv4() + tcp.dropLast(2) + [0, 0],
        ]
    ) func missing(headers: [UInt8]) {
        #expect(OriginNote(ofSegment: headers.span) == nil)
    }
}
