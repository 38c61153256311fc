import Foundation

/// Metrics in the Prometheus text format, read strictly.
struct MetricsReading {
    private(set) var values: [String: Int] = [:]
    private(set) var types: [String: String] = [:]

    struct Malformed: Error { let line: String }

    /// Reads what the health port answered: the status on the first line, and then the text.
    init(_ answer: String) throws {
        guard answer.hasPrefix("200\n"), answer.hasSuffix("\n") else { throw Malformed(line: answer) }
        var helped: Set<String> = []
        for line in answer.dropFirst(4).dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.wholeMatch(of: /# HELP ([a-z_]+) (.+)/) {
                guard helped.insert(String(match.1)).inserted else { throw Malformed(line: String(line)) }
            } else if let match = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge)/) {
                guard types.updateValue(String(match.2), forKey: String(match.1)) == nil else {
                    throw Malformed(line: String(line))
                }
            } else {
                try read(line)
            }
        }
        guard helped == Set(types.keys) else { throw Malformed(line: "HELP and TYPE differ") }
    }

    /// A metric without labels, or with all of them as they are written; -1 where there is none.
    subscript(_ name: String) -> Int { values["penstock_" + name] ?? -1 }

    private mutating func read(_ line: Substring) throws {
        guard let match = line.wholeMatch(of: /(penstock_[a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"\})? (-?[0-9]+)/),
            let type = types[String(match.1)], (type == "counter") == match.1.hasSuffix("_total"),
            values.updateValue(Int(match.3) ?? 0, forKey: String(match.1) + (match.2 ?? "")) == nil
        else { throw Malformed(line: String(line)) }
    }
}
