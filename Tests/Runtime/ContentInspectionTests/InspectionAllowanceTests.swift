import ContentInspection
import PolicyEngine
import Testing
import WireFormats

@Suite("How much memory inspection takes") struct InspectionAllowanceTests {
    @Test("G07: shares are taken and given back, and what does not fit changes nothing")
    func shares() {
        var told = 0
        let allowance = InspectionAllowance(100) { told += $0 }
        var first: InspectionShare? = InspectionShare(of: allowance)
        let second = InspectionShare(of: allowance)
        #expect(first?.take(60) == true)
        #expect(!second.take(41))
        #expect(second.take(40))
        #expect(first?.take(61) == false)
        #expect(first?.take(10) == true)
        #expect(second.take(90))
        #expect(allowance.taken == 100 && told == 100)
        first = nil
        #expect(second.take(100))
        #expect(second.take(0))
        #expect(allowance.taken == 0 && told == 0)
        #expect(InspectionShare(of: nil).take(.max))
    }

    @Test(
        "G07: what decoders keep is known: a window of brotli or zstd, once it is there",
        arguments: [
            ([ContentCoding.gzip], Samples.gzip, 48 << 10), ([.brotli], Samples.brotliBomb, 4 << 20),
            ([.zstd], Samples.zstdBomb, 1 << 20), ([.zstd, .gzip, .brotli], Samples.brotliOverGzipOverZstd, 128 << 10),
        ]
    )
    func decoders(codings: [ContentCoding], bytes: [UInt8], least: Int) throws {
        var limits = InspectionLimits()
        limits.expansion = .max
        let decoder = try ContentDecoder(codings, limits: limits)
        try decoder.decode(bytes.span) { _ throws(ContentFault) in }
        #expect(decoder.memoryBytes >= least && decoder.memoryBytes < 48 << 20, "\(decoder.memoryBytes)")
    }

    @Test("G07: a decoder that finds no room is refused by name, and on trial passes unseen and takes nothing")
    func refusal() throws {
        let allowance = InspectionAllowance(100_000)
        let fields = try coded("gzip")
        func body(_ denial: Denial?) -> BodyInspection {
            let limit = SizeLimit(1 << 20, denial: Denial(.requestTooLarge), isEnforced: true)
            let panel = InspectorPanel([limit], unreadable: denial, within: allowance)
            return BodyInspection(of: fields, .chunked, .up, by: panel, limits: InspectionLimits())
        }
        var first: BodyInspection? = body(Denial(.unreadableContent))
        let some = Array(Samples.gzip.prefix(20))
        let begun = first?.see(some.span)
        #expect(begun == .open(held: 0))
        #expect(allowance.taken > 48 << 10)
        let refused = body(Denial(.unreadableContent)).see(some.span)
        #expect(refused == .denied(Denial(.unreadableContent, detail: "inspection_memory")))
        let onTrial = body(nil)
        let unseen = onTrial.see(some.span)
        #expect(unseen == .open(held: 0))
        #expect(onTrial.isBlind)
        first = nil
        #expect(allowance.taken == 0)
        let whole = Samples.gzip
        let passed = body(Denial(.unreadableContent)).see(whole.span)
        #expect(passed == .open(held: 0))
    }

    private func coded(_ coding: String) throws -> HTTP1FieldSection {
        var reader = HTTP1RequestReader()
        let text =
            "PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Encoding: \(coding)\r\nTransfer-Encoding: chunked\r\n\r\n"
        return try #require(try reader.read(Array(text.utf8).span)).fields
    }
}
