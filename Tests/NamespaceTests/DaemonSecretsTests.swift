import Foundation
import Testing

@Suite("The daemon reads secrets")
struct DaemonSecretsTests {
    @Test("F04, G08, G13: a secret that is missing or broken is told of, keeps what was in force, and is never written")
    func reloading() throws {
        var settings = DaemonSettings()
        settings.watchSeconds = 1
        try DaemonBed.with(settings, start: false) { bed in
            let mount = bed.folder.path + "/secrets"
            try NetworkNamespace.must(["mkdir", mount])
            try NetworkNamespace.must(["ln", "-s", "..data/openai", mount + "/openai"])
            let text = try String(contentsOfFile: bed.folder.configuration, encoding: .utf8)
            try bed.folder.write(
                text + "secrets: { openai: { file: \(mount)/openai } }\n",
                to: bed.folder.configuration
            )
            try bed.start(untilReady: false)
            let unready = try bed.health("/readyz", status: 503, containing: "secrets/openai")
            #expect(unready.contains("policy: ") && unready.contains("No such file or directory"), "\(unready)")

            try swap(mount, to: "one", "sk-first-4711\n", bed)
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")

            try swap(mount, to: "two", "sk-second-4711\nsk-third-4711\n", bed)
            let refused = try bed.health("/readyz", status: 503)
            #expect(refused.contains("policy: reload refused, the old one stays: "), "\(refused)")
            #expect(refused.contains("it holds a control character, or more than one line"), "\(refused)")
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")

            try swap(mount, to: "three", "sk-fourth-4711", bed)
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(bed.says("may be read by every user who sees it (mode 0644)"), "\(bed.said)")
            #expect(!bed.said.contains("-4711"), "\(bed.said)")
            let lines = try bed.audit().lines.count { "\($0.object)".contains("-4711") }
            #expect(lines == 0)
        }
    }

    /// What the kubelet does: a new folder, and `..data` renamed over the old link.
    private func swap(_ mount: String, to version: String, _ secret: String, _ bed: DaemonBed) throws {
        try NetworkNamespace.must(["mkdir", "\(mount)/..\(version)"])
        try bed.folder.write(secret, to: "\(mount)/..\(version)/openai")
        try NetworkNamespace.must([
            "sh", "-ec", "cd \(mount); ln -s ..\(version) ..tmp; mv -T ..tmp ..data; chmod 755 . ..\(version)",
        ])
    }
}
