import SQLiteBindings

/// The numbers of texts in the table `texts`, with the ones used last at hand.
///
/// It lives no longer than its update: where a transaction is taken back, numbers given in it are nobody's.
struct TextNumbers {
    /// Together with `cachedBytes` this bounds the memory: hosts are as many as agents make up.
    private static let cachedTexts = 20_000
    /// Longer texts are looked up each time.
    private static let cachedBytes = 256

    private var numbers: [String: Int64] = [:]
    private let find: SQLiteStatement
    private let add: SQLiteStatement
    private let connection: SQLiteConnection

    init(_ connection: SQLiteConnection) throws(SQLiteError) {
        self.connection = connection
        find = try connection.prepare("SELECT number FROM texts WHERE text = ?")
        add = try connection.prepare("INSERT INTO texts (text) VALUES (?)")
    }

    /// The number of a text, which gets one where it has none.
    mutating func number(of text: String?) throws(SQLiteError) -> SQLiteValue {
        guard let text else { return .null }
        if let number = numbers[text] { return .integer(number) }
        let number = try lookUp(text)
        if text.utf8.count <= Self.cachedBytes {
            if numbers.count >= Self.cachedTexts { numbers.removeAll(keepingCapacity: true) }
            numbers[text] = number
        }
        return .integer(number)
    }

    private func lookUp(_ text: String) throws(SQLiteError) -> Int64 {
        try find.bind([.text(text)])
        defer { find.reset() }
        if try find.step(), let number = try find.integer(0) { return number }
        try add.run([.text(text)])
        return connection.lastInsertedRow
    }
}
