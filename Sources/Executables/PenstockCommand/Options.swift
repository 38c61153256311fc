/// The words of one command: its options, and its operands, which may stand between them.
///
/// An option's value is the next word, or stands behind `=`. Behind `--` there are operands only.
struct Options {
    private(set) var operands: [String] = []
    private(set) var wantsHelp = false
    private var values: [String: [String]] = [:]
    private let topic: HelpTopic

    /// How an option is written.
    struct Form {
        var name: String
        var kind: Kind

        enum Kind {
            case flag
            case value
            case values
        }

        static func flag(_ name: String) -> Form { Form(name: name, kind: .flag) }
        static func value(_ name: String) -> Form { Form(name: name, kind: .value) }
        static func values(_ name: String) -> Form { Form(name: name, kind: .values) }
    }

    init(_ words: ArraySlice<String>, _ forms: [Form], _ topic: HelpTopic) throws(Misuse) {
        self.topic = topic
        var rest = words
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                return
            }
            if word == "--help" || word == "-h" {
                wantsHelp = true
            } else if word.hasPrefix("-"), word != "-" {
                try take(word, &rest, forms)
            } else {
                operands.append(word)
            }
        }
    }

    /// True where the flag was given.
    func has(_ name: String) -> Bool { values[name] != nil }

    /// The value of an option; `nil` where it was not given.
    func value(_ name: String) -> String? { values[name]?.first }

    /// Every value of an option that may be repeated, in the order given.
    func all(_ name: String) -> [String] { values[name] ?? [] }

    /// The value of an option that must be there.
    func required(_ name: String, _ placeholder: String) throws(Misuse) -> String {
        guard let value = value(name) else { throw misuse("\(name) \(placeholder) is required") }
        return value
    }

    func refuseOperands(after allowed: Int = 0) throws(Misuse) {
        guard operands.count > allowed else { return }
        throw misuse("one word too many: '\(operands[allowed])'")
    }

    func misuse(_ text: String) -> Misuse { Misuse(text, topic) }

    private mutating func take(_ word: String, _ rest: inout ArraySlice<String>, _ forms: [Form]) throws(Misuse) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        guard let form = forms.first(where: { $0.name == name }) else {
            throw Misuse(unknown: "option", name, among: forms.map(\.name) + ["--help"], topic)
        }
        let given = parts.count > 1 ? parts[1] : nil
        switch form.kind {
        case .flag:
            guard given == nil else { throw misuse("\(name) takes no value") }
            values[name] = []
        case .value:
            guard values[name] == nil else { throw misuse("\(name) is given twice") }
            values[name] = [try value(given, &rest, of: name)]
        case .values:
            values[name, default: []].append(try value(given, &rest, of: name))
        }
    }

    private func value(
        _ given: String?,
        _ rest: inout ArraySlice<String>,
        of name: String
    ) throws(Misuse) -> String {
        if let given { return given }
        guard let value = rest.first, !value.hasPrefix("--") else { throw misuse("\(name) needs a value") }
        rest.removeFirst()
        return value
    }
}
