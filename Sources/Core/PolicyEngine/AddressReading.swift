import NetworkTypes
import SourceDocuments

/// Reads an item of `cidrs`: `203.0.113.0/24`, `2001:db8::/32`, or one address.
func readCIDR(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> CIDR {
    let text = try node.string(subject, expected: "an address block such as 203.0.113.0/24")
    let block: CIDR
    do throws(CIDR.TextError) {
        block = try CIDR(text)
    } catch {
        switch error {
        case .notAnAddress:
            let isName = (try? HostPattern(text)) != nil
            throw SourceProblem(
                "\(subject), `\(text)`, is no address block",
                at: node.location,
                remedy: isName ? "use `hosts` for names" : "write a block such as 203.0.113.0/24 or 2001:db8::/32"
            )
        case .badPrefixLength:
            throw SourceProblem(
                "\(subject), `\(text)`, has no prefix length of its family",
                at: node.location,
                remedy: "write 0 to 32 for IPv4, 0 to 128 for IPv6"
            )
        case .hostBitsSet(let base):
            throw SourceProblem(
                "\(subject), `\(text)`, has bits set behind its prefix",
                at: node.location,
                remedy: "write \(base) for the block, or the address alone"
            )
        }
    }
    if let plain = block.unmapped {
        throw SourceProblem(
            "\(subject), `\(text)`, is IPv4 dressed as IPv6, about which no rule decides",
            at: node.location,
            remedy: "write \(plain.prefixLength == 32 ? "\(plain.base)" : "\(plain)")"
        )
    }
    return block
}

/// Reads an item of `ports`: a number, or a range `8000-8100`.
func readPorts(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> ClosedRange<UInt16> {
    let expected = "a port or a range such as 8000-8100"
    switch node.content {
    case .integer:
        let port = UInt16(clamping: try node.integer(subject, in: 1...65535))
        return port...port
    case .string(let text):
        if portNumber(text) != nil {
            throw SourceProblem(
                "\(subject) is a string, expected \(expected)",
                at: node.location,
                remedy: "write \(text)"
            )
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let low = portNumber(ends[0]), let high = portNumber(ends[1]), low > 0 else {
            throw SourceProblem("\(subject) is `\(text)`, expected \(expected)", at: node.location)
        }
        guard low <= high else {
            throw SourceProblem(
                "\(subject), `\(text)`, ends before it begins",
                at: node.location,
                remedy: "write \(high)-\(low)"
            )
        }
        return low...high
    case .null, .boolean, .sequence, .mapping:
        throw node.mistyped(subject, expected: expected)
    }
}
