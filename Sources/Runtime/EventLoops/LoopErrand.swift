/// Work that may block, done by a loop's thread while the loop itself is on nobody's hands.
///
/// Where it takes long another thread may take the loop over (`EventLoop.takeOver`), so that a system call that does not come back
/// holds up a thread and no connection.
package protocol LoopErrand: AnyObject, Sendable {
    /// Does the work, on a thread that is not the loop's meanwhile: nothing that lives on the loop may be touched.
    func perform(for loop: EventLoop)
    /// Called in place of the loop's own work behind the errand, where another thread has taken the loop over.
    func finishAlone()
}
