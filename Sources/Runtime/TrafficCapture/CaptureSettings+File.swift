import NetworkTypes
import SourceDocuments
import YAMLBindings

extension CaptureSettings {
    /// Reads a configuration file: the flags as keys of one YAML mapping, with `_` for `-` and lists in the plural.
    ///
    /// `mode` is what the command line says, which stands above the file.
    ///
    /// - Throws: everything wrong with the file, each with its place.
    package init(yaml bytes: [UInt8], file: String, mode: CaptureMechanism? = nil) throws(SourceProblems) {
        let limits = YAMLLimits(bytes: 1 << 18, depth: 4, nodes: 2000)
        // What holds comments alone says nothing, and that is no mistake.
        guard let document = try readYAMLDocumentIfAny(bytes, file: file, limits: limits) else {
            self.init()
            return
        }
        self = try MappingReader.read(document, as: "the configuration") { reader in
            var settings = CaptureSettings()
            for flag in CaptureFlag.allCases where !flag.isOfTheRun { settings.read(flag, from: &reader) }
            settings.checkModes(besides: mode, &reader)
            reader.remedyForUnknownKeys = "the keys are \(CaptureFlag.keys.joined(separator: ", "))"
            return settings
        }
    }

    /// Notes keys that mean nothing in the mode that comes of the file and the command line, `mode`.
    private func checkModes(besides mode: CaptureMechanism?, _ reader: inout MappingReader) {
        for flag in CaptureFlag.allCases where reader.has(flag.key) {
            guard let needed = flag.neededMode, needed != mode ?? mechanism else { continue }
            // Then the file is right by itself.
            let isOverruled = needed == mechanism
            reader.note(
                SourceProblem(
                    isOverruled
                        ? "`\(flag.key)` means nothing with `--mode \((mode ?? mechanism).rawValue)` on the command line"
                        : "`\(flag.key)` means nothing without `mode: \(needed.rawValue)`",
                    at: reader.keyLocation(of: flag.key),
                    remedy: isOverruled ? "leave out the one or the other" : "write both, or neither"
                )
            )
        }
    }

    private mutating func read(_ flag: CaptureFlag, from reader: inout MappingReader) {
        var settings = self
        if flag.isRepeatable {
            if reader.has(flag.key) {
                flag.clear(&settings)
                settings.sources[flag] = .file([])
            }
            _ = reader.list(flag.key, of: "values") { node, subject throws(SourceProblem) in
                try settings.take(flag, node, subject)
            }
        } else {
            _ = reader.value(flag.key) { node, subject throws(SourceProblem) in try settings.take(flag, node, subject) }
        }
        self = settings
    }

    private mutating func take(_ flag: CaptureFlag, _ node: SourceNode, _ subject: String) throws(SourceProblem) {
        let text: String
        switch (node.content, flag) {
        case (.boolean(let value), .allowMetadata), (.boolean(let value), .sharedParent): text = "\(value)"
        case (.integer(let value), .proxyPort), (.integer(let value), .explicitPort), (.integer(let value), .dnsPort),
            (.integer(let value), .apiPort), (.integer(let value), .healthPort), (.integer(let value), .inboundPort),
            (.integer(let value), .proxyUser), (.integer(let value), .proxyGroup), (.integer(let value), .mark),
            (.integer(let value), .tproxyPriority), (.integer(let value), .tproxyTable):
            text = "\(value)"
        case (.string(let value), .mode), (.string(let value), .cgroup), (.string(let value), .gateway),
            (.string(let value), .dnsServer), (.string(let value), .bypass), (.string(let value), .exempt),
            (.string(let value), .table), (.string(let value), .mark), (.string(let value), .tproxyMark):
            text = value
        default:
            throw node.mistyped(subject, expected: flag.expected)
        }
        guard flag.apply(text, to: &self) else {
            throw SourceProblem("\(subject) '\(text)': expected \(flag.expected)", at: node.location)
        }
        let before: [SourceLocation] = if case .file(let places) = sources[flag] { places } else { [] }
        sources[flag] = .file(before + [node.location])
    }
}

extension CaptureFlag {
    /// The flag's key in the configuration file: `proxy_port`, `inbound_ports`.
    package var key: String {
        let word = rawValue.split(separator: "-").joined(separator: "_")
        return isRepeatable && self != .exempt && self != .gateway ? word + "s" : word
    }

    /// All keys that the file may have.
    fileprivate static var keys: [String] { allCases.filter { !$0.isOfTheRun }.map(\.key) }
}
