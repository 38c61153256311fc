/// What a loop does for the resolver that it owns.
///
/// All of it is called on the loop's own thread, some of it from inside a call to the resolver: none of it may call the
/// resolver back.
package protocol ResolverHost: AnyObject {
    /// The interest in a descriptor from now on; both false: forget it, it is about to be closed.
    ///
    /// The descriptor stays the resolver's: the host never closes it.
    func watch(descriptor: Int32, readable: Bool, writable: Bool)

    /// Sets the resolver's one timer, in place of what it was; `nil`: none.
    func schedule(afterMilliseconds: Int?)

    /// Time that never goes back.
    var nowMilliseconds: UInt64 { get }
}
