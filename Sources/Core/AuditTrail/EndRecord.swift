/// A record of how something that was allowed came to its end.
package protocol EndRecord: RecordBody {
    var id: RecordIdentifier { get set }
    /// An end of which nothing but the outcome is known.
    init(id: RecordIdentifier, outcome: ConnectionOutcome)
}
