import AuditTrail
import NetworkTypes
import PolicyEngine
import Testing
import WireFormats

@testable import ConnectionJourney

/// What the record of a connection is made of, each part of it.
enum RecordedPart: CaseIterable {
    case decision
    case policyHash
    case policyMode
    case policyGeneration
    case capture
    case comesFromUs
    case proxyRequest
    case authority
    case serverName
    case protocolNames
    case version
    case kind
    case original
    case port
    case opening
    case user
    case client
    case namespace
    case serviceAccount
    case time
    case hasServerName
    case exhausted
    case lacksCounters
    case lacksSubject
    case ownListener
    case addresses
    case request
    case final
}

@Suite("What is remembered of a connection")
struct ConnectionMemoryTests {
    private static let id = RecordIdentifier(value: 7)
    private static let address = IPAddress.v4(IPv4Address(203, 0, 113, 7))
    private static let other = IPAddress.v4(IPv4Address(203, 0, 113, 8))
    private static let workload = WorkloadIdentity(namespace: "n", pod: "p", serviceAccount: nil, uid: nil)

    /// A connection that is written down.
    private struct Story: Equatable {
        var subject: RecordedConnection
        var facts: Facts

        init() throws {
            let name = try HostName("api.example.com")
            facts = Facts(
                original: OriginalDestination(SocketAddress(address, port: 443)),
                port: 443,
                opening: .known(.tls, name: name),
                workloadUID: 1000,
                addresses: [address]
            )
            var hello = ClientHello(legacyVersion: .tls12)
            hello.serverName = .name(name)
            subject = RecordedConnection(
                decision: .refused(.noPolicy, port: 443),
                policy: RecordedPolicy(hash: "sha256:0", mode: .enforce, generation: 1),
                capture: .transparent,
                comesFromUs: false,
                proxyRequest: nil,
                authority: nil,
                sniffed: .tls(hello)
            )
        }

        func encoded(by memory: ConnectionMemory) -> [UInt8] {
            memory.encode(subject, facts, id, client: "192.0.2.1:4242", workload, at: 1).body
        }

        /// The same connection but for this.
        func with(another part: RecordedPart) throws -> Story {
            var story = self
            try story.change(part)
            return story
        }

        private mutating func change(_ part: RecordedPart) throws {
            switch part {
            case .decision: subject.decision = .refused(.sniffLimit, port: 443)
            case .policyHash: subject.policy = RecordedPolicy(hash: "sha256:1", mode: .enforce, generation: 1)
            case .policyMode: subject.policy = RecordedPolicy(hash: "sha256:0", mode: .audit, generation: 1)
            case .policyGeneration: subject.policy = RecordedPolicy(hash: "sha256:0", mode: .enforce, generation: 2)
            case .capture: subject.capture = .explicit
            case .comesFromUs: subject.comesFromUs = true
            case .proxyRequest: subject.proxyRequest = .connect
            case .authority: subject.authority = Authority(name: nil, address: other, port: 443)
            case .serverName: try say { $0.serverName = .name(try HostName("other.example.com")) }
            case .protocolNames: try say { $0.protocolNames = ["h2"] }
            case .version: try say { $0.legacyVersion = TLSVersion(rawValue: 0x0302) }
            case .kind: subject.sniffed = .opaque
            default: try changeFacts(part)
            }
        }

        private mutating func say(_ change: (inout ClientHello) throws -> Void) throws {
            guard case .tls(var hello) = subject.sniffed else { return }
            try change(&hello)
            subject.sniffed = .tls(hello)
        }

        private mutating func changeFacts(_ part: RecordedPart) throws {
            switch part {
            case .original: facts.original = OriginalDestination(SocketAddress(other, port: 443))
            case .port: facts.port = 8443
            case .opening: facts.opening = .known(.tls, name: try HostName("other.example.com"))
            case .user: facts.workloadUID = 1001
            case .client: facts.clientAddress = other
            case .namespace: facts.workload.namespace = "elsewhere"
            case .serviceAccount: facts.workload.serviceAccount = "somebody"
            case .time: facts.now = 1
            case .hasServerName: facts.hasServerName = true
            case .exhausted:
                let rule = try #require(RuleName("r"))
                facts.exhausted = [
                    PolicyCounter(rule: rule, quantity: .rate, subject: CountedSubject(scope: .rule, key: ""))
                ]
            case .lacksCounters: facts.lacksCounters = true
            case .lacksSubject: facts.lacksSubject = true
            case .ownListener: facts.isOwnListener = true
            case .addresses: facts.addresses = [other]
            case .request: facts.request = RequestFacts(method: nil, path: nil, fields: nil)
            case .final: facts.isFinal = true
            default: break
            }
        }
    }

    @Test(
        "a record is written from memory only where all that it is made of is the same",
        arguments: RecordedPart.allCases
    )
    func compares(_ part: RecordedPart) throws {
        let story = try Story()
        let next = try story.with(another: part)
        try #require(next != story)
        let memory = ConnectionMemory(limits: .standard)
        let first = story.encoded(by: memory)
        let afresh = next.encoded(by: ConnectionMemory(limits: .standard))
        #expect(next.encoded(by: memory) == afresh)
        #expect(story.encoded(by: memory) == first)
    }

    @Test("every part of a record and of its facts is tried")
    func isWhole() throws {
        let story = try Story()
        let parts = Mirror(reflecting: story.subject).children.count + Mirror(reflecting: story.facts).children.count
        // Of two parts, more than one thing is changed: three of the policy, four of what was said, two of the workload.
        #expect(RecordedPart.allCases.count == parts + 2 + 3 + 1)
    }
}
