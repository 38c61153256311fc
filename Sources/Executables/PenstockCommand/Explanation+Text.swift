import NetworkTypes
import PolicyEngine
import PolicyTrials

extension Explanation {
    /// `key: value`, the decision first.
    var lines: [String] {
        var lines = ["decision: \(judgement.isAllowed ? "allow" : "deny")"]
        if decision.wouldDeny { lines.append("would: deny") }
        lines.append("treatment: \(decision.treatment.rawValue)")
        lines.append("reason: \(decision.reason.rawValue)")
        if let sentence { lines.append("because: \(sentence)") }
        lines.append(winnerLine)
        lines += traceLines
        lines += changeLines
        lines.append("protocol: \(spokenProtocol)")
        lines.append("name: \(spokenName ?? "none")")
        lines += requestLines
        if policy.hasTimes, let now = question.now { lines.append("time: \(timeText(now))") }
        lines.append("original: \(facts.original?.description ?? "unknown")")
        lines.append("dial: \(dialled)")
        if !decision.egress.isEmpty { lines.append("egress: \(decision.egress.texts.joined(separator: ", then "))") }
        lines += addressLines
        lines += notes.map { "note: \($0)" }
        lines.append("mode: \(policy.mode.rawValue)")
        lines.append("policy: \(policy.name)")
        lines.append("policy_hash: \(policy.hash)")
        return lines
    }

    private var dialled: String {
        switch decision.dial {
        case nil: "nothing"
        case .name(let name): "\(name):\(decision.port)"
        case .original: facts.original?.description ?? "nothing"
        }
    }

    /// One line for each address; those of a name are also judged one by one, to say what is wrong with which.
    private var addressLines: [String] {
        if judgement.isAllowed, decision.dial != nil, !decision.needsAddresses, decision.addresses == nil {
            return [addressesElsewhere]
        }
        guard let addresses = facts.addresses else { return ["address: unchecked"] }
        return addresses.map { address in
            var alone = facts
            alone.addresses = [address]
            let answer = policy.decide(alone)
            switch answer.verdict {
            case .allow: return "address: \(address) may be dialled"
            case .deny, .undetermined, .needsBody:
                let rule = answer.rule.map { ", rule \($0)" } ?? ""
                return "address: \(address) may not be dialled (\(answer.reason.rawValue)\(rule))"
            }
        }
    }

    /// Why no address is looked at.
    private var addressesElsewhere: String {
        let way = decision.egress.first.map { "`\($0)`" } ?? "nobody"
        return decision.egress.contains { $0.kind == .nowhere }
            ? "address: none is dialled, \(way) is a blackhole" : "address: looked up by the proxy \(way), unseen here"
    }

    private var notes: [String] {
        var notes: [String] = []
        if question.name != nil, !question.carriesName {
            notes.append("\(spokenProtocol) carries no name: the connection is judged by its address")
        }
        if judgement.fault == nil { notes += interceptionNotes }
        if facts.original == nil, judgement.fault == nil {
            notes.append("no address was given (--addr): rules with `cidrs` alone were not compared")
        }
        return notes
    }

    /// What the reason alone does not say.
    private var sentence: String? {
        if case .name(let malformed) = judgement.fault {
            let name = question.name ?? ""
            return "'\(name)' is no host name: \(malformed.explanation(for: name))"
        }
        let reason = decision.reason
        switch reason {
        case .undetermined:
            let options = missingOptions
            return "a rule asks for what is not known"
                + (options.isEmpty ? "" : "; say \(options.joined(separator: ", "))")
        case .ambiguousPath:
            let ambiguity =
                if case .request(.path(let fault)) = judgement.fault { fault } else { PathAmbiguity.emptySegment }
            return "the path \(ambiguity.explanation); servers differ in what that means"
        case .ambiguousMethod:
            let method = question.method?.text ?? ""
            return "case counts in methods, and many servers fold it: \(method) could be another, and rules ask for it"
        case .ambiguousField:
            let names = judgement.facts.request?.fields?.lookalikes ?? []
            return "servers after CGI tell `-` from `_` in no header's name, and rules name what "
                + "\(names.map { "`\($0)`" }.joined(separator: ", ")) could be taken for"
        case .ambiguousQuery: return "servers could read the query in more than one way, and the rule asks for it"
        case .malformedRequest:
            guard case .request(.query(let violation)) = judgement.fault else {
                return "`*` is asked for by OPTIONS alone"
            }
            return "the query \(violation.explanation), which no request line carries: encode it"
        case .proxyInCapture: return "CONNECT is for proxies; the explicit proxy judges the connection that it asks for"
        case .specialAddress: return specialAddressSentence
        case .outsideCIDRs: return "none of the name's addresses lies within the rule's `cidrs`"
        case .deniedAddress: return "the rule denies the addresses that would be dialled"
        case .noOriginalDestination: return "there is neither a name nor an address to dial"
        default: return nil
        }
    }
}

