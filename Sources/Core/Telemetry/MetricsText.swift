/// The Prometheus text exposition format, version 0.0.4, as it is written out.
package struct MetricsText {
    /// The lines so far.
    package private(set) var text = ""

    package init() {}

    /// Writes one metric with a sample for each label value.
    ///
    /// - Parameters:
    ///   - name: By convention `penstock_…`, a counter's ending in `_total`.
    ///   - kind: `counter` or `gauge`.
    ///   - help: One line, without a backslash.
    ///   - label: The label that tells the samples apart; `nil` where there is one sample alone.
    ///   - samples: The label's value, and the number.
    package mutating func write(
        _ name: String,
        kind: String,
        help: String,
        label: String? = nil,
        samples: [(value: String, count: Int64)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
        for sample in samples {
            text += label.map { "\(name){\($0)=\"\(Self.escaped(sample.value))\"}" } ?? name
            text += " \(sample.count)\n"
        }
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
