import AuditTrail
import NetworkTypes

/// Which host is looked for: a name or everything below one, as policies write it, or an address.
enum HostQuery: Hashable {
    case pattern(HostPattern)
    case address(IPAddress)

    /// Nil where it is neither.
    init?(_ text: String) {
        if let address = IPAddress(text) {
            self = .address(address)
        } else if let pattern = try? HostPattern(text) {
            self = .pattern(pattern)
        } else {
            return nil
        }
    }

    /// Whether a record of a decision names it.
    func matches(_ record: StoredRecord, in line: borrowing Span<UInt8>) -> Bool {
        switch self {
        case .pattern(let pattern):
            isNamed(pattern, record.text("destination", "name", in: line))
                || isNamed(pattern, record.text("sni", in: line))
                || isNamed(pattern, record.text("authority", in: line))
        case .address(let address):
            isAddress(address, record.text("destination", "original", in: line))
                || isAddress(address, record.text("destination", "dialled", in: line))
                || isAddress(address, record.text("destination", "name", in: line))
        }
    }

    private func isNamed(_ pattern: HostPattern, _ text: String?) -> Bool {
        guard let text else { return false }
        // An authority may have a port behind the name.
        let name = text.split(separator: ":", omittingEmptySubsequences: false).first ?? ""
        guard let host = try? HostName(name) else { return false }
        return pattern.matches(host)
    }

    private func isAddress(_ address: IPAddress, _ text: String?) -> Bool {
        guard let text else { return false }
        return IPAddress(text) == address || IPAddress(hostPart(text)) == address
    }
}

/// Which records are wanted.
struct RecordFilter {
    /// The earliest time, as lines have it.
    let since: [UInt8]?
    let deniedOnly: Bool
    let host: HostQuery?
    /// Allowed things that were shown: their ends are, too.
    private var open: Set<String> = []

    init(since: Int64?, deniedOnly: Bool, host: HostQuery?) {
        self.since = since.map { time in
            var text: [UInt8] = []
            text.append(timestamp: time)
            return text
        }
        self.deniedOnly = deniedOnly
        self.host = host
    }

    /// Whether a record is wanted.
    mutating func wants(_ record: StoredRecord, in line: borrowing Span<UInt8>) -> Bool {
        guard !isTooOld(record, in: line) else { return false }
        guard deniedOnly || host != nil else { return true }
        guard let decision = record.text("decision", in: line) else { return belongs(record, in: line) }
        if deniedOnly, decision != "deny", record.text("would", in: line) != "deny" { return false }
        if let host, !host.matches(record, in: line) { return false }
        if decision == "allow", let id = record.text("id", in: line) { open.insert(id) }
        return true
    }

    /// Whether a record is from before the time that was asked for.
    func isTooOld(_ record: StoredRecord, in line: borrowing Span<UInt8>) -> Bool {
        guard let since else { return false }
        // The same width and the same zone: they sort as text.
        var index = 0
        for byte in since {
            let other = line[record.frame.time.lowerBound + index]
            if other != byte { return other < byte }
            index += 1
        }
        return false
    }

    private mutating func belongs(_ record: StoredRecord, in line: borrowing Span<UInt8>) -> Bool {
        guard let id = record.text("id", in: line) else { return false }
        return open.remove(id) != nil
    }
}
