/// What bounds how many bytes a flow may carry.
///
/// Lives on the flow's loop.
package protocol FlowMeter: AnyObject {
    /// How many bytes may be taken from the source now.
    var allowance: Int { get }

    /// So many were taken; never more than `allowance`.
    func spend(_ count: Int)

    /// Gets a new allowance, where there is none; false where there is none now.
    ///
    /// The meter then has the flow pumped again as soon as there is, or has it ended.
    func refill() -> Bool
}
