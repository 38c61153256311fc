import SourceDocuments

/// A command line of `penstock-init`, read but not yet judged.
package struct CaptureArguments: Hashable, Sendable {
    package var command: Command
    package var given: [Given]

    /// What is to be done with the rules.
    package enum Command: String, CaseIterable, Sendable {
        case install
        case hold
        case verify
        case watch
        case print
        case remove
        case help
        case version
    }

    /// A flag with its value.
    package struct Given: Hashable, Sendable {
        package var flag: CaptureFlag
        package var value: String
    }

    /// Why a command line cannot be followed.
    package enum Problem: Error, Hashable, Sendable {
        case noCommand
        case unknownCommand(String)
        case unknownFlag(String)
        case missingValue(CaptureFlag)
        case unexpectedValue(CaptureFlag)
        case givenTwice(CaptureFlag)
        case badValue(CaptureFlag, String)
        /// It goes with `verify`, or with `--watch`.
        case misplaced(CaptureFlag)
        /// It means nothing in the mode that was chosen.
        case needsMode(CaptureFlag, CaptureMechanism)
    }

    /// Reads the arguments behind the program's name: `--flag value` and `--flag=value`, in any order with the command.
    package init(_ arguments: [String]) throws(Problem) {
        var command: Command?
        var given: [Given] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" {
                self.init(command: .help, given: [])
                return
            }
            if argument == "--version" {
                self.init(command: .version, given: [])
                return
            }
            guard argument.hasPrefix("-") else {
                guard command == nil, let named = Command(rawValue: argument) else {
                    throw .unknownCommand(argument)
                }
                command = named
                continue
            }
            given.append(try Self.flag(argument, &rest, given))
        }
        guard let command else { throw .noCommand }
        self.init(command: command, given: given)
        if let flag = misplaced { throw .misplaced(flag) }
    }

    private init(command: Command, given: [Given]) {
        self.command = command
        self.given = given
    }

    /// The file that `--config` names.
    package var configuration: String? { given.first { $0.flag == .config }?.value }

    /// The mode that `--mode` names, if it does.
    package var mode: CaptureMechanism? {
        given.first { $0.flag == .mode }.flatMap { CaptureMechanism(rawValue: $0.value) }
    }

    /// Puts what was given into the settings.
    ///
    /// A list that is given stands for the whole list.
    package func apply(to settings: inout CaptureSettings) throws(Problem) {
        for flag in Set(given.map(\.flag)) {
            flag.clear(&settings)
            settings.sources[flag] = .commandLine
        }
        for one in given where !one.flag.apply(one.value, to: &settings) { throw .badValue(one.flag, one.value) }
        // What is removed may have been installed in any mode.
        guard command != .remove else { return }
        for flag in given.map(\.flag) {
            if let mode = flag.neededMode, mode != settings.mechanism { throw .needsMode(flag, mode) }
        }
    }

    private static func flag(_ argument: String, _ rest: inout ArraySlice<String>, _ given: [Given]) throws(Problem)
        -> Given
    {
        let equals = argument.firstIndex(of: "=")
        let name = argument[..<(equals ?? argument.endIndex)]
        guard name.hasPrefix("--"), let flag = CaptureFlag(rawValue: String(name.dropFirst(2))) else {
            throw .unknownFlag(String(name))
        }
        guard flag.isRepeatable || !given.contains(where: { $0.flag == flag }) else { throw .givenTwice(flag) }
        if flag.takesNoValue {
            guard equals == nil else { throw .unexpectedValue(flag) }
            return Given(flag: flag, value: "true")
        }
        if let equals { return Given(flag: flag, value: String(argument[argument.index(after: equals)...])) }
        guard let value = rest.popFirst() else { throw .missingValue(flag) }
        return Given(flag: flag, value: value)
    }
}

extension CaptureArguments.Problem: CustomStringConvertible {
    /// What is wrong, with what, and what to do.
    package var description: String {
        switch self {
        case .noCommand: "no command: say install, hold, watch, verify, print or remove"
        case .unknownCommand(let word):
            "unknown command '\(word)'" + suggestion(word, CaptureArguments.Command.allCases.map(\.rawValue))
        case .unknownFlag(let word):
            "unknown flag '\(word)'" + suggestion(word, CaptureFlag.allCases.map { "--\($0.rawValue)" })
        case .missingValue(let flag): "--\(flag.rawValue) needs a value: \(flag.expected)"
        case .unexpectedValue(let flag): "--\(flag.rawValue) takes no value"
        case .givenTwice(let flag): "--\(flag.rawValue) is given twice"
        case .misplaced(let flag):
            "--\(flag.rawValue) goes with \(flag == .watch ? "verify" : "watch and verify --watch")"
        case .needsMode(let flag, let mode):
            "--\(flag.rawValue) means nothing without --mode \(mode.rawValue): give both, or neither"
        case .badValue(let flag, let value): "--\(flag.rawValue) '\(value)': expected \(flag.expected)"
        }
    }

    private func suggestion(_ word: String, _ words: [String]) -> String {
        nearest(to: word, among: words).map { "; did you mean '\($0)'?" } ?? "; see penstock-init --help"
    }
}
