import ManifestInjection
import PodInjection
import SourceDocuments
import Testing
import YAMLBindings

@Suite("penstock inject keeps what the author wrote")
struct ManifestLayoutTests {
    @Test("the guard comes in as the golden file says", arguments: Manifests.goldenNames)
    func golden(name: String) throws {
        let dot = try #require(name.lastIndex(of: "."))
        let after = try Manifests.golden(name[..<dot] + ".native" + name[dot...])
        let made = try inject(try Manifests.golden(name)) { $0.inboundPorts = [8080] }
        #expect(String(decoding: made.bytes, as: UTF8.self) == String(decoding: after, as: UTF8.self))
    }

    @Test("with --watch a container more comes in, as the golden file says", arguments: ["pod.yaml", "cronjob.json"])
    func watchedGolden(name: String) throws {
        let dot = try #require(name.lastIndex(of: "."))
        let after = try Manifests.golden(name[..<dot] + ".watched" + name[dot...])
        let made = try inject(try Manifests.golden(name)) {
            $0.inboundPorts = [8080]
            $0.isWatched = true
        }
        #expect(String(decoding: made.bytes, as: UTF8.self) == String(decoding: after, as: UTF8.self))
    }

    @Test("a trust variable that a container sets is its own, and is warned of; the others are added")
    func ownTrust() throws {
        let text = Manifests.pod(container: "env: [{name: SSL_CERT_FILE, value: /mine.pem}]")
        let made = try inject(text) { $0.trust = Manifests.trust }
        let documents = try readYAMLLayout(made.bytes, file: "m.yaml", limits: YAMLLimits())
        let spec = try #require(PodTemplate.find(in: documents).templates.first?.node.value("spec"))
        let agent = try #require(spec.agentContainers.last)
        let variables = agent.value("env")?.items.map {
            "\($0.value("name")?.text ?? "")=\($0.value("value")?.text ?? "")"
        }
        #expect(variables == ["SSL_CERT_FILE=/mine.pem", "NODE_EXTRA_CA_CERTS=/etc/penstock-trust/ca.pem"])
        let warnings = made.warnings.filter { $0.problem.message.contains("`SSL_CERT_FILE` is set already") }
        #expect(warnings.count == 1)
    }

    @Test(
        "G01: the agent mounts what is published for reading only, and the daemon alone for writing",
        arguments: [false, true]
    )
    func trustMounts(isClassic: Bool) throws {
        let made = try inject(Manifests.pod()) {
            $0.mode = isClassic ? .classic : .native
            $0.isWatched = true
            $0.trust = Manifests.trust
        }
        let documents = try readYAMLLayout(made.bytes, file: "m.yaml", limits: YAMLLimits())
        let spec = try #require(PodTemplate.find(in: documents).templates.first?.node.value("spec"))
        let mounts = spec.agentContainers.map { container in
            let mount = (container.value("volumeMounts")?.items ?? []).first {
                $0.value("name")?.text == "penstock-trust"
            }
            return mount.map { $0.value("readOnly")?.text ?? "false" }
        }
        #expect(mounts == [nil, "false", nil, "true"])
    }

    @Test(
        "only whole pieces are added: every byte of the author's is there, in its order",
        arguments: Manifests.goldenNames
    )
    func nothingIsLost(name: String) throws {
        let before = try Manifests.golden(name)
        var rest = before[...]
        for byte in try inject(before).bytes where byte == rest.first { rest = rest.dropFirst() }
        #expect(rest.isEmpty)
    }

    @Test("in and out again gives the same bytes, in again too", arguments: Manifests.goldenNames)
    func goldenRoundTrip(name: String) throws {
        try checkRoundTrip(try Manifests.golden(name), isClassic: false)
        try checkRoundTrip(try Manifests.golden(name), isClassic: false, isWatched: true)
        try checkRoundTrip(try Manifests.golden(name), isClassic: false, isTrusting: true)
    }

