/// What a reader made of the bytes so far; broken input is a typed throw beside it.
package enum Reading<Value> {
    /// The answer is not in these bytes; with fewer than `total` of them it can only be that they are broken.
    case needMore(total: Int)
    case value(Value)
    /// The bytes are sound for all that this reader knows, but they are not its protocol.
    case notThis
}

extension Reading: Sendable where Value: Sendable {}

extension Reading: Equatable where Value: Equatable {}

extension Reading {
    /// The same answer, its value turned into something else.
    func map<Other>(_ transform: (Value) -> Other) -> Reading<Other> {
        switch self {
        case .needMore(let total): .needMore(total: total)
        case .value(let value): .value(transform(value))
        case .notThis: .notThis
        }
    }
}
