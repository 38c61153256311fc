import Configuration

/// Who the agent is, as the command line says: in a pod, `$(POD_NAME)` and its like can stand there.
struct WorkloadFlags: Hashable, Sendable {
    private static let names: [String: any WritableKeyPath<WorkloadFlags, String?> & Sendable] = [
        "--workload-namespace": \.namespace,
        "--workload-pod": \.pod,
        "--workload-service-account": \.serviceAccount,
    ]
    /// As Kubernetes names are.
    private static let octets = 253

    private var namespace: String?
    private var pod: String?
    private var serviceAccount: String?

    /// Takes `--workload-pod NAME` or `--workload-pod=NAME` and its like; false where the word is none of them.
    mutating func take(_ word: String, next: () -> String?) throws(Arguments.Misuse) -> Bool {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let flag = parts.first.map(String.init), let path = Self.names[flag] else { return false }
        guard self[keyPath: path] == nil else { throw Arguments.Misuse(text: "\(flag) is given twice") }
        guard let value = parts.count == 2 ? String(parts[1]) : next(), !value.isEmpty else {
            throw Arguments.Misuse(text: "\(flag) needs a name")
        }
        guard value.utf8.count <= Self.octets,
            !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw Arguments.Misuse(text: "\(flag) takes at most \(Self.octets) octets without control characters") }
        self[keyPath: path] = value
        return true
    }

    /// What the configuration says where the command line says nothing.
    func over(_ settings: WorkloadSettings) -> WorkloadSettings {
        var settings = settings
        settings.namespace = namespace ?? settings.namespace
        settings.pod = pod ?? settings.pod
        settings.serviceAccount = serviceAccount ?? settings.serviceAccount
        return settings
    }
}