    @Test("however it is written, in and out again gives the same bytes, in again too", arguments: Manifests.odd)
    func oddRoundTrip(about: String, text: String) throws {
        try checkRoundTrip(Array(text.utf8), isClassic: false)
        try checkRoundTrip(Array(text.utf8), isClassic: true)
        try checkRoundTrip(Array(text.utf8), isClassic: true, isWatched: true)
        try checkRoundTrip(Array(text.utf8), isClassic: false, isTrusting: true)
    }

    private func checkRoundTrip(
        _ before: [UInt8],
        isClassic: Bool,
        isWatched: Bool = false,
        isTrusting: Bool = false
    ) throws {
        let change = { (options: inout InjectionOptions) in
            options.isWatched = isWatched
            options.trust = isTrusting ? Manifests.trust : nil
            options.mode = isClassic ? .classic : .native
            options.inboundPorts = [8080, 9090]
        }
        let once = try inject(before, change)
        #expect(once.bytes != before)
        #expect(try inject(once.bytes, change).bytes == once.bytes)
        let back = try uninjectManifest(once.bytes, file: "m.yaml")
        #expect(String(decoding: back.bytes, as: UTF8.self) == String(decoding: before, as: UTF8.self))
    }

    @Test("other options, on what has the guard already, give what they give on the author's own text")
    func otherOptions() throws {
        let text = Manifests.pod()
        let native = try inject(text)
        let classic = try inject(text) { $0.mode = .classic }
        #expect(try inject(native.bytes) { $0.mode = .classic }.bytes == classic.bytes)
        #expect(native.bytes != classic.bytes)
        let watched = try inject(native.bytes) { $0.isWatched = true }
        #expect(watched.bytes != native.bytes)
        #expect(try inject(watched.bytes).bytes == native.bytes)
    }

    @Test(
        "the watcher has the flags that the rules are loaded with, and comes behind the daemon",
        arguments: [false, true]
    )
    func watcher(isClassic: Bool) throws {
        let made = try inject(Manifests.pod()) {
            $0.mode = isClassic ? .classic : .native
            $0.isWatched = true
            $0.inboundPorts = [8080]
            $0.dnsServers = ["192.0.2.53"]
            $0.bypasses = ["10.0.0.0/8:5432"]
            $0.apiPort = 9081
        }
        let documents = try readYAMLLayout(made.bytes, file: "m.yaml", limits: YAMLLimits())
        let spec = try #require(PodTemplate.find(in: documents).templates.first?.node.value("spec"))
        let order = spec.agentContainers.map { $0.value("name")?.text }
        #expect(order == ["penstock-init", "penstockd", "penstock-watch", "agent"])
        let arguments = spec.agentContainers.map { $0.value("args")?.items.map(\.text) ?? [] }
        let flags = [
            "--inbound-port=8080", "--dns-server=192.0.2.53", "--bypass-cidr=10.0.0.0/8:5432", "--api-port=9081",
        ]
        #expect(arguments[0] == ["install"] + flags)
        #expect(arguments[2] == ["verify", "--watch"] + flags)
        let mounts = spec.agentContainers.map { container in
            (container.value("volumeMounts")?.items ?? []).contains { $0.value("name")?.text == "penstock-admin" }
        }
        #expect(mounts == [false, true, true, false])
    }

    @Test("what the author writes after the guard came in stays when it goes")
    func laterChanges() throws {
        let text = Manifests.pod(container: "args: [old] # kept")
        let changed = String(decoding: try inject(text).bytes, as: UTF8.self).replacing("[old]", with: "[new, longer]")
        let back = try uninjectManifest(Array(changed.utf8), file: "m.yaml")
        #expect(String(decoding: back.bytes, as: UTF8.self) == text.replacing("[old]", with: "[new, longer]"))
    }

