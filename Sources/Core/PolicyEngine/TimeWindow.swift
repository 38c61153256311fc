/// A stretch of time that comes back every day, or on some days of the week.
package struct TimeWindow: Hashable, Sendable {
    /// The days on which it begins, in its own zone.
    package let days: Set<Weekday>
    /// Minutes after midnight at which it begins, 0 to 1439.
    package let from: Int
    /// Minutes after midnight at which it is over, 1 to 1440; at or before `from`, that is on the day after.
    package let to: Int
    /// Minutes by which its clock is ahead of UTC, -1439 to 1439.
    package let zone: Int

    /// Brings its parts within their bounds.
    package init(days: Set<Weekday> = Set(Weekday.allCases), from: Int = 0, to: Int = 1440, zone: Int = 0) {
        self.days = days
        self.from = min(max(from, 0), 1439)
        self.to = min(max(to, 1), 1440)
        self.zone = min(max(zone, -1439), 1439)
    }
}

/// A day of the week; the raw values are what policies write.
package enum Weekday: String, Hashable, Sendable, CaseIterable {
    case monday = "mon"
    case tuesday = "tue"
    case wednesday = "wed"
    case thursday = "thu"
    case friday = "fri"
    case saturday = "sat"
    case sunday = "sun"
}
