/// Reads the frames of one direction of a WebSocket connection in passing (RFC 6455, section 5).
///
/// What breaks the rules is refused, whatever lenient peers would make of it. It keeps the head of one frame and the payload
/// of one control frame: at most 14 and 125 octets.
package struct WebSocketFrameReader: Sendable {
    private let isMasked: Bool
    private let allowsCompression: Bool
    private let limits: WebSocketLimits
    private var state = State.head
    private var head: [UInt8] = []
    /// The message that has begun and not ended.
    private var isInsideMessage = false
    private var messageBytes: UInt64 = 0
    private var fragments = 0
    private var control: [UInt8] = []

    /// ```
    /// head ──(data)──> payload ──(0 left)──> head
    ///   └────(control)──> payload ──(0 left)──> head, or over
    /// ```
    private enum State: Sendable {
        case head
        case payload(Frame)
        /// A close frame has come: nothing may follow.
        case over
    }

    private struct Frame: Sendable {
        var opcode: WebSocketOpcode
        var isFinal: Bool
        var isCompressed: Bool
        var left: UInt64
        /// The octets of the mask, the next one to be used in front; 0 where there is none.
        var mask: UInt32
    }

    /// A reader of what a client sends, which is masked, or of what a server sends.
    package init(ofClient isMasked: Bool, allowsCompression: Bool, limits: WebSocketLimits = WebSocketLimits()) {
        self.isMasked = isMasked
        self.allowsCompression = allowsCompression
        self.limits = limits
    }

    /// True where no message and no frame has begun that has not ended.
    package var isBetweenMessages: Bool {
        switch state {
        case .head: head.isEmpty && !isInsideMessage
        case .payload: false
        case .over: true
        }
    }

    /// True where the next frame may begin.
    package var isBetweenFrames: Bool {
        switch state {
        case .head: head.isEmpty
        case .payload, .over: false
        }
    }

    /// Reads on, up to the next event or to the end of the octets; payload of messages goes unmasked to the end of `payload`.
    ///
    /// It reads at least one octet unless there is none or an event needs none.
    package mutating func read(
        _ bytes: Span<UInt8>,
        into payload: inout [UInt8]
    ) throws(WebSocketViolation) -> WebSocketStep {
        var consumed = 0
        while true {
            let step = try readOn(bytes.extracting(consumed...), into: &payload)
            consumed += step.consumed
            // A frame that has no octets left ends without one.
            guard step.event == nil, consumed < bytes.count || isAtEndOfFrame else {
                return WebSocketStep(consumed: consumed, event: step.event)
            }
        }
    }

    private var isAtEndOfFrame: Bool {
        if case .payload(let frame) = state { frame.left == 0 } else { false }
    }

    private mutating func readOn(
        _ bytes: Span<UInt8>,
        into payload: inout [UInt8]
    ) throws(WebSocketViolation) -> WebSocketStep {
        switch state {
        case .head: return try readHead(bytes)
        case .payload(let frame): return try read(frame, bytes, into: &payload)
        case .over:
            guard bytes.isEmpty else { throw .afterClose }
            return WebSocketStep(consumed: 0)
        }
    }

    private mutating func readHead(_ bytes: Span<UInt8>) throws(WebSocketViolation) -> WebSocketStep {
        var consumed = 0
        while consumed < bytes.count {
            head.append(bytes[consumed])
            consumed += 1
            guard let frame = try wholeHead() else { continue }
            head.removeAll(keepingCapacity: true)
            return WebSocketStep(consumed: consumed, event: try begin(frame))
        }
        return WebSocketStep(consumed: consumed)
    }

    /// What the octets of the head say; `nil` where some are missing.
    private func wholeHead() throws(WebSocketViolation) -> Frame? {
        let opcode = try opcode(head[0])
        guard head.count > 1 else { return nil }
        let isFinal = head[0] & 0x80 != 0
        guard isMasked == (head[1] & 0x80 != 0) else { throw isMasked ? .maskMissing : .maskUnexpected }
        let short = head[1] & 0x7f
        if opcode.isControl {
            guard isFinal else { throw .controlFragmented }
            guard short <= 125 else { throw .controlTooLong }
        }
        let lengthOctets = short == 126 ? 2 : short == 127 ? 8 : 0
        guard head.count >= 2 + lengthOctets else { return nil }
        let length = lengthOctets == 0 ? UInt64(short) : number(head[2..<2 + lengthOctets])
        guard length <= UInt64(Int64.max) else { throw .lengthInvalid }
        if lengthOctets == 2, length < 126 { throw .lengthNotMinimal }
        if lengthOctets == 8, length < 65536 { throw .lengthNotMinimal }
        guard head.count == 2 + lengthOctets + (isMasked ? 4 : 0) else { return nil }
        let mask = isMasked ? UInt32(truncatingIfNeeded: number(head.suffix(4))) : 0
        return Frame(
            opcode: opcode,
            isFinal: isFinal,
            isCompressed: head[0] & 0x40 != 0,
            left: length,
            mask: mask
        )
    }

    private func opcode(_ first: UInt8) throws(WebSocketViolation) -> WebSocketOpcode {
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0f) else { throw .opcode }
        // The first reserved bit is compression's, and stands on the first frame of a message alone (RFC 7692, section 6).
        let mayBeCompressed = allowsCompression && (opcode == .text || opcode == .binary)
        guard first & 0x30 == 0, first & 0x40 == 0 || mayBeCompressed else { throw .reservedBit }
        guard opcode.isControl || (opcode == .continuation) == isInsideMessage else { throw .fragmentOutOfPlace }
        return opcode
    }

    private func number(_ octets: ArraySlice<UInt8>) -> UInt64 {
        octets.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func begin(_ frame: Frame) throws(WebSocketViolation) -> WebSocketStep.Event? {
        state = .payload(frame)
        guard !frame.opcode.isControl else { return nil }
        if !isInsideMessage {
            isInsideMessage = true
            messageBytes = 0
            fragments = 0
        }
        fragments += 1
        guard fragments <= limits.fragments else { throw .fragmentsTooMany }
        guard frame.left <= limits.messageBytes - messageBytes else { throw .messageTooLong }
        messageBytes += frame.left
        switch frame.opcode {
        case .text: return .began(.text, isCompressed: frame.isCompressed)
        case .binary: return .began(.binary, isCompressed: frame.isCompressed)
        case .continuation, .close, .ping, .pong: return nil
        }
    }

    private mutating func read(
        _ frame: Frame,
        _ bytes: Span<UInt8>,
        into payload: inout [UInt8]
    ) throws(WebSocketViolation) -> WebSocketStep {
        var frame = frame
        let count = Int(clamping: min(frame.left, UInt64(bytes.count)))
        if frame.opcode.isControl {
            unmask(bytes.extracting(0..<count), &frame, into: &control)
        } else {
            unmask(bytes.extracting(0..<count), &frame, into: &payload)
        }
        frame.left -= UInt64(count)
        state = .payload(frame)
        // What came is told of before what it ends.
        if count > 0, !frame.opcode.isControl { return WebSocketStep(consumed: count, event: .payload) }
        guard frame.left == 0 else { return WebSocketStep(consumed: count) }
        state = .head
        return WebSocketStep(consumed: count, event: try end(frame))
    }

    private func unmask(_ bytes: Span<UInt8>, _ frame: inout Frame, into target: inout [UInt8]) {
        target.reserveCapacity(target.count + bytes.count)
        for index in bytes.indices {
            target.append(bytes[index] ^ UInt8(truncatingIfNeeded: frame.mask >> 24))
            frame.mask = frame.mask << 8 | frame.mask >> 24
        }
    }

    private mutating func end(_ frame: Frame) throws(WebSocketViolation) -> WebSocketStep.Event? {
        switch frame.opcode {
        case .continuation, .text, .binary:
            guard frame.isFinal else { return nil }
            isInsideMessage = false
            return .ended
        case .ping, .pong:
            control.removeAll(keepingCapacity: true)
            return .control(frame.opcode)
        case .close:
            state = .over
            return .closed(try closeCode())
        }
    }

    /// Which codes may be sent says RFC 6455, section 7.4, and the registry that it makes.
    private func closeCode() throws(WebSocketViolation) -> UInt16? {
        guard !control.isEmpty else { return nil }
        guard control.count > 1 else { throw .closeMalformed }
        let code = UInt16(control[0]) << 8 | UInt16(control[1])
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw .closeMalformed
        }
        guard String(validating: control[2...], as: UTF8.self) != nil else { throw .closeMalformed }
        return code
    }
}
