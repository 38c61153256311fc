extension AdditionPath {
    /// True of a place where the guard adds something, whatever its options are, or which it makes for that.
    ///
    /// Whatever a record names is taken out, so one that names any other place is not of ours, and not to be believed.
    package var isOfGuard: Bool {
        guard let last = steps.last, last != .anyItem else { return false }
        return Self.places.contains { place in
            place.count >= steps.count
                && zip(place, steps).allSatisfy { $0 == $1 || $0 == .anyItem && $1.isItem }
                && !Self.ofAuthor.contains(Array(place[..<steps.count]))
        }
    }

    /// What is there before the guard comes, although what it adds is below.
    private static let ofAuthor: Set<[Step]> = Set(
        [["spec"], ["spec", "containers"]].map { $0.map(Step.key) }
            + ["initContainers", "containers"].map { [.key("spec"), .key($0), .anyItem] }
    )

    /// Every place, without those above it.
    private static let places: [[Step]] = {
        let whole: [AdditionPath] = [
            AdditionPath().key("metadata").key("labels").key(Guard.label),
            AdditionPath().key("metadata").key("annotations").key(annotation),
        ]
        let spec = AdditionPath().key("spec")
        let flags = ["automountServiceAccountToken", "terminationGracePeriodSeconds"].map(spec.key)
        let context = ["runAsNonRoot", "seccompProfile"].map(spec.key("securityContext").key)
        let volumes = Guard.volumes.map(spec.key("volumes").item)
        let containers = ["initContainers", "containers"].map(spec.key)
        let ours = containers.flatMap { Guard.containers.map($0.item) }
        let inside = containers.map { AdditionPath($0.steps + [.anyItem]) }.flatMap { container in
            let context = container.key("securityContext")
            return ["runAsUser", "runAsGroup", "allowPrivilegeEscalation"].map(context.key) + [
                context.key("capabilities").key("drop").item("ALL"),
                AdditionPath(container.key("env").steps + [.anyItem]),
                container.key("volumeMounts").item(Guard.trustVolume),
            ]
        }
        let secret = AdditionPath(spec.key("imagePullSecrets").steps + [.anyItem])
        return (whole + flags + context + volumes + ours + inside + [secret]).map(\.steps)
    }()
}

extension AdditionPath.Step {
    /// Stands for every name: no item has none.
    fileprivate static let anyItem = AdditionPath.Step.item("")

    fileprivate var isItem: Bool {
        if case .item = self { true } else { false }
    }
}
