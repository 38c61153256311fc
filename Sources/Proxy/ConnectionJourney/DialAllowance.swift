import PolicyEngine

/// How many attempts to connect may run on one loop beside the first of their races: each has a descriptor.
///
/// Lives on that loop.
final class DialAllowance {
    private var left: Int
    /// Of those who have some.
    private var taken: [ConnectionOwner?: Int] = [:]

    init(_ count: Int) {
        left = count
    }

    /// Takes so many for a user, or gives back those that are less than none.
    ///
    /// False where there are not as many, or fewer than this user would have would be left for all others.
    func take(_ count: Int, for owner: ConnectionOwner?) -> Bool {
        let own = taken[owner, default: 0] + count
        guard count <= 0 || own <= left - count else { return false }
        left -= count
        taken[owner] = own == 0 ? nil : own
        return true
    }
}
