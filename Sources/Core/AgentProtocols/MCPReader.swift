import WireFormats

/// Reads what the body of an HTTP request says to an MCP server.
///
/// The body decides, not what the head says of it; where the head repeats what the body says, it must say the same. What
/// servers could read in more than one way is refused, whether they do or not.
package struct MCPReader: Sendable {
    let limits: MCPLimits

    package init(limits: MCPLimits = MCPLimits()) {
        self.limits = limits
    }

    /// Reads a whole body, its content codings undone.
    ///
    /// - Parameters:
    ///   - body: all of it.
    ///   - head: what the request says of it.
    ///   - coded: what was found of it as it came, where it was coded: many servers look at no coding of requests.
    /// - Returns: the message; `nil` for a body that is none, and is taken for none by whoever looks at the head.
    /// - Throws: why a body that claims to be one is refused.
    package func read(
        _ body: [UInt8],
        of head: MCPHead,
        coded: JSONOpening? = nil
    ) throws(MCPViolation) -> MCPMessage? {
        if let coded, coded.isOpen { throw MCPViolation(.coding) }
        guard let root = try text(body, of: head), let messages = try messages(in: root) else {
            guard !head.claimsMessage else { throw MCPViolation(.headerAlone) }
            return nil
        }
        let isBatch = root.kind == .array
        var calls: [MCPCall] = []
        for message in messages {
            do throws(MCPViolation) {
                calls.append(try MCPCall(message, limits))
            } catch {
                throw MCPViolation(error.fault, id: isBatch ? nil : error.id)
            }
        }
        do throws(MCPFault) {
            guard !haveRepeatedIdentifier(messages) else { throw .idRepeated }
            guard root.numbersAreFinite else { throw .numberRange }
            let declared = try isBatch ? MCPDeclaration() : MCPDeclaration(root)
            let era = try head.era(declared)
            try era.check(calls, isBatch: isBatch, isPost: head.isPost)
            try head.check(against: isBatch ? nil : declared, of: calls, era)
            return MCPMessage(era: era, calls: calls, isBatch: isBatch)
        } catch {
            throw MCPViolation(error, id: isBatch ? nil : calls.first?.id)
        }
    }

    /// The JSON text of a body; `nil` for one that is none and does not say that it is.
    private func text(_ body: [UInt8], of head: MCPHead) throws(MCPViolation) -> JSONValue? {
        guard body.contains(where: { !isWhiteSpace($0) }) else { return nil }
        guard !isWiderThanUTF8(body), head.isInUTF8 else { throw MCPViolation(.encoding) }
        var opening = JSONOpening(.text)
        opening.read(body.span)
        guard opening.isOpen || head.claimsJSON || body.starts(with: [0xEF, 0xBB, 0xBF]) else { return nil }
        do throws(JSONViolation) {
            return try JSONDocument(body, limits: limits.json).root
        } catch {
            throw MCPViolation(.json(error.fault))
        }
    }

    /// The messages that a text holds; `nil` where it claims none.
    private func messages(in root: JSONValue) throws(MCPViolation) -> [JSONValue]? {
        switch root.kind {
        case .object: return root.claimsMessage ? [root] : nil
        case .array:
            let elements = Array(root.elements)
            guard elements.contains(where: \.claimsMessage) else {
                guard !elements.contains(where: \.listsMessages) else { throw MCPViolation(.batchElement) }
                return nil
            }
            guard elements.count <= limits.calls else { throw MCPViolation(.batchTooLong) }
            guard elements.allSatisfy(\.claimsMessage) else { throw MCPViolation(.batchElement) }
            return elements
        case .string, .number, .boolean, .null: return nil
        }
    }
}

extension MCPEra {
    /// What the revision does not have.
    fileprivate func check(_ calls: [MCPCall], isBatch: Bool, isPost: Bool) throws(MCPFault) {
        guard !isBatch || allowsBatches else { throw .batch }
        guard self == .stateless else { return }
        guard isPost else { throw .notPost }
        guard !calls.contains(where: { $0.kind == .response }) else { throw .response }
    }
}

extension JSONValue {
    /// True for an object that has a key of JSON-RPC, in whatever case, and whatever follows a control character in it.
    fileprivate var claimsMessage: Bool {
        for (name, _) in members {
            let folded = name.text.map { caseFolded(beforeControls($0, atMost: 8)) }
            if folded == "jsonrpc" || folded == "method" { return true }
        }
        return false
    }

    /// True for an array in which, however deep, a message stands.
    fileprivate var listsMessages: Bool {
        var pending = kind == .array ? Array(elements) : []
        while let value = pending.popLast() {
            if value.claimsMessage { return true }
            if value.kind == .array { pending += Array(value.elements) }
        }
        return false
    }

    /// True where a double can hold every number inside, so that all servers read something.
    fileprivate var numbersAreFinite: Bool {
        var pending = [self]
        while let value = pending.popLast() {
            switch value.kind {
            case .number: if !value.isFinite { return false }
            case .array: pending += Array(value.elements)
            case .object: for (_, member) in value.members { pending.append(member) }
            case .string, .boolean, .null: continue
            }
        }
        return true
    }

    private var isFinite: Bool {
        // So many digits cannot go beyond it without an exponent.
        guard source.count > 300 || source.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) else { return true }
        return Double(String(decoding: source, as: UTF8.self))?.isFinite ?? false
    }
}

/// True where two requests have identifiers that say the same, however they are escaped: an answer could go to either.
private func haveRepeatedIdentifier(_ messages: [JSONValue]) -> Bool {
    var seen: Set<[UInt8]> = []
    for message in messages where message.member("method") != nil {
        guard let id = message.member("id") else { continue }
        // A number and a text of the same digits are two.
        let said = id.text.map { [UInt8(ascii: "\"")] + Array($0.utf8) } ?? Array(id.source)
        if !seen.insert(said).inserted { return true }
    }
    return false
}

/// The white space of JSON (RFC 8259, section 2).
private func isWhiteSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
}

/// True for what some readers take for UTF-16 or UTF-32: a byte order mark, or a zero among the first two bytes.
private func isWiderThanUTF8(_ body: [UInt8]) -> Bool {
    let start = body.prefix(2)
    return start.contains(0) || start.elementsEqual([0xFE, 0xFF]) || start.elementsEqual([0xFF, 0xFE])
}
