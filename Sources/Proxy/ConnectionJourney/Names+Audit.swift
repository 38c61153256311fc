import NetworkTypes

extension HostName.Malformed {
    /// The word for it in a record's `detail`.
    var detail: String {
        switch self {
        case .empty: "empty"
        case .tooLong: "too_long"
        case .badLabel: "bad_label"
        case .controlOctet: "control_octet"
        case .notLDH: "not_ldh"
        case .addressLiteral: "address_literal"
        }
    }
}
