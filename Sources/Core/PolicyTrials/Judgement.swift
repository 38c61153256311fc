import NetworkTypes
import PolicyEngine

/// What a policy says to a question, in the phases of the data path.
package struct Judgement: Hashable, Sendable {
    package let question: Question
    package let decision: PolicyEngine.Decision
    /// What is wrong with the question; `nil` where nothing is.
    package let fault: Fault?
    /// The facts of the last phase.
    package let facts: Facts

    /// What is refused before policy is asked.
    package enum Fault: Error, Hashable, Sendable {
        case name(HostName.Malformed)
        case request(RequestFault)
    }

    package init(_ question: Question, by policy: Policy) {
        self.question = question
        var facts = Facts(
            original: question.original.map { OriginalDestination(SocketAddress($0, port: question.port)) },
            port: question.port,
            opening: question.opening(nil),
            workloadUID: question.uid,
            clientAddress: question.clientAddress,
            workload: question.workload,
            now: question.now,
            hasServerName: question.hasServerName,
            // Of a silent client, more will be known: it is judged again when it speaks.
            isFinal: question.speech != .silent
        )
        do throws(Fault) {
            facts.opening = question.opening(try question.readName())
            decision = try policy.answer(&facts, question)
            fault = nil
        } catch {
            decision = .refused(error.reason, port: question.port)
            fault = error
        }
        self.facts = facts
    }

    /// True where the connection or the request would go on.
    package var isAllowed: Bool {
        switch decision.verdict {
        case .allow: true
        // Nobody waits here for more to be known.
        case .deny, .undetermined, .needsBody: false
        }
    }
}

extension Judgement.Fault {
    var reason: Reason {
        switch self {
        case .name: .malformedName
        case .request(let fault): fault.reason
        }
    }
}

extension Question {
    /// The name that the client says where anybody could read it.
    fileprivate func readName() throws(Judgement.Fault) -> HostName? {
        guard let name else { return nil }
        do throws(HostName.Malformed) {
            let read = try HostName(name)
            return carriesName ? read : nil
        } catch {
            throw .name(error)
        }
    }

    /// What is known of the request, where there may be one, or what is wrong with it.
    fileprivate func request(askedBy policy: Policy) -> Result<RequestFacts?, RequestFault> {
        guard isRequest || method != nil || path != nil else { return .success(nil) }
        // Whoever names headers names all that the request has.
        let fields = headers.map { headers in
            let names = headers.map(\.name).filter { policy.fieldSpellings?.isLookalike(Array($0.utf8).span) ?? false }
            return RequestFields(of: policy.askedFields, headers, lookalikes: names)
        }
        do throws(RequestFault) {
            let told = try RequestFacts(
                telling: method,
                path: path,
                query: query,
                fields: fields,
                calls: calls.map { .calls($0) },
                isRead: isRequest
            )
            return .success(told)
        } catch {
            return .failure(error)
        }
    }
}

extension Policy {
    /// Asks about the connection and, where it is one whose requests are read, about the request.
    fileprivate func answer(
        _ facts: inout Facts,
        _ question: Question
    ) throws(Judgement.Fault) -> PolicyEngine.Decision {
        do throws(RequestFault) {
            return try answer(&facts, telling: question.request(askedBy: self)) {
                answer(&$0, resolvedTo: question.addresses)
            }
        } catch {
            throw .request(error)
        }
    }

    /// Asks first without addresses, then with those that would be dialled.
    fileprivate func answer(_ facts: inout Facts, resolvedTo resolved: [IPAddress]?) -> PolicyEngine.Decision {
        let first = decide(facts)
        switch first.dial {
        case nil: return first
        case .original: facts.addresses = facts.original.map { [$0.socket.address] }
        case .name: facts.addresses = resolved
        }
        return decide(facts)
    }
}
