import Foundation

/// A page of docs/, such as `audit.md`.
package func documentation(_ page: String) throws -> String {
    let root = URL(filePath: #filePath).appending(path: "../../..").standardized
    return try String(contentsOf: root.appending(path: "docs/\(page)"), encoding: .utf8)
}
