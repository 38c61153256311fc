import NetworkTypes

extension HostName.Malformed {
    /// The word for it in a record's `detail`.
    var detail: String { rawValue }
}
