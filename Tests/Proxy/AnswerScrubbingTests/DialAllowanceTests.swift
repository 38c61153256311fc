import PolicyEngine
import Testing

@testable import ConnectionJourney

@Suite("Attempts to connect beside the first")
struct DialAllowanceTests {
    @Test("a user has no more of them than are left for all others, and gives back what it took")
    func shares() {
        let allowance = DialAllowance(16)
        #expect(allowance.take(7, for: .user(1)))
        #expect(!allowance.take(2, for: .user(1)))
        #expect(allowance.take(1, for: .user(1)))
        #expect(!allowance.take(1, for: .user(1)))
        // Whose a connection is may not be known: they are one user.
        #expect(allowance.take(4, for: nil))
        #expect(!allowance.take(1, for: nil))
        #expect(allowance.take(2, for: .user(2)))
        #expect(allowance.take(-8, for: .user(1)))
        #expect(allowance.take(5, for: .user(1)))
        #expect(!allowance.take(1, for: .user(1)))
    }
}
