import NetfilterBindings

/// Tells when something has changed in the packet filter of this network namespace, whoever changed it.
package struct RulesetNotices: ~Copyable {
    private let notifications: NetfilterNotifications

    /// Starts to listen.
    package init() throws(CaptureError) {
        do throws(NetfilterError) {
            notifications = try NetfilterNotifications()
        } catch { throw TrafficCapture.judged(error) }
    }

    /// Readable once something has changed.
    package var number: Int32 { notifications.number }

    /// Takes all notices so far.
    package func takeAll() { notifications.takeAll() }
}

extension CaptureError {
    /// True where the tables changed all the time while they were read.
    package var isRestless: Bool { self == .kernel(.restless) }
}
