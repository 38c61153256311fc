/// Values by ranges of ports: a segment tree over the stretches between which no range begins or ends.
struct PortTable<Value: Sendable>: Sendable {
    /// The first port of each stretch, ascending; the first is 0.
    private let starts: [UInt16]
    /// The root is 1, the children of `n` are `2n` and `2n + 1`, and the leaves are the stretches.
    private let nodes: [Value?]

    private init(starts: [UInt16], nodes: [Value?]) {
        self.starts = starts
        self.nodes = nodes
    }

    func mapValues<Other>(_ transform: (Value) -> Other) -> PortTable<Other> {
        PortTable<Other>(starts: starts, nodes: nodes.map { $0.map(transform) })
    }

    /// Adds the value of each range, or part of one, that holds a port.
    func collect(_ port: UInt16, into values: inout [Value]) {
        var node = stretch(of: port) + starts.count
        while node >= 1 {
            if let value = nodes[node] { values.append(value) }
            node /= 2
        }
    }

    private func stretch(of port: UInt16) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= port { low = middle } else { high = middle }
        }
        return low
    }
}

extension PortTable where Value == [Int] {
    /// Sorts places of rules in, in ascending order, by their ports; `nil` is any.
    init(_ items: [(ports: [ClosedRange<UInt16>]?, place: Int)]) {
        var edges: Set<UInt16> = [0]
        for range in items.flatMap({ $0.ports ?? [] }) {
            edges.insert(range.lowerBound)
            if range.upperBound < .max { edges.insert(range.upperBound + 1) }
        }
        let starts = edges.sorted()
        let ends = Dictionary(uniqueKeysWithValues: starts.enumerated().map { ($0.element, $0.offset) })
        var nodes: [[Int]?] = Array(repeating: nil, count: starts.count * 2)
        for item in items {
            for range in item.ports ?? [0 ... .max] {
                let first = ends[range.lowerBound] ?? 0
                let last = range.upperBound == .max ? starts.count : ends[range.upperBound + 1] ?? starts.count
                Self.add(item.place, first..<last, &nodes)
            }
        }
        self.init(starts: starts, nodes: nodes)
    }

    /// Puts a place into the few nodes that together stand for some stretches.
    private static func add(_ place: Int, _ stretches: Range<Int>, _ nodes: inout [[Int]?]) {
        var low = stretches.lowerBound + nodes.count / 2
        var high = stretches.upperBound + nodes.count / 2
        while low < high {
            if low % 2 == 1 {
                nodes[low].append(place)
                low += 1
            }
            if high % 2 == 1 {
                high -= 1
                nodes[high].append(place)
            }
            low /= 2
            high /= 2
        }
    }
}
