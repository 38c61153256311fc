import NetworkTypes

/// The names of a hosts file: they win over DNS and are never asked for there.
package struct HostsFile: Hashable, Sendable {
    private var addresses: [HostName: [IPAddress]] = [:]

    /// A file that names nothing.
    package init() {}

    /// The addresses of a name, in the order of the file.
    package subscript(_ name: HostName) -> [IPAddress]? { addresses[name] }

    /// How many names there are.
    package var count: Int { addresses.count }

    /// What a hosts file may hold at most.
    package struct Limits: Hashable, Sendable {
        package var lines = 10_000
        package var addressesOfName = 64

        package init() {}
    }

    /// Reads lines of an address and at least one name; `#` begins a comment.
    ///
    /// Strictly: a line that is not understood is an error, never passed over, because it would send its name to DNS.
    package init(parsing text: [UInt8], limits: Limits = Limits()) throws(HostsFileProblems) {
        var problems: [HostsFileProblem] = []
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.prefix(limits.lines).enumerated() {
            let fields = fieldsOfLine(line, commentMarks: [UInt8(ascii: "#")])
            guard let first = fields.first else { continue }
            do throws(HostsFileProblem.Kind) {
                try add(first, names: fields.dropFirst(), limits)
            } catch {
                problems.append(HostsFileProblem(line: index + 1, kind: error))
            }
        }
        if lines.count > limits.lines {
            problems.append(HostsFileProblem(line: limits.lines + 1, kind: .tooManyLines))
        }
        guard problems.isEmpty else { throw HostsFileProblems(problems: problems) }
    }

    private mutating func add(
        _ first: String,
        names: ArraySlice<String>,
        _ limits: Limits
    ) throws(HostsFileProblem.Kind) {
        guard let address = IPAddress(first) else { throw .notAnAddress(first) }
        guard !names.isEmpty else { throw .noName }
        for text in names {
            let name: HostName
            do throws(HostName.Malformed) {
                name = try HostName(text)
            } catch {
                throw .notAName(text, error)
            }
            if addresses[name, default: []].contains(address) { continue }
            guard addresses[name, default: []].count < limits.addressesOfName else { throw .tooManyAddresses(name) }
            addresses[name, default: []].append(address)
        }
    }
}

/// One line of a hosts file that is not understood.
package struct HostsFileProblem: Error, Hashable, Sendable {
    /// Counts from 1.
    package let line: Int
    package let kind: Kind

    /// What is wrong with a line.
    package enum Kind: Error, Hashable, Sendable {
        case notAnAddress(String)
        case noName
        case notAName(String, HostName.Malformed)
        case tooManyAddresses(HostName)
        case tooManyLines
    }
}

/// Everything wrong with a hosts file, in the order of its lines.
///
/// Never empty.
package struct HostsFileProblems: Error, Hashable, Sendable {
    package let problems: [HostsFileProblem]
}
