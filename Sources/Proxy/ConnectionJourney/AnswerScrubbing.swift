import Credentials
import HTTPExchange
import WireFormats

/// Overwrites secrets in the answer to a request that had some, or might have had (F04).
///
/// Lives on one loop.
package final class AnswerScrubbing: AnswerStage {
    private let needles: Needles
    private var body: SecretScrubber
    /// In heads, trailers, and frames that are over.
    private var findsBefore = 0
    /// Where frames end, of a WebSocket connection; `nil` for anything else, and where that cannot be told.
    private var frames: WebSocketFrameReader?

    /// For one answer.
    package init(_ needles: Needles) {
        self.needles = needles
        body = SecretScrubber(needles)
    }

    /// How many times a secret was found.
    package var finds: Int { findsBefore + body.finds }

    /// Overwrites what stands in the reason and in the fields.
    ///
    /// - Throws: Where secrets could not be found: in a body, or in messages, of a coding that nobody asked for.
    package func pass(_ head: HTTP1Response) throws(HTTP1Violation) -> HTTP1Response {
        let isCodedSocket = head.isSwitch && !head.fields.values(of: "sec-websocket-extensions").isEmpty
        // Nobody asked for a part: whoever gives parts could give a secret piece by piece (RFC 9110, section 15.3.7; RFC 3229).
        let isPart = head.status == 206 || head.status == 226
        guard !head.isCoded, !head.isInWideCharacters, !isCodedSocket, !isPart else { throw .codedAnswer }
        if head.switchesToWebSocket { frames = WebSocketFrameReader(ofClient: false, allowsCompression: false) }
        return head.overwritten { octets, start in findsBefore += needles.overwrite(&octets, from: start) }
    }

    /// Holds back what may be the beginning of a secret; not behind a frame's end, where whoever asked may wait for all of it.
    ///
    /// What would follow is the next frame's head, and a secret with one in it is not found.
    package func pass(_ octets: inout [UInt8]) {
        let endsFrame = endsFrame(behind: octets.span)
        body.pass(&octets)
        guard endsFrame else { return }
        octets += body.finish()
        findsBefore += body.finds
        body = SecretScrubber(needles)
    }

    /// Behind a frame nothing is held back.
    package var isBetweenFrames: Bool { frames?.isBetweenFrames ?? false }

    private func endsFrame(behind octets: borrowing Span<UInt8>) -> Bool {
        guard var reader = frames else { return false }
        var consumed = 0
        var payload: [UInt8] = []
        do throws(WebSocketViolation) {
            while true {
                payload.removeAll(keepingCapacity: true)
                let step = try reader.read(octets.extracting(consumed...), into: &payload)
                consumed += step.consumed
                if step.event == nil, consumed == octets.count { break }
            }
            frames = reader
            return reader.isBetweenFrames
        } catch {
            frames = nil
            return false
        }
    }

    package func finish() -> [UInt8] {
        body.finish()
    }

    package func pass(trailers: HTTP1FieldSection) -> HTTP1FieldSection {
        trailers.overwritten { findsBefore += needles.overwrite(&$0) }
    }
}
