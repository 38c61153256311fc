/// How far content is looked into before it is refused.
///
/// Immutable.
package struct InspectionLimits: Hashable, Sendable {
    /// The most codings, one over the other.
    package var codings = 3
    /// How many octets may be made of one in being decoded, on the average of all so far.
    package var expansion: UInt64 = 256
    /// How many octets may be made before `expansion` counts.
    package var expansionFree: UInt64 = 1_048_576
    /// The most octets of one message, decoded.
    package var decodedBytes: UInt64 = 1 << 36
    /// The most octets, as they are sent, that are held back of one direction.
    package var heldBytes = 1_048_576
    /// The most octets of one server-sent event, and of one line of it.
    package var eventBytes = 1_048_576
    /// How many octets a step of decoding makes at most.
    package var stepBytes = 32768

    package init() {}
}
