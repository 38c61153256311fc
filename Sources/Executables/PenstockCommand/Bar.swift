/// A bar of a chart, in eighths of a column.
struct Bar {
    /// From 0 to 1.
    let share: Double
    /// In columns.
    let width: Int

    /// Exactly `width` columns.
    var text: String {
        let eighths = Int((max(0, min(1, share)) * Double(width * 8)).rounded())
        let rest = eighths % 8
        // What is not nothing shows.
        let least = share > 0 && eighths == 0 ? "▏" : ""
        let part = rest == 0 ? least : String(Unicode.Scalar(0x2590 - UInt32(rest)).map(Character.init) ?? " ")
        let bar = String(repeating: "█", count: eighths / 8) + part
        return bar + String(repeating: " ", count: width - bar.count)
    }
}
