/// Where the unified hierarchy (cgroup v2) is mounted, by the lines of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
package struct ControlGroupMounts: Hashable, Sendable {
    /// Mounts of the whole hierarchy, the last one first: it lies on top where two share a place.
    package var whole: [Mount] = []
    /// True where a part of the hierarchy is mounted: there nobody can tell how deep it begins.
    package var hasParts = false

    /// A place and the device that must be found there.
    package struct Mount: Hashable, Sendable {
        package var path: String
        /// As `stat` tells of it.
        package var device: UInt64
    }

    /// Reads the file; lines that are no mounts of cgroup v2 are passed over.
    package init(mountinfo bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard words.count > 6, let dash = words[6...].firstIndex(of: "-"), dash + 1 < words.count,
                words[dash + 1] == "cgroup2", let device = Self.device(words[2])
            else { continue }
            if words[3] == "/" {
                whole.insert(Mount(path: Self.unescaped(words[4]), device: device), at: 0)
            } else {
                hasParts = true
            }
        }
    }

    /// `MAJOR:MINOR`, as the C library packs it (makedev(3)).
    private static func device(_ text: String) -> UInt64? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let major = decimal(parts[0]), let minor = decimal(parts[1]) else { return nil }
        let (major64, minor64) = (UInt64(major), UInt64(minor))
        return (major64 & 0xfff) << 8 | (major64 & ~0xfff) << 32 | minor64 & 0xff | (minor64 & ~0xff) << 12
    }

    /// Spaces, tabs, line ends and backslashes stand as three octal digits.
    private static func unescaped(_ text: String) -> String {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.popFirst() {
            let digits = rest.prefix(3)
            let isOctal = { (octet: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(octet) }
            guard first == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy(isOctal) else {
                octets.append(first)
                continue
            }
            octets.append(digits.reduce(0) { $0 << 3 | ($1 - UInt8(ascii: "0")) })
            rest = rest.dropFirst(3)
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
