/// What a record tells of.
///
/// Its raw value is the `kind` of the line.
package enum RecordKind: String, CaseIterable, Sendable {
    /// A connection was judged.
    case connection
    /// An allowed connection is over.
    case connectionEnd = "connection_end"
    /// An HTTP request was judged.
    case request
    /// An allowed request is over.
    case requestEnd = "request_end"
    /// The governance API was asked.
    case check
    /// A policy was loaded or refused.
    case policy
    /// The daemon started, drained, stopped, or repaired the file.
    case lifecycle
    /// What is known of the kernel's rules is another than before.
    case ruleset
    /// What stands before it in the chain was signed.
    case checkpoint
    /// A key was published that signs checkpoints from here on.
    case key
}
