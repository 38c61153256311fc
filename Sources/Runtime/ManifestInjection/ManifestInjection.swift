import PodInjection
import SourceDocuments
import YAMLBindings

/// A manifest with the guard in its pods, or without it again.
package struct InjectedManifest: Hashable, Sendable {
    /// The new text.
    package var bytes: [UInt8]
    /// The pods in it, as they were before.
    package var templates: [PodTemplate]
    /// What should be known about them; no refusal is among them.
    package var warnings: [PodFinding]
}

/// Why a manifest was left as it is.
package enum ManifestInjectionError: Error, Hashable, Sendable {
    /// It is no YAML, or not YAML that can be edited in place.
    case unreadable(SourceProblems)
    /// There are pods that cannot be guarded; everything that there is to say about all of them, in the order of the text.
    case refused([PodFinding])
    /// There is no pod in it.
    case noPod
    /// What came out was not what was meant: a defect, noticed before anything was written.
    case unfaithful(SourceLocation)
}

/// Puts the guard into every pod of a manifest.
///
/// What is there already is taken out first, so that the outcome depends on the author's own text and the options alone: done
/// twice it gives the same bytes. The outcome is read again and compared with what was meant before it is returned.
///
/// - Parameters:
///   - bytes: the manifest: YAML or JSON, one document or many, in UTF-8.
///   - file: its name, for messages.
///   - options: how the guard is put in.
/// - Returns: the new text, and what should be known about it.
/// - Throws: why nothing was done.
package func injectManifest(
    _ bytes: [UInt8],
    file: String,
    _ options: InjectionOptions
) throws(ManifestInjectionError) -> InjectedManifest {
    let (mark, text) = withoutByteOrderMark(bytes)
    let documents = try read(text, file)
    let (found, strange) = PodTemplate.find(in: documents)
    guard !found.isEmpty || !strange.isEmpty else { throw .noPod }
    var findings = strange.map { PodFinding(.refusal, [], $0) } + found.compactMap(\.recordProblem)
    let bare = found.filter { $0.recordProblem == nil }.map(\.withoutAdditions)
    findings += bare.flatMap { PodJudgement.findings(of: $0, options) }
    findings += edits(into: bare, options, text).problems.map { PodFinding(.refusal, [], $0) }
    findings += documents.flatMap { PodJudgement.findings(beside: $0, found, options) }
    findings = findings.inOrderOfText
    guard !findings.contains(where: { $0.severity == .refusal }) else { throw .refused(findings) }
    let original = withoutAdditions(text, found)
    let templates = PodTemplate.find(in: try readAgain(original, file)).templates
    guard templates.map(\.node.fragment) == bare.map(\.node.fragment) else { throw .unfaithful(start(file)) }
    let result = edits(into: templates, options, original).edits.applied(to: original)
    try compare(result, with: templates, options, original, file)
    return InjectedManifest(bytes: mark + result, templates: templates, warnings: findings)
}

/// Takes the guard out of every pod of a manifest: what the author wrote, byte for byte.
package func uninjectManifest(
    _ bytes: [UInt8],
    file: String
) throws(ManifestInjectionError) -> InjectedManifest {
    let (mark, text) = withoutByteOrderMark(bytes)
    let (templates, strange) = PodTemplate.find(in: try read(text, file))
    let findings = strange.map { PodFinding(.refusal, [], $0) } + templates.compactMap(\.recordProblem)
    guard findings.isEmpty else { throw .refused(findings.inOrderOfText) }
    guard !templates.isEmpty else { throw .noPod }
    let original = withoutAdditions(text, templates)
    let after = PodTemplate.find(in: try readAgain(original, file)).templates
    guard after.map(\.node.fragment) == templates.map(\.withoutAdditions.node.fragment) else {
        throw .unfaithful(start(file))
    }
    return InjectedManifest(bytes: mark + original, templates: templates, warnings: [])
}

private func withoutByteOrderMark(_ bytes: [UInt8]) -> (mark: [UInt8], text: [UInt8]) {
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    return bytes.starts(with: mark) ? (mark, Array(bytes.dropFirst(mark.count))) : ([], bytes)
}

private func start(_ file: String) -> SourceLocation { SourceLocation(file: file, line: 1, column: 1) }

/// A List of everything in a namespace is still far below this.
private let limits = YAMLLimits(bytes: 16 << 20, depth: 64, nodes: 1_000_000)

