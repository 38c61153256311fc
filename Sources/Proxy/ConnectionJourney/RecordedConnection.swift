import AuditTrail
import NetworkTypes
import PolicyEngine
import WireFormats

/// What the record of a connection's decision is made of, its facts, its identifier and its client aside.
///
/// The compiler compares all of it.
struct RecordedConnection: Equatable {
    var decision: Decision
    var policy: RecordedPolicy
    var capture: CaptureMode
    var comesFromUs: Bool
    var proxyRequest: ProxyRequestKind?
    var authority: Authority?
    var sniffed: Sniffed?

    /// The record; `pod` is whose it is as the configuration says.
    func record(_ facts: Facts, _ id: RecordIdentifier, _ pod: WorkloadIdentity) -> ConnectionRecord {
        var record = ConnectionRecord(
            id: id,
            decision: decision.verdict == .allow ? .allow : .deny,
            would: decision.wouldDeny ? .deny : nil,
            treatment: AuditTrail.Treatment(decision.treatment),
            rule: decision.rule?.text,
            reason: decision.reason.rawValue,
            policyHash: policy.hash,
            mode: policy.mode,
            workload: pod.of(facts),
            capture: capture,
            destination: RecordedDestination(
                name: facts.recordedName?.text,
                port: facts.original?.socket.port ?? (facts.port == 0 ? nil : facts.port),
                original: facts.original?.description,
                dialled: decision.addresses?.first?.description
            ),
            egress: decision.egress.texts,
            policyGeneration: policy.generation
        )
        describeOpening(named: facts.recordedName, in: &record)
        if comesFromUs { record.detail = "loop" }
        if let authority {
            record.authority = authority.description
            if authority.name != nil, let proxyRequest { record.binding.append(proxyRequest.rawValue) }
        }
        if let addresses = facts.addresses, case .name? = decision.dial, !decision.leavesLookingUp {
            record.binding.append("dns")
            if let original = facts.original, addresses.contains(original.socket.address) {
                record.binding.append("address")
            }
        }
        return record
    }

    private func describeOpening(named name: HostName?, in record: inout ConnectionRecord) {
        switch sniffed {
        case .silent: record.protocol = .serverFirst
        case .connect: break
        case .tls(let hello):
            record.protocol = .tls
            record.encryptedHello = hello.offersEncryptedClientHello
            record.tlsVersion = hello.highestVersion.text
            record.alpn = hello.protocolNames
            if case .name(let name) = hello.serverName {
                record.sni = name.text
                record.binding = ["sni"]
            }
        case .http(let opening):
            record.protocol = .http
            record.detail = opening.method
            if let name {
                record.authority = name.text
                record.binding = ["host"]
            }
        case .h2c: record.protocol = .h2c
        case .opaque, .unfinished: record.protocol = .opaque
        case .refused(_, let kind, let detail):
            record.protocol = kind.flatMap { RecordedProtocol(rawValue: $0.rawValue) }
            record.detail = detail
        case .gone: record.detail = "client_gone"
        case nil: break
        }
    }
}

extension RecordedConnection {
    init(_ connection: Connection, _ decision: Decision, by policy: RecordedPolicy) {
        self.init(
            decision: decision,
            policy: policy,
            capture: connection.capture,
            comesFromUs: connection.comesFromUs,
            proxyRequest: connection.proxyRequest,
            authority: connection.authority,
            sniffed: connection.sniffed
        )
    }
}

extension WorkloadIdentity {
    /// The same, with what the kernel says of a client.
    func of(_ facts: Facts) -> WorkloadIdentity {
        var workload = self
        workload.uid = facts.workloadUID
        workload.address = facts.clientAddress?.description
        return workload
    }
}

/// What the record of a connection's end is made of, its identifier and its figures aside.
struct RecordedEnd: Equatable {
    /// Without its bytes.
    let ending: Ending
    let dialled: UpstreamAddress?
    private let route: Route

    init(_ ending: Ending, dialled: UpstreamAddress?, by route: Route) {
        var ending = ending
        ending.bytesUp = 0
        ending.bytesDown = 0
        self.ending = ending
        self.dialled = dialled
        self.route = route
    }

    /// The record, without figures.
    func record(_ id: RecordIdentifier) -> ConnectionEndRecord {
        ConnectionEndRecord(
            id: id,
            outcome: ending.outcome,
            closedBy: ending.closedBy,
            reason: ending.reason?.rawValue,
            rule: ending.rule?.text,
            dialled: dialled?.description,
            egress: route.recordedWay,
            via: route.recordedProxy,
            detail: ending.detail
        )
    }
}
