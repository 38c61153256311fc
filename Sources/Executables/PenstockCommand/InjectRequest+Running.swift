import AuditTrail
import LinuxBindings
import ManifestInjection
import PodInjection
import SourceDocuments
import Telemetry

extension InjectRequest {
    /// Reads the manifest, and writes it as it should be.
    func run() throws(Complaint) -> ExitCode {
        let bytes = try readManifest(file)
        let name = file == "-" ? "<stdin>" : file
        let result: InjectedManifest
        do throws(ManifestInjectionError) {
            result =
                action == .uninject
                ? try uninjectManifest(bytes, file: name) : try injectManifest(bytes, file: name, options)
        } catch {
            return try report(error, name)
        }
        let isRefused = isStrict && !result.warnings.isEmpty
        report(result.warnings)
        guard !isRefused else {
            tell("\(name): refused, because warnings count as errors; nothing was written")
            return .problems
        }
        if action == .check { return check(result, bytes, name) }
        try write(result.bytes)
        reportPods(of: result, name)
        return .done
    }

    private func check(_ result: InjectedManifest, _ bytes: [UInt8], _ name: String) -> ExitCode {
        reportPods(of: result, name)
        guard result.bytes != bytes else {
            tell("\(name): as it should be")
            return .done
        }
        let problem = SourceProblem(
            "this is not as `penstock inject` would write it",
            at: SourceLocation(file: name, line: result.bytes.firstOtherLine(in: bytes), column: 1),
            remedy: "run it with the same options"
        )
        if isJSON { report([PodFinding(.refusal, [], problem)]) }
        tell("\(name): not as `penstock inject` would write it; run it with the same options")
        return .problems
    }

    /// Problems go where the manifest does not.
    private func put(_ line: String) {
        if action == .check {
            deliver(line + "\n")
        } else {
            writeToStandardError(line + "\n")
        }
    }

    /// A line for people.
    private func tell(_ text: String) {
        if !isJSON { put(printable(text)) }
    }

    private func report(_ findings: [PodFinding]) {
        var texts = SourceTexts()
        for finding in findings {
            for line in finding.lines(isStrict: isStrict, isJSON: isJSON, &texts) { put(line) }
        }
    }

    private func report(_ error: ManifestInjectionError, _ name: String) throws(Complaint) -> ExitCode {
        switch error {
        case .unreadable(let problems):
            report(problems.problems.map { PodFinding(.refusal, [], $0) })
        case .refused(let findings):
            report(findings)
        case .noPod:
            let place = SourceLocation(file: name, line: 1, column: 1)
            let remedy = "name the file that holds the agent's Pod, Deployment or other workload"
            report([
                PodFinding(.refusal, [], SourceProblem("there is no pod in this manifest", at: place, remedy: remedy))
            ])
        case .unfaithful(let place):
            throw Complaint(
                "\(place): the result would not say what was meant, so it was not written; this is a defect of penstock: "
                    + "write the pod in plain YAML lines to go on, and report the manifest",
                .defect
            )
        }
        tell("\(name): refused; nothing was written")
        return .problems
    }

    private func reportPods(of result: InjectedManifest, _ name: String) {
        for template in result.templates {
            guard isJSON else {
                if action == .inject { tell("\(name): \(template.title): guarded") }
                continue
            }
            put(
                jsonObject { members in
                    members.text("kind", "pod")
                    members.text("file", name)
                    members.text("workload", template.title)
                }
            )
        }
    }

    private func write(_ bytes: [UInt8]) throws(Complaint) {
        guard let output else { return try writeToOutput(bytes) }
        try replaceContent(of: output, with: bytes)
    }
}

extension [UInt8] {
    /// The first line of another text that is not the same here, counted from 1.
    fileprivate func firstOtherLine(in other: [UInt8]) -> Int {
        let same = zip(self, other).prefix { $0 == $1 }.count
        return other[..<same].count { $0 == UInt8(ascii: "\n") } + 1
    }
}

extension PodFinding {
    /// For people with the line that it is about, or for programs.
    fileprivate func lines(isStrict: Bool, isJSON: Bool, _ texts: inout SourceTexts) -> [String] {
        let severity: Finding.Severity = severity == .refusal || isStrict ? .error : .warning
        guard isJSON else {
            var shown = problem
            if !threats.isEmpty { shown.message += " (\(threats.joined(separator: ", ")))" }
            return Finding(severity, shown).lines(&texts)
        }
        return [
            jsonObject { members in
                members.text("kind", "problem")
                members.text("severity", severity.rawValue)
                members.texts("threats", threats)
                members.text("file", problem.location.file)
                members.number("line", UInt64(clamping: problem.location.line))
                members.number("column", UInt64(clamping: problem.location.column))
                members.text("message", problem.message)
                members.text("remedy", orNull: problem.remedy)
            }
        ]
    }
}
