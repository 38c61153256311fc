import NetworkTypes
import SourceDocuments

extension Policy {
    /// Names that mean more than they say, or something else.
    static func nameWarnings(_ rule: LocatedRule, canIntercept: Bool) -> [SourceProblem] {
        guard let hosts = rule.rule.match.hosts else { return [] }
        let isBlind = rule.rule.isBlind
        var warnings: [SourceProblem] = []
        for (pattern, location) in zip(hosts, rule.itemLocations.hosts) {
            if let network = pattern.sharedNetwork, isBlind {
                warnings.append(frontingWarning(pattern, network, rule.rule.action, canIntercept, at: location))
            }
            if let problem = incompleteness(pattern) {
                warnings.append(
                    SourceProblem(
                        "`\(pattern)` \(problem), and is looked up here as it stands",
                        at: location,
                        remedy: "write the whole name, such as redis.default.svc.cluster.local"
                    )
                )
            }
        }
        return warnings
    }

    private static func frontingWarning(
        _ pattern: HostPattern,
        _ network: String,
        _ action: RuleAction,
        _ canIntercept: Bool,
        at location: SourceLocation
    ) -> SourceProblem {
        SourceProblem(
            "`\(pattern)` is served by a network that many share (\(network)): behind that name, an unread request may ask "
                + "for any other customer of it",
            at: location,
            remedy: canIntercept
                ? "write `inspect` instead of `\(action.rawValue)`, or a name of your own"
                : "name a host that is not shared; without interception nobody sees whom a request is for"
        )
    }

    private static func incompleteness(_ pattern: HostPattern) -> String? {
        let name =
            switch pattern {
            case .exact(let name), .below(let name): name.text
            }
        if name.hasSuffix(".svc") || name.hasSuffix(".svc.cluster") || name == "svc" {
            return "is what the search path of a pod completes"
        }
        guard case .exact = pattern, !name.utf8.contains(UInt8(ascii: ".")) else { return nil }
        return "is a single label, which search paths complete"
    }
}

extension Rule {
    /// True where the rule lets TLS through that nobody looks into.
    fileprivate var isBlind: Bool {
        guard protocols?.contains(.tls) ?? true else { return false }
        return switch action {
        case .tunnel: true
        case .allow: !match.looksInside
        case .inspect, .deny: false
        }
    }
}

extension HostPattern {
    /// The domain of a content delivery network that the pattern lies in; `nil` where none is known.
    var sharedNetwork: String? {
        let name =
            switch self {
            case .exact(let name), .below(let name): name.text
            }
        if isObjectStorage(name) { return "Amazon S3" }
        var rest = name[...]
        while true {
            if sharedNetworks.contains(String(rest)) { return String(rest) }
            guard let dot = rest.firstIndex(of: ".") else { return nil }
            rest = rest[rest.index(after: dot)...]
        }
    }
}

/// Networks that answer for all their customers at the same addresses, and find the customer by what is inside TLS.
private let sharedNetworks: Set = [
    "cloudfront.net", "fastly.net", "fastlylb.net", "akamaiedge.net", "akamaized.net", "akamaihd.net", "edgekey.net",
    "edgesuite.net", "azureedge.net", "azurefd.net", "workers.dev", "pages.dev", "cdn.cloudflare.net", "b-cdn.net",
    "cdn77.org", "kxcdn.com", "stackpathdns.com", "edgecastcdn.net", "llnwd.net", "gcdn.co", "netlify.app",
    "vercel.app", "herokuapp.com", "github.io", "githubusercontent.com", "appspot.com", "run.app", "web.app",
    "storage.googleapis.com", "blob.core.windows.net", "azurewebsites.net", "r2.cloudflarestorage.com", "r2.dev",
    "digitaloceanspaces.com", "backblazeb2.com", "wasabisys.com", "fly.dev", "onrender.com",
]

/// Amazon's object storage: `BUCKET.s3.REGION.amazonaws.com`, `s3-REGION.amazonaws.com` and the like.
private func isObjectStorage(_ name: String) -> Bool {
    name.hasSuffix(".amazonaws.com") && name.split(separator: ".").contains { $0 == "s3" || $0.hasPrefix("s3-") }
}
