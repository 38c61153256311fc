import BrotliBindings
import WireFormats
import ZlibBindings
import ZstdBindings

/// How far a step of decoding came.
struct DecodingStep {
    var consumed: Int
    var produced: Int
}

/// What undoes one coding.
protocol DecodingStage: AnyObject {
    /// Decodes what it can into all of `output`; it uses all of the input before it makes nothing.
    func decode(_ input: borrowing Span<UInt8>, into output: inout [UInt8]) throws(ContentFault) -> DecodingStep

    /// Whether the content may end here.
    var mayEnd: Bool { get }

    /// How much memory it takes for now, in octets.
    var memoryBytes: Int { get }
}

/// What undoes this coding.
func decodingStage(for coding: ContentCoding) throws(ContentFault) -> any DecodingStage {
    switch coding {
    case .gzip: try GzipStage()
    case .deflate: DeflateStage()
    case .brotli: try BrotliStage()
    case .zstd: try ZstdStage()
    }
}

/// Members of gzip, one after the other; each trailer is compared (RFC 1952).
private final class GzipStage: DecodingStage {
    private var inflater: Inflater
    private var isInsideMember = false

    init() throws(ContentFault) {
        inflater = try made { () throws(InflateError) in try Inflater(.gzip) }
    }

    var mayEnd: Bool { !isInsideMember }
    var memoryBytes: Int { Inflater.memoryBytes }

    func decode(_ input: borrowing Span<UInt8>, into output: inout [UInt8]) throws(ContentFault) -> DecodingStep {
        guard input.count > 0 || isInsideMember else { return DecodingStep(consumed: 0, produced: 0) }
        let step = try inflated(&inflater, input, into: &output)
        isInsideMember = !step.isAtEnd
        if step.isAtEnd { inflater.reset() }
        return DecodingStep(consumed: step.consumed, produced: step.produced)
    }
}

/// A deflated stream, in zlib's format as the coding says, or without it as some senders have it (RFC 9110, section 8.4.1.2).
private final class DeflateStage: DecodingStage {
    /// Made when its first two octets are there, which tell the formats apart.
    private var inflater: Inflater?
    private var first: UInt8?
    private var isOver = false

    var mayEnd: Bool { isOver || inflater == nil && first == nil }
    var memoryBytes: Int { inflater == nil ? 0 : Inflater.memoryBytes }

    func decode(_ input: borrowing Span<UInt8>, into output: inout [UInt8]) throws(ContentFault) -> DecodingStep {
        if isOver {
            guard input.isEmpty else { throw .trailingOctets }
            return DecodingStep(consumed: 0, produced: 0)
        }
        guard inflater != nil else { return try begin(input, into: &output) }
        return try goOn(input, into: &output)
    }

    private func begin(_ input: borrowing Span<UInt8>, into output: inout [UInt8]) throws(ContentFault) -> DecodingStep
    {
        guard !input.isEmpty else { return DecodingStep(consumed: 0, produced: 0) }
        guard let first else {
            self.first = input[0]
            return DecodingStep(consumed: 1, produced: 0)
        }
        let isWrapped = first & 0x0f == 8 && first >> 4 <= 7 && (UInt16(first) << 8 | UInt16(input[0])) % 31 == 0
        inflater = try made { () throws(InflateError) in try Inflater(isWrapped ? .zlib : .raw(windowBits: 15)) }
        // One octet of either format makes nothing yet.
        let opening = [first]
        let step = try goOn(opening.span, into: &output)
        guard step.consumed == 1, step.produced == 0, !isOver else { throw .damaged }
        return try goOn(input, into: &output)
    }

    private func goOn(_ input: borrowing Span<UInt8>, into output: inout [UInt8]) throws(ContentFault) -> DecodingStep {
        guard inflater != nil else { throw .damaged }
        let step = try inflated(&inflater, input, into: &output)
        isOver = step.isAtEnd
        return DecodingStep(consumed: step.consumed, produced: step.produced)
    }
}

/// One brotli stream.
private final class BrotliStage: DecodingStage {
    private var decompressor: BrotliDecompressor
    private var isOver = false
    private var hasBegun = false

    init() throws(ContentFault) {
        do throws(BrotliError) {
            decompressor = try BrotliDecompressor()
        } catch {
            throw .noMemory
        }
    }

    var mayEnd: Bool { isOver || !hasBegun }
    var memoryBytes: Int { decompressor.memoryBytes }

    func decode(_ input: borrowing Span<UInt8>, into output: inout [UInt8]) throws(ContentFault) -> DecodingStep {
        if isOver {
            guard input.isEmpty else { throw .trailingOctets }
            return DecodingStep(consumed: 0, produced: 0)
        }
        hasBegun = hasBegun || !input.isEmpty
        do throws(BrotliError) {
            let step = try decompressor.decompress(input, into: &output)
            isOver = step.isAtEnd
            return DecodingStep(consumed: step.consumed, produced: step.produced)
        } catch {
            throw error == .noMemory ? .noMemory : .damaged
        }
    }
}

/// Frames of zstd, one after the other.
private final class ZstdStage: DecodingStage {
    private var decompressor: ZstdDecompressor

    init() throws(ContentFault) {
        do throws(ZstdError) {
            decompressor = try ZstdDecompressor(windowLog: ZstdDecompressor.windowOfContent)
        } catch {
            throw .noMemory
        }
    }

    var mayEnd: Bool { !decompressor.isInsideFrame }
    var memoryBytes: Int { decompressor.memoryBytes }

    func decode(_ input: borrowing Span<UInt8>, into output: inout [UInt8]) throws(ContentFault) -> DecodingStep {
        do throws(ZstdError) {
            let step = try decompressor.decompress(input, into: &output, from: 0)
            return DecodingStep(consumed: step.consumed, produced: step.produced)
        } catch {
            throw error == .noMemory ? .noMemory : .damaged
        }
    }
}

private func made(_ body: () throws(InflateError) -> Inflater) throws(ContentFault) -> Inflater {
    do throws(InflateError) {
        return try body()
    } catch {
        throw ContentFault(error)
    }
}

private func inflated(
    _ inflater: inout Inflater,
    _ input: borrowing Span<UInt8>,
    into output: inout [UInt8]
) throws(ContentFault) -> Inflater.Step {
    do throws(InflateError) {
        return try inflater.inflate(input, into: &output)
    } catch {
        throw ContentFault(error)
    }
}

private func inflated(
    _ inflater: inout Inflater?,
    _ input: borrowing Span<UInt8>,
    into output: inout [UInt8]
) throws(ContentFault) -> Inflater.Step {
    do throws(InflateError) {
        guard let step = try inflater?.inflate(input, into: &output) else { throw InflateError.damaged }
        return step
    } catch {
        throw ContentFault(error)
    }
}

extension ContentFault {
    init(_ error: InflateError) {
        self =
            switch error {
            case .damaged: .damaged
            case .noMemory: .noMemory
            }
    }
}
