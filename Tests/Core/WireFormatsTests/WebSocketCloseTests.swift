import Testing
import WireFormats

@Suite("Close frames of our own") struct WebSocketCloseTests {
    @Test(
        "each is what a strict reader takes for a close, with its code",
        arguments: [WebSocketClose.goingAway, .policyViolation]
    )
    func frames(close: WebSocketClose) throws {
        for (frame, isMasked) in [(close.ofServer, false), (close.ofClient(mask: 0x0102_0304), true)] {
            var reader = WebSocketFrameReader(ofClient: isMasked, allowsCompression: false)
            #expect(reader.isBetweenFrames)
            var payload: [UInt8] = []
            let step = try reader.read(frame.span, into: &payload)
            #expect(step.consumed == frame.count)
            #expect(step.event == .closed(close.rawValue))
            #expect(!reader.isBetweenFrames)
        }
        #expect(WebSocketClose.policyViolation.ofServer == [0x88, 2, 0x03, 0xf0])
    }
}
