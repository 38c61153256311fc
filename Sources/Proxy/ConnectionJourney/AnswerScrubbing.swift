import Credentials
import HTTPExchange
import WireFormats

/// Overwrites secrets in the answer to a request that had some, or might have had (F04).
///
/// Lives on one loop.
package final class AnswerScrubbing: AnswerStage {
    private let needles: Needles
    private var body: SecretScrubber
    private var findsInHeads = 0

    /// For one answer.
    package init(_ needles: Needles) {
        self.needles = needles
        body = SecretScrubber(needles)
    }

    /// How many times a secret was found.
    package var finds: Int { findsInHeads + body.finds }

    /// Overwrites what stands in the reason and in the fields.
    ///
    /// - Throws: Where secrets could not be found: in a body, or in messages, of a coding that nobody asked for.
    package func pass(_ head: HTTP1Response) throws(HTTP1Violation) -> HTTP1Response {
        let isCodedSocket = head.isSwitch && !head.fields.values(of: "sec-websocket-extensions").isEmpty
        guard !head.isCoded, !isCodedSocket else { throw .codedAnswer }
        return head.overwritten { octets, start in findsInHeads += needles.overwrite(&octets, from: start) }
    }

    /// Holds back what may be the beginning of a secret.
    package func pass(_ octets: inout [UInt8]) {
        body.pass(&octets)
    }

    package func finish() -> [UInt8] {
        body.finish()
    }

    package func pass(trailers: HTTP1FieldSection) -> HTTP1FieldSection {
        trailers.overwritten { findsInHeads += needles.overwrite(&$0) }
    }
}
