extension [UInt8] {
    /// Appends a number in decimal, without leading zeros.
    mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        append(decimal: value, from: divisor)
    }

    /// Appends a number in `width` digits, the higher ones of a longer number left out.
    ///
    /// `width` is 1 to 19.
    mutating func append(decimal value: UInt64, width: Int) {
        var divisor: UInt64 = 1
        for _ in 1..<width { divisor *= 10 }
        append(decimal: value, from: divisor)
    }

    private mutating func append(decimal value: UInt64, from highest: UInt64) {
        var divisor = highest
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}
