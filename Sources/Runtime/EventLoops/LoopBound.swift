/// Something that lives on one loop, held by somebody who does not: it can be named anywhere and touched only there.
package struct LoopBound<Value>: @unchecked Sendable {
    // @unchecked: the value is reached through `value(on:)` alone, which runs on the loop's thread.
    private let value: Value
    package let loop: EventLoop

    /// Binds a value that was made on the loop.
    package init(_ value: Value, on loop: isolated EventLoop) {
        self.value = value
        self.loop = loop
    }

    /// Binds a value that lives on `loop`, on whose thread the caller is, and stops the process where it is not.
    init(_ value: Value, onCurrent loop: EventLoop) {
        loop.preconditionIsolated()
        self.value = value
        self.loop = loop
    }

    /// The value, for code that runs on its loop.
    package func value(on loop: isolated EventLoop) -> Value {
        precondition(loop === self.loop, "a value is touched only on its own loop")
        return value
    }
}
