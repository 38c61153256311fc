import NetworkTypes
import PolicyEngine

/// A rule that was made of traffic, and how often each of its items was seen.
package struct LearnedRule: Sendable {
    package let rule: Rule
    /// What is written above it, line by line.
    let comments: [String]
    /// Behind each item of `hosts`, or of `cidrs` where there are no hosts.
    let sightings: [String: LearnedTraffic.Sighting]
}

/// The rules that allow recorded traffic, the fewest that say it plainly.
package struct LearnedPolicy: Sendable {
    package let rules: [LearnedRule]
    /// What of the traffic these rules do not allow, because no rule could.
    package let notAllowed: [Question]
    let name: String

    /// - Parameters:
    ///   - traffic: what was recorded.
    ///   - name: the policy's name.
    ///   - wildcards: names below one of these are written as it is.
    ///   - pathLimit: how many paths a rule lists before it summarises them.
    ///   - canIntercept: whether the policy is for a daemon that looks into TLS.
    package init(
        of traffic: LearnedTraffic,
        name: String,
        wildcards: [HostPattern],
        pathLimit: Int,
        canIntercept: Bool = false
    ) {
        self.name = name
        var builder = RuleBuilder(wildcards: wildcards, pathLimit: pathLimit)
        rules = builder.rules(traffic)
        let policy = Policy(
            name: name,
            mode: .enforce,
            defaultAction: .deny,
            hash: "",
            rules: rules.map(\.rule),
            canIntercept: canIntercept
        )
        notAllowed = traffic.accounts.values.flatMap(\.examples).filter { !Judgement($0, by: policy).isAllowed }
    }
}
