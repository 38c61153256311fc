import Foundation
import GovernanceAPI
import HTTPExchange
import NetworkTypes
import PolicyEngine
import SourceDocuments
import TestSupport
import Testing
import WireFormats
import YAMLBindings

/// What the data path reads in a request; `nil` where it refuses.
private func readOnTheWire(_ item: CanonicalCase) -> String? {
    let host = item.kind == .host || item.kind == .address ? item.text : "a.example"
    let method = item.kind == .method ? item.text : "GET"
    let path = item.kind == .path ? item.text : "/"
    var reader = HTTP1RequestReader()
    let head = Array("\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
    guard let request = try? reader.read(head.span) else { return nil }
    switch item.kind {
    case .method: return RequestMethod(request.methodBytes.span)?.text
    case .path:
        let canonical = try? CanonicalPath(request.path.span)
        // Two slashes are refused where a rule asks for paths.
        return canonical?.hasEmptySegment ?? true ? nil : canonical?.text
    case .host, .address:
        return switch request.host {
        case .name(let name, _): item.kind == .host ? name.text : nil
        case .address(let address, _): item.kind == .address ? address.description : nil
        case .absent, .malformed: nil
        }
    }
}

/// The text between quotes of YAML and of JSON, with every scalar beyond printable ASCII as an escape of both.
private func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
        switch scalar {
        case "\"", "\\": "\\\(scalar)"
        case " "..."~": "\(scalar)"
        default:
            "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count)
                + String(scalar.value, radix: 16)
        }
    }
    return "\"\(escaped.joined())\""
}

/// A policy that denies what is written, loaded from text; `nil` where it does not load.
private func policy(denying item: CanonicalCase, as text: String) -> Policy? {
    let block = text.hasPrefix("[") ? String(text.dropFirst().dropLast()) : text
    let match =
        switch item.kind {
        case .host: "hosts: [\(quoted(text))]"
        case .address: "cidrs: [\(quoted(block))]"
        case .path: "protocols: [http], http: { paths: [\(quoted(text))] }"
        case .method: "protocols: [http], http: { methods: [\(quoted(text))] }"
        }
    let yaml = """
        apiVersion: penstock/v1
        kind: EgressPolicy
        name: canonical
        default: allow
        rules: [{ name: r, match: { \(match) }, action: deny }]
        """
    return try? Policy.load(readYAML(Array(yaml.utf8), file: "p.yaml"), hash: Asking.hash).policy
}

extension CanonicalCase {
    /// True of an IPv4 address dressed as IPv6: it is read, refused by whatever policy, and no block may name it.
    fileprivate var isMappedIPv4: Bool { kind == .address && text.hasPrefix("[::ffff:") }
}

@Suite struct CanonicalTests {
    @Test("B03 B07 B09 B10 B16 C02 C03: the data path has one form for it, or none", arguments: CanonicalCase.all)
    func dataPath(item: CanonicalCase) {
        #expect(readOnTheWire(item) == item.canonical)
    }

    @Test(
        "B03 B07 B09 B10 B16 C02 C03: the text of a policy has the same form for it, or none",
        arguments: CanonicalCase.all
    )
    func policyText(item: CanonicalCase) {
        let loaded = policy(denying: item, as: item.text)
        guard let canonical = item.canonical, !item.isMappedIPv4 else {
            #expect(loaded == nil)
            return
        }
        #expect(loaded?.rules.map(\.match) == policy(denying: item, as: canonical)?.rules.map(\.match))
        #expect(loaded != nil)
    }

    @Test(
        "B03 B07 B09 B10 B16 C02 C03: the API judges it in the same form, or refuses it",
        arguments: CanonicalCase.all
    )
    func api(item: CanonicalCase) throws {
        let host = item.kind == .host || item.kind == .address ? item.text : "a.example"
        let method = item.kind == .method ? item.text : "GET"
        let path = item.kind == .path ? item.text : "/"
        let body = """
            {"agent_did":"did:mesh:agent-1","action":"http.request","context":{"host":\(quoted(host)),"port":80,\
            "protocol":"http","method":\(quoted(method)),"path":\(quoted(path))}}
            """
        // A policy that denies the one form: that is what the question must be found to be.
        let denying = item.canonical.flatMap { policy(denying: item, as: $0) }
        var asking = Asking()
        asking.policy = try denying ?? Asking.policy([("paths", .deny, Self.somePath)], default: .allow)
        let answer = asking.answer(body)
        guard answer.message.status == 200 else {
            #expect(item.canonical == nil, "\(answer.text)")
            return
        }
        let decision = try object(answer.message.body)
        #expect(decision["allowed"] as? Bool == false)
        let reason = decision["reason"] as? String
        let isOwn = ["malformed_name", "ambiguous_path", "malformed_request"].contains(reason ?? "")
        let expected = item.isMappedIPv4 ? "special_address" : "rule_deny"
        #expect(item.canonical == nil ? isOwn : reason == expected, "\(reason ?? "none")")
    }

    @Test("a query is refused for the octets for which the data path refuses the request line")
    func queries() {
        let disagreeing = (UInt8.min...UInt8.max).filter { octet in
            var reader = HTTP1RequestReader()
            let head = Array("GET /?a=".utf8) + [octet] + Array("b HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8)
            let isRead = (try? reader.read(head.span)) != nil
            return isRead != (QueryViolation(in: [0x61, octet]) == nil)
        }
        #expect(disagreeing == [])
    }

    /// Two slashes are refused where a rule asks for paths.
    private static let somePath = RuleMatch(
        protocols: [.http],
        http: RequestMatch(paths: (try? CanonicalPath("/none")).map { [.exact($0)] })
    )
}
