import AuditTrail
import LinuxBindings
import TLSInterception
import Telemetry

/// What `penstock ca env` is asked.
struct TrustEnvironment: Hashable {
    var source: Source
    /// The folder as the agent sees it; `nil`: as it is called here.
    var place: String?
    var form: Form

    enum Source: Hashable {
        /// A folder that `penstock ca bundle` wrote.
        case bundle(String)
        /// The authority's own: for the variables that add.
        case authority(String)
    }

    enum Form: Hashable {
        case shell
        case yaml
        case json
    }

    /// Reads the words after `ca env`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let forms: [Options.Form] = [
            .value("--ca"), .value("--bundle"), .value("--at"), .flag("--shell"), .flag("--yaml"), .flag("--json"),
        ]
        let options = try Options(words, forms, .env)
        guard !options.wantsHelp else { return nil }
        try options.refuseOperands()
        switch (try options.folder(option: "--ca"), try options.folder(option: "--bundle")) {
        case (let folder?, nil): source = .authority(folder)
        case (nil, let folder?): source = .bundle(folder)
        case (nil, nil), (_?, _?): throw options.misuse("one of --bundle DIR and --ca DIR is needed")
        }
        place = try options.folder(option: "--at")
        let wanted = [("--shell", Form.shell), ("--yaml", .yaml), ("--json", .json)].filter { options.has($0.0) }
        guard wanted.count <= 1 else { throw options.misuse("\(wanted[0].0) and \(wanted[1].0) do not go together") }
        form = wanted.first?.1 ?? .shell
        let shown = shownFolder
        guard shown.hasPrefix("/") else {
            throw options.misuse("'\(shown)' does not begin with /: an agent may run in any folder; use --at PATH")
        }
        // In every form of output and in Java's own, these would have to be written in another way.
        guard printable(shown) == shown, !shown.contains(where: { "\"'\\$`".contains($0) }) else {
            throw options.misuse(
                "'\(shown)' has quotes or other characters that no variable should have; use --at PATH"
            )
        }
    }

    private var shownFolder: String {
        switch source {
        case .bundle(let folder), .authority(let folder): place ?? folder
        }
    }
}

extension TrustEnvironment {
    /// Prints the variables.
    func run() throws(AuthorityError) -> ExitCode {
        let variables: [TrustVariable]
        switch source {
        case .bundle(let folder):
            variables = TrustVariable.all
            for name in [TrustBundle.added, TrustBundle.whole, TrustBundle.java] {
                let path = "\(folder)/\(name)"
                try Self.require(path, or: .noBundle(path))
            }
        case .authority(let folder):
            variables = TrustVariable.all.filter { $0.kind == .adds }
            let path = "\(folder)/\(TrustBundle.added)"
            try Self.require(path, or: .missing(path))
            say(
                "only the variables that add to a runtime's own roots; for the others `penstock ca bundle` and --bundle. An "
                    + "agent must never see \(folder): it holds the key"
            )
        }
        let values = variables.map { ($0, $0.value(folder: shownFolder)) }
        deliver(form == .json ? Self.json(values) : values.map(line).joined())
        return .done
    }

    private static func require(_ path: String, or absence: AuthorityError) throws(AuthorityError) {
        do throws(SystemCallError) {
            _ = try openForReading(path)
        } catch {
            throw error.isMissing ? absence : .unreadable(path, error)
        }
    }

    private func line(_ variable: TrustVariable, _ value: String) -> String {
        switch form {
        case .shell: "# \(variable.readers)\nexport \(variable.name)='\(value)'\n"
        // What stands in double quotes is the same in YAML as in JSON.
        case .yaml: "- name: \(variable.name)\n  value: \(Self.quoted(value))\n"
        case .json: ""
        }
    }

    private static func json(_ values: [(TrustVariable, String)]) -> String {
        jsonObject { members in
            for (variable, value) in values { members.text(variable.name, value) }
        } + "\n"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
