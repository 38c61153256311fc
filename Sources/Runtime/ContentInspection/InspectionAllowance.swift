/// How much memory all that is looked into may take together: what is held back or read ahead, and what decoders keep.
///
/// Lives on one loop.
package final class InspectionAllowance {
    /// The most octets.
    package let most: Int
    /// Octets that are taken now.
    package private(set) var taken = 0
    private let whenChanged: (Int) -> Void

    /// Allows `most` octets, and tells `whenChanged` by how many more, or less, are taken each time.
    package init(_ most: Int, whenChanged: @escaping (Int) -> Void = { _ in }) {
        self.most = most
        self.whenChanged = whenChanged
    }

    fileprivate func change(from old: Int, to new: Int) -> Bool {
        guard new <= old || new - old <= most - taken else { return false }
        taken += new - old
        if new != old { whenChanged(new - old) }
        return true
    }
}

/// What one message has taken of an allowance; it goes back when this does.
///
/// Lives on one loop.
package final class InspectionShare {
    private let allowance: InspectionAllowance?
    private var taken = 0

    /// Takes nothing yet; without an allowance there is no bound.
    package init(of allowance: InspectionAllowance?) {
        self.allowance = allowance
    }

    /// Takes `count` octets in all; false, and nothing has changed, where there are not so many left.
    package func take(_ count: Int) -> Bool {
        guard let allowance else { return true }
        guard allowance.change(from: taken, to: count) else { return false }
        taken = count
        return true
    }

    deinit {
        _ = allowance?.change(from: taken, to: 0)
    }
}
