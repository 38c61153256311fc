/// What makes a plan of the kernel's rules less than a boundary.
package struct PlanWeakness: Hashable, Sendable {
    /// What is weak; its raw value is the word that the admin socket's protocol has for it.
    package enum Kind: String, CaseIterable, Sendable {
        /// A user or a group is let out by its owner.
        case exemption
        /// The addresses of a cloud's metadata are let by.
        case metadata
        /// The cgroup above a captured one is not fenced.
        case sharedParent = "shared_parent"
        /// An interface of a gateway by which nothing may come in.
        case gatewayInterface = "gateway_interface"
        /// Of another version of `penstock-init`, or said without its kind.
        case other

        /// What to do about it; nil where the text says it.
        package var remedy: String? {
            switch self {
            case .exemption: "install without that exemption"
            case .metadata: "install without that bypass"
            case .sharedParent: "give the service a slice of its own, and install without --shared-parent"
            case .gatewayInterface: nil
            case .other: "run penstock-init install again without it; it says what it is about"
            }
        }
    }

    package let kind: Kind
    /// One line for people.
    package let text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}

extension [PlanWeakness] {
    /// Puts kinds to texts; what has none, or one that this version does not know, is weak all the same.
    init(_ texts: [String], kinds: [String]) {
        self = texts.enumerated().map { index, text in
            let word = index < kinds.count ? kinds[index] : ""
            return PlanWeakness(PlanWeakness.Kind(rawValue: word) ?? .other, text)
        }
    }
}
