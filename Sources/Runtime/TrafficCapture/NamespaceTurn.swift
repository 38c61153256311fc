import LinuxBindings

/// Does something while no other run of this program changes the rules of this network namespace.
///
/// The lock is on the namespace itself, so that it needs no folder, is nobody's in another namespace, and ends with the process.
/// Everybody in the namespace may take it, an agent too: therefore it is waited for so long and no longer. Two that go on at once
/// leave rules that hold; what suffers is what each reads back. Where the namespace cannot be opened (no /proc) nobody is waited for.
func inTurn<Outcome>(
    waiting milliseconds: Int,
    _ body: () throws(CaptureError) -> Outcome
) throws(CaptureError) -> Outcome {
    guard let namespace = try? openFile("/proc/self/ns/net", [.readOnly]) else { return try body() }
    let pause = 20
    for _ in 0...(milliseconds / pause) {
        if (try? lockExclusively(namespace)) ?? true { break }
        sleepMilliseconds(UInt32(pause))
    }
    defer { unlock(namespace) }
    return try body()
}
