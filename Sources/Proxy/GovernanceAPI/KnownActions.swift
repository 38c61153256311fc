import PolicyEngine

/// What an action says of the traffic that is to come.
enum ActionTraffic {
    /// The action alone does not tell what will be spoken.
    case any
    case tls
}

/// The actions that are questions about traffic; every other is denied.
///
/// In docs/governance-api.md.
let knownActions: [String: ActionTraffic] = [
    "http": .any, "http.request": .any, "http_request": .any, "fetch": .any, "web.fetch": .any, "web_fetch": .any,
    "network.connect": .any, "network.egress": .any, "network.request": .any, "egress": .any, "tcp.connect": .any,
    "tls.connect": .tls,
]
