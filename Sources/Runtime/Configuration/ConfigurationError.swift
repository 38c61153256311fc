import Credentials
import LinuxBindings
import SourceDocuments

/// Why a configuration or a policy was not loaded.
package enum ConfigurationError: Error, Hashable, Sendable {
    /// It could not be read.
    case file(FileProblem)
    /// It was read, and is wrong.
    case source(SourceProblems)
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file(let problem): problem.description
        case .source(let problems): problems.description
        }
    }
}

/// A file or directory that cannot be read: which, why, and what to do about it.
package struct FileProblem: Error, Hashable, Sendable {
    package let path: String
    package let cause: Cause

    /// What kept it from being read.
    package enum Cause: Hashable, Sendable {
        case systemCall(SystemCallError)
        /// Neither a file nor a directory where one is expected: a pipe, a socket, a device.
        case notRegular
        /// A directory where only a file will do.
        case directory
        /// The limit in bytes.
        case tooLarge(limit: Int)
        case tooManyFiles(limit: Int)
        /// The directory has no `*.yaml` or `*.yml`.
        case noPolicyFile
        /// The file's name has a control character or a backslash in it, or is no UTF-8.
        case strangeName
        /// It should hold one name, and does not.
        case noName
        /// It was another each time it was read.
        case changing
        /// Every user may write to it.
        case writableByAll
        /// It should hold a secret, and does not.
        case noSecret(SecretFault)
        /// It should hold `user:password`, and does not.
        case noCredentials
    }
}

extension FileProblem: CustomStringConvertible {
    /// `PATH: cause; remedy`.
    package var description: String { "\(path): \(message); \(remedy)" }

    /// Why it cannot be read.
    package var message: String { cause.text }

    /// What to do about it.
    package var remedy: String { cause.remedy }
}

extension FileProblem.Cause {
    fileprivate var text: String {
        switch self {
        case .systemCall(let error): error.description
        case .notRegular: "this is neither a file nor a directory"
        case .directory: "this is a directory"
        case .tooLarge(let limit): "there are more than \(limit) bytes"
        case .tooManyFiles(let limit): "the directory has more than \(limit) files"
        case .noPolicyFile: "the directory has no policy file"
        case .strangeName: "the name of a policy file has a character that no policy file needs"
        case .noName: "it does not hold a name on one line"
        case .changing: "it changes while it is being read"
        case .writableByAll: "every user may write to it"
        case .noSecret(let fault): fault.text
        case .noCredentials: "it does not hold a user and a password of at most 255 octets each"
        }
    }

    fileprivate var remedy: String {
        switch self {
        case .systemCall: "check the path, and that the daemon's user may read it"
        case .notRegular, .directory: "name a file"
        case .tooLarge: "split it, or remove what is not needed"
        case .tooManyFiles: "keep policies in a directory of their own"
        case .noPolicyFile: "add one whose name ends in .yaml or .yml"
        case .strangeName: "rename it"
        case .noName: "give the name in `workload` instead, or mend what writes the file"
        case .changing: "write a new file and rename it into place"
        case .writableByAll: "take that away: whoever writes it decides what is sent"
        case .noCredentials: "write `user:password` into it, on one line and nothing else"
        case .noSecret: "write the secret into it, on one line and nothing else"
        }
    }
}

extension SecretFault {
    /// Nothing of the content is told.
    fileprivate var text: String {
        switch self {
        case .tooShort: "it holds less than 8 characters, too few to be found in answers"
        case .tooLong: "it holds more than 8192 characters"
        case .controlOctet: "it holds a control character, or more than one line"
        case .notASCII: "it holds a character outside ASCII, which no header takes"
        case .spaceAround: "it begins or ends with a space"
        }
    }
}
