import Foundation
import Testing

@Suite("What a record knows of the workload and of its TLS")
struct AuditFieldsTests {
    @Test("identity comes from Downward API files and configuration, the user from the kernel, TLS as it was offered")
    func fields() throws {
        let downward = FileManager.default.temporaryDirectory.path + "/penstock-downward-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: downward, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: downward) }
        for (name, text) in [("namespace", "agents"), ("pod", "from-file"), ("service_account", "research\n")] {
            try Data(text.utf8).write(to: URL(filePath: downward + "/" + name))
        }
        try HTTPPod.with(settings: "workload: { path: \(downward), pod: research-7f }") { bed in
            _ = try bed.agent(
                """
                import ssl
                for versions in [(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3), (ssl.TLSVersion.TLSv1_2,) * 2]:
                    context = ssl.create_default_context()
                    context.minimum_version, context.maximum_version = versions
                    if versions[1] == ssl.TLSVersion.TLSv1_3: context.set_alpn_protocols(["h2", "http/1.1"])
                    try: context.wrap_socket(dial().s, server_hostname="allowed.example")
                    except OSError: pass
                """
            )
            let found = try bed.pod.connections(2)
            #expect(found.count == 2, "\(found)")
            for connection in found {
                let workload = ["namespace", "pod", "service_account", "uid"].map {
                    connection["workload.\($0)"] ?? "-"
                }
                #expect(workload == ["agents", "research-7f", "research", "2000"])
                #expect(connection["sni"] == "allowed.example")
                #expect(connection.end?["closed_by"] != nil && connection.end?["duration_ms"] != nil)
            }
            let versions = found.map { $0["tls_version"] ?? "-" }
            #expect(versions == ["1.3", "1.2"])
            let offered = found.map { $0.decision.members["alpn"] as? [String] ?? [] }
            #expect(offered == [["h2", "http/1.1"], []])
        }
    }
}
