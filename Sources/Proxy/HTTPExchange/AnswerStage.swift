import WireFormats

/// What one answer passes through on its way to the client.
///
/// Made for one exchange; lives on its loop. It may hold octets back, and changes no lengths.
package protocol AnswerStage: AnyObject {
    /// Takes a head, one of 1xx too, and gives the one that goes on.
    ///
    /// - Throws: why the answer must not go on.
    func pass(_ head: HTTP1Response) throws(HTTP1Violation) -> HTTP1Response

    /// Takes the next octets of the body, or of what follows a change of protocol, and leaves those that may go on.
    func pass(_ octets: inout [UInt8])

    /// All that was taken has been given, and ends with a frame of a WebSocket connection.
    var isBetweenFrames: Bool { get }

    /// Gives what was held back: nothing more comes.
    func finish() -> [UInt8]

    /// Takes the trailers, and gives those that go on.
    func pass(trailers: HTTP1FieldSection) -> HTTP1FieldSection
}

/// The head of a request as it is sent, and what the answer to it passes through.
///
/// The two belong together: a head with a secret in it is sent nowhere whose answer goes by unseen.
package struct OutgoingHead {
    package let octets: [UInt8]
    package let stage: (any AnswerStage)?

    /// `nil`: the answer goes on as it comes.
    package init(_ octets: [UInt8], answeredThrough stage: (any AnswerStage)? = nil) {
        self.octets = octets
        self.stage = stage
    }
}
