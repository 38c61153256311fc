import Foundation
import ManifestInjection
import PodInjection
import SourceDocuments

/// Manifests that tests put the guard into.
enum Manifests {
    /// A file of the folder Golden.
    static func golden(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
        return Array(try Data(contentsOf: folder.appending(path: name)))
    }

    /// A file of the repository.
    static func repository(_ path: String) throws -> [UInt8] {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        return Array(try Data(contentsOf: root.appending(path: path)))
    }

    static let goldenNames = ["pod.yaml", "deployment.yaml", "several.yaml", "cronjob.json"]

    /// Two of the variables that `penstock inject --intercept` sets.
    static let trust = [
        TrustSetting(name: "SSL_CERT_FILE", value: "/etc/penstock-trust/bundle.pem"),
        TrustSetting(name: "NODE_EXTRA_CA_CERTS", value: "/etc/penstock-trust/ca.pem"),
    ]

    /// A pod that nothing is wrong with; more keys of its specification and of its only container go where they belong.
    static func pod(
        spec: String = "",
        container: String = "",
        metadata: String = "",
        context: String = "runAsUser: 2000"
    ) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: agent\(metadata.isEmpty ? "" : ", " + metadata)}
        spec:
          containers:
          - name: agent
            image: agent:1
            securityContext: {\(context)}
        \(indented(container, 4))\(indented(spec, 2))
        """
    }

    private static func indented(_ text: String, _ column: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.isEmpty ? "" : String(repeating: " ", count: column) + line + "\n"
        }.joined()
    }

    /// Ways of writing a pod that are easily got wrong: the text and what is special about it.
    static let odd: [(String, String)] = [
        ("CR LF", pod(spec: "volumes:\n- name: a\n  emptyDir: {}").replacing("\n", with: "\r\n")),
        ("a byte order mark", "\u{feff}" + pod()),
        ("no end of the last line", String(pod().dropLast())),
        ("no end of the last line, CR LF", String(pod().dropLast()).replacing("\n", with: "\r\n")),
        (
            "comments between keys",
            "# a\n" + pod(spec: "# b\n\n# c\nvolumes: # d\n# e\n- name: a # f\n  # g\n  emptyDir: {} # h\n# i")
        ),
        ("a literal text at the end", pod(container: "args:\n- |\n  a\n\n  b\n\n")),
        ("a literal text that keeps its end", pod(container: "args:\n- |+\n  a\n\n\n") + "# end\n"),
        (
            "a folded text in between",
            pod(spec: "restartPolicy: Always", container: "args: [a]\nworkingDir: >-\n  /a\n")
        ),
        ("text over several lines", pod(container: "args:\n- one\n  two\n- \"three\n  four\"")),
        (
            "letters beyond ASCII",
            "# ünïcödé ☃ 𝄞\n" + pod(spec: "volumes: [{name: a, emptyDir: {}}] # 𝄞", container: "args: [\"☃ é\", é]")
        ),
        (
            "JSON on one line",
            #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"b","securityContext":{"runAsUser":2}}]}}"#
        ),
        (
            "JSON on one line with everything there",
            #"{"kind":"Pod","metadata":{"annotations":{},"labels":{"a":"b"}},"spec":{"initContainers":[ ],"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"b","securityContext":{"runAsUser":2}}]}}"#
        ),
        (
            "a comma behind the last item",
            "kind: Pod\nmetadata: {name: a,}\nspec: {containers: [{name: a, image: b, securityContext: {runAsUser: 2,},},],}\n"
        ),
        (
            "comments inside brackets",
            "kind: Pod\nspec: { # a\n  containers: [ # b\n    {name: a, image: b, # c\n     securityContext: {runAsUser: 2}} # d\n  ] # e\n} # f\n"
        ),
        (
            "an init container of the author's in brackets",
            pod(spec: "initContainers: [{name: i, image: j, securityContext: {runAsUser: 2}}]")
        ),
        (
            "empty lists and mappings",
            pod(spec: "initContainers: []\nvolumes: [ ]\nsecurityContext: { }", metadata: "annotations: {}, labels: {}")
        ),
        (
            "quoted keys",
            "\"kind\": 'Pod'\n'metadata': {}\n\"spec\":\n  'containers':\n  - \"name\": a\n    image: b\n    'securityContext': {runAsUser: 2}\n"
        ),
        (
            "the dash on a line of its own",
            "kind: Pod\nspec:\n  containers:\n  -\n    name: a\n    image: b\n    securityContext: {runAsUser: 2}\n"
        ),
        (
            "an anchor that nobody uses",
            pod(spec: "volumes: []").replacing("securityContext: {", with: "securityContext: &mine {")
        ),
        (
            "anchors and aliases of values",
            "kind: Pod\nmetadata: {name: &n a}\nspec:\n  containers:\n  - name: *n\n    image: &i b\n    securityContext: {runAsUser: 2}\n  - name: c\n    image: *i\n    securityContext: {runAsUser: 3}\n"
        ),
        (
            "documents around it",
            "---\n# empty\n---\nkind: ConfigMap\ndata: {a: b}\n--- # pod\n" + pod() + "---\nkind: Service\n...\n"
        ),
        ("spaces behind the values", pod(spec: "volumes:   \n- name: a   \n  emptyDir: {}   \n   ")),
        (
            "the template before the selector",
            "kind: Deployment\napiVersion: apps/v1\nspec:\n  template:\n    spec:\n      containers:\n      - image: b\n        name: a\n        securityContext: {runAsUser: 2}\n  selector: {}\nmetadata: {name: d}\n"
        ),
    ]
}

/// The bytes with the guard in them.
func inject(
    _ text: String,
    _ change: (inout InjectionOptions) -> Void = { _ in }
) throws -> InjectedManifest {
    try inject(Array(text.utf8), change)
}

func inject(
    _ bytes: [UInt8],
    _ change: (inout InjectionOptions) -> Void = { _ in }
) throws -> InjectedManifest {
    var options = InjectionOptions(image: "penstock:0.1.0")
    change(&options)
    return try injectManifest(bytes, file: "m.yaml", options)
}

/// What is said of a manifest that is refused; empty where it is not.
func refusals(
    _ text: String,
    _ change: (inout InjectionOptions) -> Void = { _ in }
) throws -> [PodFinding] {
    do {
        _ = try inject(text, change)
        return []
    } catch ManifestInjectionError.refused(let findings) {
        return findings
    }
}

/// What is wrong with a manifest; nothing where a guard can be put into it.
func problems(of text: String) throws -> [SourceProblem] {
    do {
        _ = try inject(text)
        return []
    } catch ManifestInjectionError.refused(let findings) {
        return findings.map(\.problem)
    } catch ManifestInjectionError.unreadable(let problems) {
        return problems.problems
    }
}