private func read(
    _ text: [UInt8],
    _ file: String,
    _ limits: YAMLLimits = limits
) throws(ManifestInjectionError) -> [LayoutNode] {
    do throws(SourceProblems) {
        return try readYAMLLayout(text, file: file, limits: limits)
    } catch {
        throw .unreadable(error)
    }
}

/// Reads a text that was made here; the places of what is wrong with it are not those of the author's file.
///
/// One that only is too large could not be given to `penstock inject` again.
private func readAgain(_ text: [UInt8], _ file: String) throws(ManifestInjectionError) -> [LayoutNode] {
    if let documents = try? read(text, file) { return documents }
    let room = YAMLLimits(bytes: limits.bytes * 16, depth: limits.depth * 2, nodes: limits.nodes * 16)
    guard (try? read(text, file, room)) != nil else { throw .unfaithful(start(file)) }
    throw .unreadable(
        SourceProblems([
            SourceProblem(
                "with the guard in it this manifest is larger than `penstock inject` reads",
                at: start(file),
                remedy: "put its objects into several files"
            )
        ])
    )
}

extension PodTemplate {
    /// The pod as its author wrote it, with the places of the text that it stands in now.
    fileprivate var withoutAdditions: PodTemplate { with(node.without(additions ?? [])) }

    /// What is wrong with the annotation that says what was added.
    fileprivate var recordProblem: PodFinding? {
        guard let record, additions == nil else { return nil }
        let problem = SourceProblem(
            "`\(AdditionPath.annotation)` does not say what was added",
            at: record.location,
            remedy:
                "begin with the manifest as it was before, or remove the annotation and the guard's containers by hand"
        )
        return PodFinding(.refusal, ["A21"], problem)
    }
}

private func withoutAdditions(_ text: [UInt8], _ templates: [PodTemplate]) -> [UInt8] {
    let manifest = ManifestText(text)
    return templates.flatMap { template in
        Removal.edits(taking: template.additions ?? [], outOf: template.node, in: manifest)
    }.applied(to: text)
}

private func edits(
    into templates: [PodTemplate],
    _ options: InjectionOptions,
    _ text: [UInt8]
) -> (edits: [TextEdit], problems: [SourceProblem]) {
    let manifest = ManifestText(text)
    // One for each document, whose pods stand together.
    var splicings: [Splicing] = []
    for template in templates {
        if splicings.last?.document.location != template.document.location {
            splicings.append(Splicing(template.document, in: manifest))
        }
        splicings[splicings.count - 1].put(PodAdditions.overlay(for: template, options), into: template.node)
    }
    return (splicings.flatMap(\.edits), splicings.flatMap(\.problems))
}

/// Reads the outcome again: every pod must mean what was intended, everything else what it meant before, and taking out must
/// give the original bytes.
private func compare(
    _ result: [UInt8],
    with templates: [PodTemplate],
    _ options: InjectionOptions,
    _ original: [UInt8],
    _ file: String
) throws(ManifestInjectionError) {
    let documents = try readAgain(result, file)
    let after = PodTemplate.find(in: documents).templates
    let (pods, podsBefore) = (Set(after.map(\.node.range)), Set(templates.map(\.node.range)))
    let hidden = documents.map { $0.fragment(hiding: pods) }
    let around = try readAgain(original, file).map { $0.fragment(hiding: podsBefore) }
    guard after.count == templates.count, hidden == around else {
        throw .unfaithful(start(file))
    }
    for (new, old) in zip(after, templates) {
        let intended = old.node.fragment.with(PodAdditions.overlay(for: old, options))
        guard new.node.fragment == intended else { throw .unfaithful(old.node.location) }
    }
    guard withoutAdditions(result, after) == original else { throw .unfaithful(start(file)) }
}

extension LayoutNode {
    /// What a document means around the pods in it.
    fileprivate func fragment(hiding pods: Set<Range<Int>>) -> Fragment {
        guard !pods.contains(range) else { return .word("") }
        switch content {
        case .scalar: return fragment
        case .sequence(let items, _): return .list(items.map { $0.fragment(hiding: pods) })
        case .mapping(let entries, _):
            return .map(entries.map { Fragment.Entry($0.key, $0.value.fragment(hiding: pods)) })
        }
    }
}

extension [PodFinding] {
    /// By line and column; those of one place stay in the order given.
    fileprivate var inOrderOfText: [PodFinding] {
        enumerated().sorted { one, other in
            let (first, second) = (one.element.problem.location, other.element.problem.location)
            return (first.line, first.column, one.offset) < (second.line, second.column, other.offset)
        }.map(\.element)
    }
}
