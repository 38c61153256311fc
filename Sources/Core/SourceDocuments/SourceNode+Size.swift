extension SourceNode {
    /// Reads a number of bytes: a whole number with its unit, `64KiB`, `256MiB` or `4GiB`.
    package func size(_ subject: String, in bounds: ClosedRange<Int>) throws(SourceProblem) -> Int {
        let expected = "a size such as 64KiB, 256MiB or 4GiB"
        guard case .string(let text) = content else {
            var problem = mistyped(subject, expected: expected)
            if case .integer = content { problem.remedy = "write the unit" }
            throw problem
        }
        guard let size = parseSize(text) else {
            throw SourceProblem(
                "\(subject) is `\(text)`, expected \(expected)",
                at: location,
                remedy: "write a whole number and its unit: \(units.map(\.0).joined(separator: ", "))"
            )
        }
        guard bounds.contains(size) else {
            throw SourceProblem(
                "\(subject) is `\(text)`, expected \(sizeText(bounds.lowerBound)) to \(sizeText(bounds.upperBound))",
                at: location
            )
        }
        return size
    }
}

extension MappingReader {
    /// A whole number of bytes with its unit: `64KiB`, `256MiB`, `4GiB`.
    package mutating func size(
        _ key: String,
        _ presence: Presence = .optional,
        in bounds: ClosedRange<Int>
    ) -> Int? {
        value(key, presence) { node, subject throws(SourceProblem) in try node.size(subject, in: bounds) }
    }
}

private let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]

private func parseSize(_ text: String) -> Int? {
    guard let (unit, bytes) = units.first(where: { text.hasSuffix($0.0) }) else { return nil }
    let digits = text.dropLast(unit.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) else {
        return nil
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: bytes)
    return overflow ? nil : product
}

/// The largest unit that says it exactly.
private func sizeText(_ bytes: Int) -> String {
    let unit = units.last { bytes % $0.1 == 0 && bytes >= $0.1 } ?? ("KiB", 1 << 10)
    return "\(bytes / unit.1)\(unit.0)"
}
