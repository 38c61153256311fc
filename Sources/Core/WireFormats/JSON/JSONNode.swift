/// A value of a document: where it stands, and where the one after it does.
struct JSONNode: Sendable {
    enum Kind: UInt8, Sendable {
        case object
        case array
        case string
        /// A string in which something is escaped.
        case escapedString
        case number
        case yes
        case no
        case null
    }

    let kind: Kind
    /// The first byte; of a string, its quote.
    let start: UInt32
    /// Past the last byte; of an object and an array known when it is closed.
    var end: UInt32
    /// The node after this one and all that is in it.
    var next: UInt32
}
