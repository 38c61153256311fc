import WireFormats

/// Undoes the codings of content, however they are stacked, a piece at a time.
///
/// It holds a window for each coding and one piece of each one's output, however long the content is. Where it has thrown, it
/// is of no more use.
package final class ContentDecoder {
    private let limits: InspectionLimits
    /// The coding that was applied last is undone first.
    private var stages: [any DecodingStage] = []
    private var buffers: [[UInt8]] = []
    /// Octets that came, still coded.
    private var came: UInt64 = 0
    /// Octets that each stage has made.
    private var made: [UInt64] = []
    /// Octets that were handed on.
    package private(set) var decodedCount: UInt64 = 0

    /// Makes one for codings in the order in which they were applied.
    package init(_ codings: [ContentCoding], limits: InspectionLimits) throws(ContentFault) {
        self.limits = limits
        for coding in codings.reversed() { stages.append(try decodingStage(for: coding)) }
        made = Array(repeating: 0, count: stages.count)
    }

    /// True where there is nothing to undo: what comes is what is handed on.
    package var isPlain: Bool { stages.isEmpty }

    /// How much memory it takes for now, in octets.
    package var memoryBytes: Int {
        stages.reduce(buffers.count * limits.stepBytes) { $0 + $1.memoryBytes }
    }

    /// Decodes the next octets, all of them; what they make is handed to `body` in pieces of at most `limits.stepBytes`.
    package func decode(
        _ input: borrowing Span<UInt8>,
        _ body: (borrowing Span<UInt8>) throws(ContentFault) -> Void
    ) throws(ContentFault) {
        came += UInt64(input.count)
        if stages.isEmpty { return try handOn(input, body) }
        if buffers.isEmpty {
            buffers = stages.map { _ in [UInt8](repeating: 0, count: limits.stepBytes) }
        }
        try run(0, input, body)
    }

    /// Says that the content has ended: every coding must have.
    package func end() throws(ContentFault) {
        guard stages.allSatisfy({ $0.mayEnd }) else { throw .cutShort }
    }

    private func run(
        _ place: Int,
        _ input: borrowing Span<UInt8>,
        _ body: (borrowing Span<UInt8>) throws(ContentFault) -> Void
    ) throws(ContentFault) {
        guard place < stages.count else { return try handOn(input, body) }
        // Taken out while it is filled and read: what is behind fills others.
        var buffer: [UInt8] = []
        swap(&buffer, &buffers[place])
        defer { swap(&buffer, &buffers[place]) }
        var position = 0
        while true {
            let step = try stages[place].decode(input.extracting(position...), into: &buffer)
            position += step.consumed
            if step.produced > 0 {
                try count(step.produced, at: place)
                try run(place + 1, buffer.span.extracting(0..<step.produced), body)
            }
            // A full buffer may have more behind it; an empty one has not.
            if position == input.count, step.produced < buffer.count { return }
            if step.consumed == 0, step.produced == 0 { throw .damaged }
        }
    }

    /// Bounds the work: each coding's output by what came in all.
    private func count(_ produced: Int, at place: Int) throws(ContentFault) {
        made[place] += UInt64(produced)
        let (most, overflows) = came.multipliedReportingOverflow(by: limits.expansion)
        guard overflows || made[place] <= max(most, limits.expansionFree) else { throw .expansion }
    }

    private func handOn(
        _ octets: borrowing Span<UInt8>,
        _ body: (borrowing Span<UInt8>) throws(ContentFault) -> Void
    ) throws(ContentFault) {
        decodedCount += UInt64(octets.count)
        guard decodedCount <= limits.decodedBytes else { throw .tooLarge }
        try body(octets)
    }
}
