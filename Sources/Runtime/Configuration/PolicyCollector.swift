import PolicyEngine
import SourceDocuments
import YAMLBindings

/// One file of a policy, as it was read.
struct PolicyFile: Hashable, Sendable {
    /// As messages write it.
    var path: String
    /// As the hash knows it.
    var name: String
    var bytes: [UInt8]
}

/// YAML that was read already: a policy is read until it is the same twice running, and parsed once.
struct ParsedFiles {
    private var files: [String: (bytes: [UInt8], result: YAMLDocuments)] = [:]

    mutating func documents(
        _ bytes: [UInt8],
        path: String,
        limits: PolicyFileLimits
    ) -> YAMLDocuments {
        if let known = files[path], known.bytes == bytes { return known.result }
        let result = readYAMLWithProblems(
            bytes,
            file: path,
            limits: YAMLLimits(limits)
        )
        files[path] = (bytes, result)
        return result
    }
}

extension YAMLLimits {
    /// Those of one file of a policy.
    package init(_ limits: PolicyFileLimits) {
        self.init(bytes: limits.fileBytes, nodes: limits.fileNodes)
    }
}

/// Gathers the documents of a policy from its paths and from the files that they extend, each file once.
struct PolicyCollector {
    private let limits: PolicyFileLimits
    /// With several paths, the hash knows files by their whole path.
    private let hasSeveralPaths: Bool
    /// In the order in which they are taken: an extended file before the one that extends it.
    private(set) var files: [PolicyFile] = []
    /// Where there are problems, what could be read all the same.
    private(set) var documents: [PolicyDocument] = []
    private(set) var problems: [SourceProblem] = []
    /// True where the policy is one file and nothing else.
    var isOneFile: Bool { hasOneFilePath && files.count == 1 }
    private var hasOneFilePath = false
    /// Files that were begun, by the path that messages write.
    private var begun: Set<String> = []
    /// Files that extend each other, from the outermost on, by the same.
    private var chain: [String] = []
    private var room: Int

    init(limits: PolicyFileLimits, hasSeveralPaths: Bool) {
        self.limits = limits
        self.hasSeveralPaths = hasSeveralPaths
        room = limits.bytes
    }

    /// Takes everything of one path: a file, or a directory.
    mutating func take(path: String, _ parsed: inout ParsedFiles) throws(ConfigurationError) {
        switch try PolicyPath.read(path, limits: limits, room: room) {
        case .file(let bytes):
            hasOneFilePath = !hasSeveralPaths
            let (directory, name) = PolicyPath.split(path)
            take(Place(root: directory, relative: name, path: path), bytes, isExtended: false, &parsed)
        case .directory(let files):
            for file in files {
                let place = Place(root: path, relative: file.name, path: pathOfFile(file.name, in: path))
                take(place, file.bytes, isExtended: false, &parsed)
            }
        }
    }

    /// Where a file is.
    private struct Place {
        /// The directory that nothing it extends may lie outside of.
        var root: String
        /// The way from there.
        var relative: String
        /// As messages write it.
        var path: String
    }

    private mutating func take(_ place: Place, _ bytes: [UInt8], isExtended: Bool, _ parsed: inout ParsedFiles) {
        guard begun.insert(place.path).inserted else { return }
        room -= bytes.count
        chain.append(place.path)
        defer { chain.removeLast() }
        let read = parsed.documents(bytes, path: place.path, limits: limits)
        problems += read.problems
        // A file that is cut off and written anew is empty for a moment: what it says is not left out for that.
        if read.documents.isEmpty, read.problems.isEmpty { problems.append(.emptyPolicyFile(place.path)) }
        // What stands in the place of a refused value is no path.
        let refused = Set(read.problems.map(\.location))
        for node in read.documents {
            for extended in extendedFiles(of: node) where !refused.contains(extended.location) {
                take(extended, from: place, &parsed)
            }
            documents.append(PolicyDocument(node, isExtended: isExtended))
        }
        let name = hasSeveralPaths ? place.path : place.relative
        files.append(PolicyFile(path: place.path, name: name, bytes: bytes))
    }

    private mutating func take(_ extended: ExtendedFile, from place: Place, _ parsed: inout ParsedFiles) {
        do throws(SourceProblem) {
            let relative = try PolicyPath.resolve(extended, from: place.relative)
            let path = pathOfFile(relative, in: place.root)
            if let start = chain.firstIndex(of: path) {
                let way = (chain[start...] + [path]).joined(separator: " extends ")
                throw SourceProblem(
                    "the files extend each other in a circle: \(way)",
                    at: extended.location,
                    remedy: "remove one of these `extends`"
                )
            }
            guard !begun.contains(path) else { return }
            let bytes = try read(path, extended)
            take(Place(root: place.root, relative: relative, path: path), bytes, isExtended: true, &parsed)
        } catch {
            problems.append(error)
        }
    }

    private func read(_ path: String, _ extended: ExtendedFile) throws(SourceProblem) -> [UInt8] {
        do throws(ConfigurationError) {
            guard begun.count < limits.files else {
                throw .file(FileProblem(path: path, cause: .tooManyFiles(limit: limits.files)))
            }
            return try readSource(path, limit: min(limits.fileBytes, room))
        } catch {
            switch error {
            case .file(let problem):
                throw SourceProblem(
                    "the extended file \(path) cannot be read: \(problem.message)",
                    at: extended.location,
                    remedy: problem.remedy
                )
            case .source(let problems):
                throw problems.problems.first ?? SourceProblem("\(path) cannot be read", at: extended.location)
            }
        }
    }
}

extension SourceProblem {
    fileprivate static func emptyPolicyFile(_ path: String) -> SourceProblem {
        SourceProblem(
            "no document was found, expected a policy",
            at: SourceLocation(file: path, line: 1, column: 1),
            remedy: "write the policy into it, or remove the file"
        )
    }
}
