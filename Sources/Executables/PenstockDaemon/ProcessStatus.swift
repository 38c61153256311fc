import LinuxBindings

/// What the kernel says of this process in /proc/self/status.
struct ProcessStatus {
    private var fields: [Substring: [Substring]] = [:]

    init() {
        let text =
            (try? readFile("/proc/self/status", limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0]] = parts[1].split(whereSeparator: \.isWhitespace)
        }
    }

    /// The names of the sets that hold a capability, with their bits; `nil` where they cannot be read.
    var capabilities: [String]? {
        var held: [String] = []
        for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            guard let word = fields[name[...]]?.first else { return nil }
            if UInt64(word, radix: 16) != 0 { held.append("\(name) \(word)") }
        }
        return held
    }

    /// Whether programs that it started could gain privileges.
    var mayGainPrivileges: Bool { fields["NoNewPrivs"]?.first != "1" }

    /// Whether system calls are filtered.
    var isFiltered: Bool { fields["Seccomp"]?.first == "2" }
}
