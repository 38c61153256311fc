/// The node of the first name in an object that another one before it has too; nil where all differ.
///
/// Names are compared as what they say, byte by byte: escaped or not, and without Unicode normalisation.
func repeatedKey(of object: Int, _ nodes: [JSONNode], _ bytes: Span<UInt8>) -> Int? {
    // Up to so many names, comparing each with each is cheaper than copying them.
    let fewNames = 16
    var names: [Int] = []
    var index = object + 1
    while index < Int(nodes[object].next) {
        names.append(index)
        index = Int(nodes[nodes.memberValue(of: index)].next)
    }
    if names.count > fewNames {
        var seen: Set<[UInt8]> = []
        return names.first { !seen.insert(nodes.text(of: $0, bytes)).inserted }
    }
    for second in names.indices {
        for first in 0..<second where nodes.haveSameText(names[first], names[second], bytes) { return names[second] }
    }
    return nil
}

extension [JSONNode] {
    /// The node of the value of the member whose name is at `name`.
    func memberValue(of name: Int) -> Int { name + 1 }

    /// Where the content of a string stands, without its quotes.
    func content(of string: Int) -> Range<Int> {
        Int(self[string].start) + 1..<Int(self[string].end) - 1
    }

    /// What a string says, as UTF-8.
    func text(of string: Int, _ bytes: Span<UInt8>) -> [UInt8] {
        let content = bytes.extracting(content(of: string))
        guard self[string].kind == .escapedString else { return [UInt8](copying: content) }
        return unescaped(content)
    }

    fileprivate func haveSameText(_ left: Int, _ right: Int, _ bytes: Span<UInt8>) -> Bool {
        guard self[left].kind == .string, self[right].kind == .string else {
            return text(of: left, bytes) == text(of: right, bytes)
        }
        return bytes.extracting(content(of: left)).isSame(as: bytes.extracting(content(of: right)))
    }
}

extension [UInt8] {
    init(copying bytes: Span<UInt8>) {
        self.init()
        reserveCapacity(bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }
}

extension Span<UInt8> {
    /// Whether both hold the same bytes.
    func isSame(as other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