extension Explanation {
    /// Why an address is refused that is no place on the public internet, or a name that stands for one.
    fileprivate var specialAddressSentence: String {
        let rule = policy.rules.first { $0.name == decision.rule }
        func isRefused(_ address: IPAddress) -> Bool {
            guard address.specialRange != nil else { return false }
            return address.isMappedIPv4 || rule?.match.cidrs?.contains { $0.contains(address) } != true
        }
        let original = (facts.original?.socket.address).flatMap { isRefused($0) ? $0 : nil }
        let ways = rule?.terms.egress ?? policy.egress
        if original == nil, facts.name?.isLoopback ?? false, let proxy = ways.resolvingElsewhere {
            return "`localhost` and the names below it are told to no proxy, and `\(proxy)` is one"
        }
        if let mapped = original ?? facts.addresses?.first(where: isRefused), mapped.isMappedIPv4 {
            return "an IPv4 address dressed as IPv6 is never dialled, whatever `cidrs` name: ask for \(mapped.unmapped)"
        }
        return "a special address is reached only where the rule's own `cidrs` name it"
    }

    /// What becomes of requests inside TLS.
    fileprivate var interceptionNotes: [String] {
        guard policy.canIntercept, question.speech == .known(.tls) else { return [] }
        if facts.request == nil {
            guard question.isRequest else { return [] }
            return judgement.isAllowed
                ? ["no rule needs to look inside TLS here: the request is carried unread"]
                : ["the connection is refused, so no request is read"]
        }
        return question.isRequest ? [] : ["TLS is ended here, and each request is judged: give one (--method, --path)"]
    }

    /// The request as it was judged; nothing where the connection alone is.
    fileprivate var requestLines: [String] {
        guard question.isRequest else { return [] }
        return [
            "method: \(question.method?.text ?? "unknown")",
            "path: \(facts.request?.path?.text ?? question.path ?? "unknown")",
        ]
    }

    /// What is changed in the requests that are let through; names of secrets, never more.
    fileprivate var changeLines: [String] {
        guard let changes = policy.headChanges(for: decision, facts) else { return [] }
        return changes.headers.set.map { "sets: \($0.name): \($0.value)" }
            + changes.headers.remove.map { "removes: \($0)" }
            + changes.credentials.map { "puts in: \($0.text)" }
    }

    /// What the command line left open although rules ask for it.
    fileprivate var missingOptions: [String] {
        let asking = policy.rules.filter { decision.rule == nil || $0.name == decision.rule }.map(\.match)
        let requests = asking.compactMap(\.http)
        let missing: [(String, Bool)] = [
            ("--call", question.calls == nil && asking.contains { $0.mcp != nil }),
            // An unknown user leaves only a deny open.
            ("--uid", question.uid == nil && decision.rule != nil && asking.contains { $0.uids != nil }),
            ("--method", question.method == nil && requests.contains { $0.methods != nil }),
            ("--path", question.path == nil && requests.contains { $0.paths != nil }),
            ("--query", question.query == nil && requests.contains { $0.query != nil }),
            ("--header", question.headers == nil && requests.contains { $0.fields != nil }),
            ("--client-address", question.clientAddress == nil && asking.contains { $0.clientBlocks != nil }),
            ("--namespace", question.workload.namespace == nil && asking.contains { $0.namespaces != nil }),
            (
                "--service-account",
                question.workload.serviceAccount == nil && asking.contains { $0.serviceAccounts != nil }
            ),
        ]
        return missing.filter(\.1).map(\.0)
    }
}
