extension TimeWindow {
    private static let day: Int64 = 86_400

    /// True where the moment, in seconds since the epoch, lies in the window; its last second is the one before `to`.
    package func contains(_ moment: Int64) -> Bool {
        let local = localTime(moment)
        let today = (local.day, local.second)
        return begins(on: today.0) && today.1 >= fromSecond && (isOverMidnight || today.1 < toSecond)
            || isOverMidnight && begins(on: today.0 - 1) && today.1 < toSecond
    }

    /// When the window next begins or ends, after a moment; both in seconds since the epoch.
    ///
    /// `nil` for one that is always or never open.
    package func nextBoundary(after moment: Int64) -> Int64? {
        let local = localTime(moment)
        // The second at which it ends on the day after is that of a window that begins on the eighth day, too.
        let edges = (Int64(-1)...8).flatMap { offset -> [Int64] in
            let midnight = (local.day + offset) * Self.day
            return [midnight + fromSecond, midnight + toSecond]
        }
        let moments = edges.map { $0 - zoneSeconds }.filter { $0 > clamped(moment) }.sorted()
        return moments.first { contains($0) != contains($0 - 1) }
    }

    private var isOverMidnight: Bool { to <= from }
    private var fromSecond: Int64 { Int64(from) * 60 }
    private var toSecond: Int64 { Int64(to) * 60 }
    private var zoneSeconds: Int64 { Int64(zone) * 60 }

    /// Days since the epoch and seconds since midnight, on the window's own clock.
    private func localTime(_ moment: Int64) -> (day: Int64, second: Int64) {
        let local = clamped(moment) + zoneSeconds
        let second = ((local % Self.day) + Self.day) % Self.day
        return ((local - second) / Self.day, second)
    }

    /// Beyond thirty million years, any clock is wrong, and nothing may overflow.
    private func clamped(_ moment: Int64) -> Int64 {
        min(max(moment, -1_000_000_000_000_000), 1_000_000_000_000_000)
    }

    /// The epoch was a Thursday.
    private func begins(on day: Int64) -> Bool {
        let index = Int(((day + 3) % 7 + 7) % 7)
        return days.contains(Weekday.allCases[index])
    }
}

extension Policy {
    /// When a time window of any rule next begins or ends, after a moment; both in seconds since the epoch.
    ///
    /// `nil` where no rule asks for the time.
    package func nextBoundary(after moment: Int64) -> Int64? {
        compiled.traits.timeWindows.compactMap { $0.nextBoundary(after: moment) }.min()
    }
}
