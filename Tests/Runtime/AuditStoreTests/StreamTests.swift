import AuditStore
import AuditTrail
import Foundation
import Testing

/// Standard output; what is written there is tested with the daemon itself, in RobustnessKillTests.
@Suite struct StreamTests {
    @Test("G06: a link in the place of what is kept beside standard output is refused, and not written through")
    func link() throws {
        let folder = try AuditFolder()
        try folder.write(Array("precious".utf8), to: "victim")
        try run("ln", "-s", folder.path + "/victim", folder.path + "/audit.chain")
        let store = AuditStoreSettings(statePath: folder.path)
        #expect(throws: AuditError.self) {
            try AuditWriter(path: "-", durability: .written, store: store, version: "1", pid: 1) { 0 }
        }
        #expect(try folder.read("victim") == Array("precious".utf8))
    }
}