    @Test("what the author adds to what was made for the guard stays when the guard comes again, and when it goes")
    func laterAdditions() throws {
        var lines = String(decoding: try inject(Manifests.pod()).bytes, as: UTF8.self).split(separator: "\n")
        let more: [Substring: Substring] = [
            "  volumes:": "  - name: mine # kept\n    emptyDir: {}",
            "  initContainers:": "  - name: early\n    image: e\n    securityContext: {runAsUser: 2}",
            "  securityContext:": "    fsGroup: 2000",
        ]
        for (parent, child) in more {
            let place = try #require(lines.firstIndex(of: parent))
            lines.insert(child, at: place + 1)
        }
        let annotation = try #require(lines.firstIndex { $0.contains("annotations: {") })
        lines[annotation].replace("annotations: {", with: "annotations: {team: a, ")
        let changed = lines.joined(separator: "\n") + "\n"
        let again = try inject(changed)
        #expect(try inject(again.bytes).bytes == again.bytes)
        for bytes in [Array(changed.utf8), again.bytes] {
            let back = String(decoding: try uninjectManifest(bytes, file: "m.yaml").bytes, as: UTF8.self)
            for part in ["name: mine # kept", "name: early", "fsGroup: 2000", "annotations: {team: a}"] {
                #expect(back.contains(part), "\(part) is not in\n\(back)")
            }
            #expect(!back.contains("penstock") && !back.contains("seccompProfile"), "\(back)")
        }
    }

    @Test("the same in JSON, and of a container's own securityContext")
    func laterAdditionsInBrackets() throws {
        let text = #"{"kind":"Pod","spec":{"containers":[{"name":"a","image":"b"}]}}"#
        let made = String(decoding: try inject(text) { $0.agentUser = 2 }.bytes, as: UTF8.self)
        let changed =
            made
            .replacing(#""runAsUser": 2,"#, with: #""runAsUser": 2, "readOnlyRootFilesystem": true,"#)
            .replacing(#""volumes": ["#, with: #""volumes": [{"name": "mine", "emptyDir": {}}, "#)
        let back = String(decoding: try uninjectManifest(Array(changed.utf8), file: "m.yaml").bytes, as: UTF8.self)
        #expect(back.contains(#""securityContext": {"readOnlyRootFilesystem": true}"#), "\(back)")
        #expect(back.contains(#""volumes": [{"name": "mine", "emptyDir": {}}]"#), "\(back)")
        #expect(!back.contains("penstock"), "\(back)")
    }

    @Test("what the version before recorded, whole keys, is taken out as it was then", arguments: Manifests.odd)
    func oldRecord(about: String, text: String) throws {
        let made = try inject(text)
        let documents = try readYAMLLayout(withoutMark(made.bytes), file: "m.yaml", limits: YAMLLimits())
        let paths = try #require(PodTemplate.find(in: documents).templates.first?.additions)
        let whole = paths.filter { path in
            !paths.contains { $0 != path && path.steps.starts(with: $0.steps) }
        }
        let old = String(decoding: made.bytes, as: UTF8.self)
            .replacing(AdditionPath.record(of: paths), with: AdditionPath.record(of: whole))
        #expect(old.utf8.count < made.bytes.count)
        let back = try uninjectManifest(Array(old.utf8), file: "m.yaml").bytes
        #expect(String(decoding: back, as: UTF8.self) == text)
        #expect(try inject(old).bytes == made.bytes)
    }

    private func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    }

    @Test(
        "keys of the guard's that were sorted to the front of an item go from behind its dash",
        arguments: [
            ("", "- name: agent"), ("    # mine\n", "-\n    # mine\n    name: agent"),
            ("# far left\n", "-\n# far left\n    name: agent"),
        ]
    )
    func sortedKeys(comment: String, left: String) throws {
        let text = Manifests.pod(
            context: "runAsUser: 2000, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}"
        )
        let made = String(decoding: try inject(text) { $0.trust = Manifests.trust }.bytes, as: UTF8.self)
        // As `kubectl get -o yaml` writes it.
        let start = try #require(made.firstRange(of: "    env:\n")).lowerBound
        let end = try #require(made[start...].firstRange(of: "    volumeMounts:\n")).lowerBound
        let env = made[start..<end]
        let agent = "  - name: agent\n"
        for line in ["\n", "\r\n"] {
            let sorted = String(made[..<start] + made[end...])
                .replacing(agent, with: "  - \(env.dropFirst(4))\(comment)    name: agent\n")
                .replacing("\n", with: line)
            let back = String(decoding: try uninjectManifest(Array(sorted.utf8), file: "m.yaml").bytes, as: UTF8.self)
            let expected = text.replacing("- name: agent", with: left).replacing("\n", with: line)
            #expect(back.replacing("- \(line)", with: "-\(line)") == expected)
            let again = try inject(sorted) { $0.trust = Manifests.trust }
            let third = try inject(again.bytes) { $0.trust = Manifests.trust }
            #expect(third.bytes == again.bytes)
        }
    }

    @Test("a comma behind the guard's last value goes with it")
    func trailingComma() throws {
        let text = "kind: Pod\nspec: {containers: [{name: a, image: b, securityContext: {runAsUser: 2}}]}\n"
        let made = String(decoding: try inject(text).bytes, as: UTF8.self)
        let changed = made.replacing("sizeLimit: 1Mi}}]", with: "sizeLimit: 1Mi}} ,]")
        #expect(changed != made)
        #expect(
            String(decoding: try uninjectManifest(Array(changed.utf8), file: "m.yaml").bytes, as: UTF8.self) == text
        )
    }

