import ContentInspection
import Testing
import WireFormats

@Suite("Codings undone") struct ContentDecoderTests {
    @Test(
        "F03: every coding, and codings over codings, give the content back, however they are split",
        arguments: [
            ([ContentCoding.gzip], Samples.gzip), ([.gzip], Samples.twoMembers), ([.deflate], Samples.zlib),
            ([.deflate], Samples.raw), ([.brotli], Samples.brotli), ([.zstd], Samples.zstd),
            ([.zstd], Samples.zstdTwoFrames),
            ([.brotli, .gzip], Samples.gzipOverBrotli), ([.zstd, .gzip, .brotli], Samples.brotliOverGzipOverZstd),
            ([], Samples.text),
        ]
    )
    func decodes(codings: [ContentCoding], bytes: [UInt8]) throws {
        #expect(!bytes.isEmpty)
        #expect(try decoded(bytes, codings) == Samples.text)
        #expect(try decoded(bytes, codings, pieces: 1) == Samples.text)
        #expect(try decoded(bytes, codings, pieces: 7, step: 16) == Samples.text)
    }

    @Test(
        "F03: content that was changed, cut short or continued is refused",
        arguments: [
            ([ContentCoding.gzip], Samples.gzip), ([.deflate], Samples.zlib), ([.brotli], Samples.brotli),
            ([.zstd], Samples.zstd),
            ([.brotli, .gzip], Samples.gzipOverBrotli),
        ]
    )
    func refuses(codings: [ContentCoding], bytes: [UInt8]) {
        #expect(throws: ContentFault.cutShort) { try decoded(Array(bytes.dropLast()), codings) }
        #expect(throws: ContentFault.self) { try decoded(bytes + [0x41], codings) }
        var changed = bytes
        changed[bytes.count - 5] ^= 0x10
        #expect(throws: ContentFault.self) { try decoded(changed, codings) }
        #expect(throws: ContentFault.self) { try decoded(Samples.text, codings) }
    }

    @Test("no octets at all are content of any coding", arguments: [ContentCoding.gzip, .deflate, .brotli, .zstd])
    func empty(coding: ContentCoding) throws {
        #expect(try decoded([], [coding]).isEmpty)
    }

    @Test(
        "F03: a bomb is refused for what it grows to, after a step more than it may",
        arguments: [
            ([ContentCoding.gzip, .gzip], Samples.gzipBomb), ([.brotli], Samples.brotliBomb),
            ([.zstd], Samples.zstdBomb),
        ]
    )
    func bombs(codings: [ContentCoding], bytes: [UInt8]) throws {
        var made = 0
        let limits = InspectionLimits()
        let decoder = try ContentDecoder(codings, limits: limits)
        #expect(throws: ContentFault.expansion) {
            try decoder.decode(bytes.span) { piece throws(ContentFault) in made += piece.count }
        }
        #expect(made <= Int(limits.expansionFree) + limits.stepBytes)
        var generous = limits
        generous.expansion = .max
        #expect(try decoded(bytes, codings, limits: generous).count == Samples.zeros)
    }

    @Test("content is decoded up to the limit and no further", arguments: [0, 1])
    func size(less: UInt64) throws {
        var limits = InspectionLimits()
        limits.decodedBytes = UInt64(Samples.text.count) - less
        if less == 0 {
            #expect(try decoded(Samples.gzip, [.gzip], limits: limits) == Samples.text)
        } else {
            #expect(throws: ContentFault.tooLarge) { try decoded(Samples.gzip, [.gzip], limits: limits) }
        }
    }

    @Test("no piece that is handed on is larger than a step")
    func pieces() throws {
        var limits = InspectionLimits()
        limits.expansion = .max
        limits.stepBytes = 1000
        let decoder = try ContentDecoder([.brotli], limits: limits)
        var largest = 0
        let bomb = Samples.brotliBomb
        try decoder.decode(bomb.span) { piece throws(ContentFault) in largest = max(largest, piece.count) }
        #expect(largest == 1000)
    }
}

private func decoded(
    _ bytes: [UInt8],
    _ codings: [ContentCoding],
    pieces: Int = .max,
    step: Int = 32768,
    limits: InspectionLimits = InspectionLimits()
) throws -> [UInt8] {
    var limits = limits
    limits.stepBytes = step
    let decoder = try ContentDecoder(codings, limits: limits)
    var whole: [UInt8] = []
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, pieces == .max ? bytes.count : start + pieces)
        try decoder.decode(bytes.span.extracting(start..<end)) { piece throws(ContentFault) in
            for index in piece.indices { whole.append(piece[index]) }
        }
        start = end
    }
    try decoder.end()
    return whole
}
