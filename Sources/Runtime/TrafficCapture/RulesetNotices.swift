import NetfilterBindings

/// Tells when something has changed in the packet filter, or the routing, of this network namespace, whoever changed it.
package struct RulesetNotices: ~Copyable {
    private let notifications: NetfilterNotifications
    private let routing: NetfilterNotifications

    /// Starts to listen; to the routing as well where the plan has some.
    package init(_ plan: CapturePlan) throws(CaptureError) {
        // Noncopyable members are made before either is put in its place: docs/workarounds.md.
        let notifications = try Self.listening(to: .packetFilter)
        let routing = try Self.listening(to: plan.routes == nil ? .nothing : .routing)
        self.init(notifications, routing)
    }

    private init(_ notifications: consuming NetfilterNotifications, _ routing: consuming NetfilterNotifications) {
        self.notifications = notifications
        self.routing = routing
    }

    private static func listening(to subject: NetfilterNotifications.Subject) throws(CaptureError)
        -> NetfilterNotifications
    {
        do throws(NetfilterError) {
            return try NetfilterNotifications(subject)
        } catch { throw TrafficCapture.judged(error) }
    }

    /// One of them is readable once something has changed.
    package var numbers: [Int32] { [notifications.number, routing.number] }

    /// Takes all notices so far.
    package func takeAll() {
        notifications.takeAll()
        routing.takeAll()
    }
}

extension CaptureError {
    /// True where the tables, or policy routing, changed all the time while they were read.
    package var isRestless: Bool { self == .kernel(.restless) || self == .routing(.netlink(.restless)) }

    /// True where somebody else has changed the same things at the same time, and another attempt may go through.
    package var isRace: Bool {
        if isRestless { return true }
        return switch self {
        case .notAsLoaded, .routing(.refused(_, KernelErrors.alreadyThere, _)),
            .routing(.refused(_, KernelErrors.noEntry, _)):
            true
        case .notPermitted, .missingFeature, .installerIsDaemon, .kernel, .conflict, .routing, .refused: false
        }
    }
}
