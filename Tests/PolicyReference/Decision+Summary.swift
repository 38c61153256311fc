import NetworkTypes
import PolicyEngine

extension Decision {
    /// `allow rule_allow by NAME, dial name:x [203.0.113.1]`, for tables.
    package var summary: String {
        var text = "\(verdict) \(reason.rawValue)"
        if wouldDeny { text += " (would deny)" }
        if let rule { text += " by \(rule)" }
        switch dial {
        case .name(let name): text += ", dial \(name)"
        case .original: text += ", dial original"
        case nil: break
        }
        if let addresses { text += " \(addresses.map(\.description).joined(separator: " "))" }
        for draw in draws {
            let counter = draw.counter
            text += ", draws \(counter.rule) \(counter.quantity.rawValue) \(counter.subject.scope.rawValue)"
            text += " '\(counter.subject.key)'\(draw.isOnTrial ? " on trial" : "")"
        }
        return text
    }
}
