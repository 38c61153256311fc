import LinuxBindings
import SourceDocuments
import YAMLBindings

extension DaemonConfiguration {
    /// Reads the configuration file.
    ///
    /// - Throws: why the file cannot be read, or everything that is wrong with it.
    package static func load(path: String) throws(ConfigurationError) -> DaemonConfiguration {
        let limits = YAMLLimits()
        let bytes = try readSource(path, limit: limits.bytes)
        do throws(SourceProblems) {
            return try read(bytes, file: path, limits: limits)
        } catch {
            throw .source(error)
        }
    }

    /// Reads the text of a configuration; `file` is what problems call it.
    package static func read(
        _ bytes: [UInt8],
        file: String,
        limits: YAMLLimits = YAMLLimits()
    ) throws(SourceProblems) -> DaemonConfiguration {
        let document = try readYAMLDocumentIfAny(bytes, file: file, limits: limits)
        guard let document else { return DaemonConfiguration() }
        return try MappingReader.read(document, as: "the configuration") { read(&$0) }
    }

    private static func read(_ reader: inout MappingReader) -> DaemonConfiguration? {
        var configuration = DaemonConfiguration()
        configuration.workers = reader.integer("workers", in: 1...256)
        configuration.scheduling = reader.choice("scheduling", of: Scheduling.self) ?? configuration.scheduling
        configuration.listen =
            reader.mapping("listen") { ListenSettings.read(&$0) } ?? configuration.listen
        configuration.policy = reader.mapping("policy") { PolicySettings.read(&$0) } ?? configuration.policy
        configuration.secrets = reader.mapping("secrets") { $0.readSecrets() } ?? [:]
        let isRouted = configuration.listen.isTransparentRouted
        configuration.egress = reader.mapping("egress") { $0.readEgress(besideRouting: isRouted) } ?? [:]
        configuration.audit = reader.mapping("audit") { AuditSettings.read(&$0) } ?? configuration.audit
        configuration.dial = reader.mapping("dial") { DialSettings.read(&$0) } ?? configuration.dial
        configuration.interception = reader.mapping("interception") { InterceptionSettings.read(&$0) }
        let audit = configuration.audit
        configuration.state.path = reader.mapping("state") { $0.path("path") } ?? audit.directory ?? "/var/lib/penstock"
        configuration.limits = reader.mapping("limits") { LimitSettings.read(&$0) } ?? configuration.limits
        configuration.workload = reader.mapping("workload") { WorkloadSettings.read(&$0) } ?? configuration.workload
        configuration.drain = reader.mapping("drain") { DrainSettings.read(&$0) } ?? configuration.drain
        return configuration
    }
}

extension PolicySettings {
    fileprivate static func read(_ reader: inout MappingReader) -> PolicySettings? {
        var settings = PolicySettings()
        settings.paths = readPaths(&reader) ?? settings.paths
        settings.watchTime = reader.integer("watch_seconds", in: 0...3600).map { .seconds($0) } ?? settings.watchTime
        return settings
    }

    /// One path, or a list of them.
    private static func readPaths(_ reader: inout MappingReader) -> [String]? {
        guard case .sequence? = reader.node("path")?.content else { return reader.path("path").map { [$0] } }
        let paths = reader.list("path", of: "paths") { node, subject throws(SourceProblem) in
            try node.absolutePath(subject)
        }
        return paths.flatMap { reader.notEmpty($0, "path") }
    }
}

extension WorkloadSettings {
    fileprivate static func read(_ reader: inout MappingReader) -> WorkloadSettings? {
        var settings = WorkloadSettings()
        settings.namespace = reader.value("namespace") { node, subject throws(SourceProblem) in try node.label(subject)
        }
        settings.pod = reader.value("pod") { node, subject throws(SourceProblem) in try node.label(subject) }
        settings.path = reader.path("path")
        settings.serviceAccount = reader.value("service_account") { node, subject throws(SourceProblem) in
            try node.label(subject)
        }
        return settings
    }
}

extension DrainSettings {
    fileprivate static func read(_ reader: inout MappingReader) -> DrainSettings? {
        var settings = DrainSettings()
        settings.time = reader.integer("seconds", in: 0...3600).map { .seconds($0) } ?? settings.time
        return settings
    }
}
