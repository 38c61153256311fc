import Foundation
import Testing

/// How the kernel hands connections to a test's daemon.
enum Handover: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// Their destination is rewritten.
    case redirect
    /// They are routed to the daemon unchanged.
    case tproxy

    /// What a bed uses that is told nothing: every test can be run both ways (`PENSTOCK_HANDOVER=tproxy swift test …`).
    static let standard = ProcessInfo.processInfo.environment["PENSTOCK_HANDOVER"].flatMap(Handover.init) ?? .redirect

    /// The ways in which every test of the rules is run: both, or the one that is asked for.
    static let chosen = ProcessInfo.processInfo.environment["PENSTOCK_HANDOVER"] == nil ? allCases : [standard]

    /// What `penstock-init` is told.
    var flags: [String] { self == .redirect ? [] : ["--mode", rawValue] }

    /// What the daemon is told under `listen`, with a comma after it.
    var listen: String { self == .redirect ? "" : "transparent: { tproxy: true }, " }

    /// What the daemon needs until it listens.
    var capabilities: [String] { self == .redirect ? [] : ["net_admin"] }

    var testDescription: String { rawValue }
}
