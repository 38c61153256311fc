/// What only the answers of an API have members for.
extension JSONMembers {
    /// Adds `true` or `false`.
    package mutating func boolean(_ name: String, _ value: Bool) {
        begin(name)
        put(value ? "true" : "false")
    }

    /// Adds `null`.
    package mutating func null(_ name: String) {
        begin(name)
        put("null")
    }

    /// Adds a number of thousandths, with three digits behind the point.
    package mutating func thousandths(_ name: String, _ value: UInt64) {
        begin(name)
        put(value / 1000)
        let rest = value % 1000
        put(rest < 10 ? ".00" : rest < 100 ? ".0" : ".")
        put(rest)
    }

    /// Adds what is a JSON text already, as it is.
    package mutating func json(_ name: String, _ text: [UInt8]) {
        begin(name)
        put(text.span)
    }

    /// Adds a list of so many objects, each with the members that `body` adds for its index.
    package mutating func objects(_ name: String, count: Int, _ body: (Int, inout JSONMembers) -> Void) {
        begin(name)
        put("[")
        for index in 0..<count {
            put(index == 0 ? "{" : ",{")
            body(index, &self)
            put("}")
        }
        put("]")
    }
}
