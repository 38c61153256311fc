import LinuxBindings

/// Options that several commands below `audit` have.
extension Options {
    /// The host of `--host`; nil where it was not given.
    func host() throws(Misuse) -> HostQuery? {
        guard let text = value("--host") else { return nil }
        guard let host = HostQuery(text) else {
            throw misuse("--host '\(text)' is no host; write example.com, *.example.com or an address")
        }
        return host
    }

    /// The time of an option, in microseconds since 1970-01-01T00:00:00Z; nil where it was not given.
    func pastTime(_ name: String) throws(Misuse) -> Int64? {
        guard let text = value(name) else { return nil }
        guard let time = readPastTime(text, now: wallClockMicroseconds()) else {
            throw misuse("\(name) '\(text)' is no time; write 2026-11-21T10:15:04Z, or 10m, 2h, 7d")
        }
        return time
    }
}
