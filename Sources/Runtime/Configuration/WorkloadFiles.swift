import LinuxBindings

extension WorkloadSettings {
    /// What a name may take, in octets, as Kubernetes names are; and a newline.
    private static let nameLimit = 254

    /// Fills in what is not given from the files `namespace`, `pod` and `service_account` of the directory, once.
    ///
    /// A file that is not there leaves its name unknown; one that holds no name is an error, and so is a directory that is not
    /// there.
    package func readingFiles() throws(ConfigurationError) -> WorkloadSettings {
        guard let path else { return self }
        do throws(SystemCallError) {
            _ = try openFile(path, [.readOnly, .directory])
        } catch {
            throw .file(FileProblem(path: path, cause: .systemCall(error)))
        }
        var settings = self
        if namespace == nil { settings.namespace = try Self.name("namespace", in: path) }
        if pod == nil { settings.pod = try Self.name("pod", in: path) }
        if serviceAccount == nil { settings.serviceAccount = try Self.name("service_account", in: path) }
        return settings
    }

    private static func name(_ file: String, in path: String) throws(ConfigurationError) -> String? {
        let place = pathOfFile(file, in: path)
        let bytes: [UInt8]
        do throws(ConfigurationError) {
            bytes = try readSource(place, limit: nameLimit)
        } catch {
            if case .file(let problem) = error, case .systemCall(let call) = problem.cause, call.isMissing {
                return nil
            }
            throw error
        }
        let text = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
        guard let name = String(validating: text, as: UTF8.self), !name.isEmpty,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw .file(FileProblem(path: place, cause: .noName)) }
        return name
    }
}
