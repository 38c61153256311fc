/// One change of a text: bytes that go, and what comes in their place.
package struct TextEdit: Hashable, Sendable {
    package var range: Range<Int>
    package var text: String

    package init(_ range: Range<Int>, _ text: String = "") {
        self.range = range
        self.text = text
    }
}

extension [TextEdit] {
    /// The text with every change made.
    ///
    /// Changes at one place come in the order given. Ranges that overlap are removed once.
    package func applied(to bytes: [UInt8]) -> [UInt8] {
        let ordered = enumerated().sorted { one, other in
            (one.element.range.lowerBound, one.offset) < (other.element.range.lowerBound, other.offset)
        }
        var result: [UInt8] = []
        var position = 0
        for (_, edit) in ordered {
            let start = Swift.min(Swift.max(edit.range.lowerBound, position), bytes.count)
            result += bytes[position..<start]
            result += Array<UInt8>(edit.text.utf8)
            position = Swift.min(Swift.max(edit.range.upperBound, start), bytes.count)
        }
        result += bytes[position...]
        return result
    }
}