    @Test("the guard goes from lines that the author emptied of everything else")
    func emptiedLines() throws {
        let text = Manifests.pod(spec: "volumes:\n- name: mine\n  emptyDir: {}")
        let changed = String(decoding: try inject(text).bytes, as: UTF8.self)
            .replacing("  - name: mine\n    emptyDir: {}\n", with: "")
        let back = try uninjectManifest(Array(changed.utf8), file: "m.yaml").bytes
        #expect(String(decoding: back, as: UTF8.self) == Manifests.pod())
    }

    @Test("a text of one line takes time by its length, not by the third power of it", .timeLimit(.minutes(10)))
    func oneLongLine() throws {
        // Before, 200 of these took minutes, and this many would take half an hour.
        let pod = #"{"kind":"Pod","spec":{"containers":[{"name":"a","image":"b","securityContext":{"runAsUser":2}}]}}"#
        let text = #"{"kind":"List","items":["# + Array(repeating: pod, count: 400).joined(separator: ",") + "]}"
        let made = try inject(text)
        #expect(made.templates.count == 400)
        #expect(try uninjectManifest(made.bytes, file: "m.yaml").bytes == Array(text.utf8))
    }

    @Test("a manifest without the guard stays as it is when it should go")
    func nothingToTakeOut() throws {
        let text = Array(Manifests.pod().utf8)
        #expect(try uninjectManifest(text, file: "m.yaml").bytes == text)
    }

    @Test("A08: the guard comes before every other init container, and comes back to its place if it was moved")
    func order() throws {
        let text = Manifests.pod(
            spec: "initContainers:\n- name: early\n  image: e\n  securityContext: {runAsUser: 2}\n"
        )
        let once = try inject(text)
        let spec = try #require(try inject(once.bytes).templates.first?.node.value("spec"))
        #expect(spec.value("initContainers")?.items.map { $0.value("name")?.text } == ["early"])
        let lines = String(decoding: once.bytes, as: UTF8.self).split(separator: "\n")
        let places = ["penstock-init", "penstockd", "early"].compactMap { lines.firstIndex(of: "  - name: \($0)") }
        #expect(places.count == 3 && places == places.sorted())
        let early = lines[places[2]..<(places[2] + 3)]
        var moved = lines
        moved.removeSubrange(places[2]..<(places[2] + 3))
        moved.insert(contentsOf: early, at: places[0])
        let again = try inject(moved.joined(separator: "\n") + "\n").bytes
        let names = String(decoding: again, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("  - name: ") }
        let ours = try #require(names.firstIndex(of: "  - name: penstock-init"))
        #expect(names[ours..<(ours + 3)] == ["  - name: penstock-init", "  - name: penstockd", "  - name: early"])
    }
}
