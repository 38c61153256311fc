/// How the rules are watched.
package struct WatchSettings: Hashable, Sendable {
    /// The daemon's Unix socket.
    package var socket = "/run/penstock/admin.sock"
    /// The rules are compared after each change, and at the latest after so many seconds.
    package var seconds: UInt32 = 10

    package init() {}
}

extension CaptureArguments {
    /// How to watch; nil where that is not asked for.
    package var watch: WatchSettings? {
        guard command == .watch || given.contains(where: { $0.flag == .watch }) else { return nil }
        var settings = WatchSettings()
        for one in given {
            if one.flag == .watchSeconds { settings.seconds = decimal(one.value) ?? settings.seconds }
            if one.flag == .adminSocket { settings.socket = one.value }
        }
        return settings
    }

    /// The flag of watching that stands with a command, or without `--watch`, where it means nothing.
    var misplaced: CaptureFlag? {
        let flags = given.map(\.flag)
        if command != .verify, flags.contains(.watch) { return .watch }
        guard !flags.contains(.watch), command != .watch else { return nil }
        return flags.first { $0 == .watchSeconds || $0 == .adminSocket }
    }
}
