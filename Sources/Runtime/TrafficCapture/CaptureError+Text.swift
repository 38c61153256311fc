import LinuxBindings
import NetfilterBindings
import NetworkTypes

extension CaptureError: CustomStringConvertible {
    /// What failed, with what, and what to do: one line.
    package var description: String {
        switch self {
        case .notPermitted:
            "the kernel's packet filter needs CAP_NET_ADMIN: give the container that capability (securityContext: "
                + "capabilities: add: [NET_ADMIN])"
        case .missingFeature(let name):
            "the kernel lacks \(name): load the module, or run on a kernel that has it; nothing was changed"
        case .installerIsDaemon(let owner):
            "running as \(owner), the daemon's own user and group: the rules let that owner by, so no probe could show that "
                + "they capture; run penstock-init as another user, such as 0:0"
        case .notAsLoaded(let differences):
            "the rules were loaded but read back different: \(differences.first ?? ""); something else changes them"
        case .conflict(let conflicts):
            "policy routing of others is in the way of --mode tproxy: \(conflicts.joined(separator: "; ")); nothing was changed"
        case .routing(.refused(let change, let code, let words)):
            "the kernel refused '\(change.text)': \(errorText(code))\(words.isEmpty ? "" : " (\(words))"); nobody is captured "
                + "by it yet"
        case .routing(.netlink(let error)): "routing: " + error.text + "; nothing was changed"
        case .refused(let change, let code):
            "the kernel refused '\(change)': \(errorText(code)); nothing was changed"
        case .kernel(let error): error.text + "; nothing was changed"
        }
    }

    /// The exit status of the program (sysexits.h where it has a fitting one).
    package var exitStatus: Int32 {
        switch self {
        case .notPermitted: 77
        case .missingFeature: 69
        case .installerIsDaemon: 64
        case .conflict: 72
        case .notAsLoaded, .refused, .kernel, .routing: 70
        }
    }
}

extension NetfilterError {
    fileprivate var text: String {
        switch self {
        case .socket(let call, let code): "the netlink socket failed at \(call): \(errorText(code))"
        case .refused(_, let code): "the kernel refused the transaction: \(errorText(code))"
        case .unreadable(let code): "the kernel's tables cannot be read: \(errorText(code))"
        case .restless: "the kernel's tables changed all the time while they were read: find out what changes them"
        case .unknownExpression(let name): "this libnftnl does not know the expression '\(name)'"
        case .malformedAnswer: "the kernel's answer cannot be understood"
        case .outOfMemory: "out of memory"
        }
    }
}

extension CaptureProbe {
    /// The line of the report.
    package var text: String {
        let place = controlGroup.map { " in \($0)" } ?? ""
        let name = (family == .ipv4 ? "ipv4" : "ipv6") + place
        return switch outcome {
        case .captured: "probe: \(name) captured"
        case .notCaptured: "probe: \(name) NOT captured: it went out and the counter of the redirect did not rise"
        case .noRoute: "probe: \(name) has no route here, nothing to test"
        case .refused(let code): "probe: \(name) NOT captured: the kernel refused it (\(errorText(code)))"
        case .notEntered(let reason): "probe: \(name) not tested: the cgroup cannot be entered (\(reason))"
        case .exempt: "probe: \(name) not tested: penstock-init itself runs as an exempt owner"
        case .gateway:
            "probe: \(name) not probed: gateway: what is captured comes in from others; try it from behind it"
        }
    }
}
