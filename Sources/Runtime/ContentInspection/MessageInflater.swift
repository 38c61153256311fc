import WireFormats
import ZlibBindings

/// Inflates the compressed messages of one direction of a WebSocket connection (RFC 7692, section 7.2.2).
final class MessageInflater {
    private let side: WebSocketCompression.Side
    private let limits: InspectionLimits
    /// Made with the first compressed message.
    private var inflater: Inflater?
    private var buffer: [UInt8] = []
    /// Octets of the message that came, and that they made.
    private(set) var came: UInt64 = 0
    private var made: UInt64 = 0

    /// What every sender leaves away at the end of a message.
    private static let tail: [UInt8] = [0x00, 0x00, 0xff, 0xff]

    init(_ side: WebSocketCompression.Side, limits: InspectionLimits) {
        self.side = side
        self.limits = limits
    }

    /// How much memory it takes for now, in octets.
    var memoryBytes: Int { inflater == nil ? 0 : Inflater.memoryBytes + buffer.count }

    /// Begins on a message.
    func begin() {
        came = 0
        made = 0
    }

    /// Inflates the next octets of a message; what they make is handed on in pieces.
    func inflate(
        _ input: borrowing Span<UInt8>,
        _ body: (borrowing Span<UInt8>) -> Void
    ) throws(ContentFault) {
        came += UInt64(input.count)
        try run(input, body)
    }

    /// Ends a message.
    func end(_ body: (borrowing Span<UInt8>) -> Void) throws(ContentFault) {
        try run(Self.tail.span, body)
        if !side.keepsContext { inflater?.reset() }
    }

    private func run(
        _ input: borrowing Span<UInt8>,
        _ body: (borrowing Span<UInt8>) -> Void
    ) throws(ContentFault) {
        do throws(InflateError) {
            if inflater == nil {
                inflater = try Inflater(.raw(windowBits: side.windowBits))
                buffer = [UInt8](repeating: 0, count: limits.stepBytes)
            }
        } catch {
            throw ContentFault(error)
        }
        var position = 0
        while true {
            let step = try step(input.extracting(position...))
            position += step.consumed
            if step.produced > 0 {
                try count(step.produced)
                body(buffer.span.extracting(0..<step.produced))
            }
            // A last block inside a message: receivers differ in what they make of the rest.
            if step.isAtEnd { throw .damaged }
            if position == input.count, step.produced < buffer.count { return }
            if step.consumed == 0, step.produced == 0 { throw .damaged }
        }
    }

    private func step(_ input: borrowing Span<UInt8>) throws(ContentFault) -> Inflater.Step {
        do throws(InflateError) {
            guard let step = try inflater?.inflate(input, into: &buffer) else { throw InflateError.damaged }
            return step
        } catch {
            throw ContentFault(error)
        }
    }

    private func count(_ produced: Int) throws(ContentFault) {
        made += UInt64(produced)
        guard made <= limits.decodedBytes else { throw .tooLarge }
        let (most, overflows) = came.multipliedReportingOverflow(by: limits.expansion)
        guard overflows || made <= max(most, limits.expansionFree) else { throw .expansion }
    }
}
