import NetworkTypes
import Testing

@Suite("What stands for a user in a packet")
struct UserHashTests {
    /// By another implementation of Jenkins' hash; that the kernel agrees is seen wherever a rule asks for a user.
    @Test(
        "it is the kernel's hash, scaled as nft(8) asks for",
        arguments: [
            (0, 0x5169_17af), (1, 0x0a36_8ed7), (2000, 0xb21c_6a63), (2001, 0x444c_69a4), (65534, 0x7969_6d51),
            (4_294_967_294, 0xdb03_16db),
        ] as [(UInt32, UInt32)]
    )
    func hash(user: UInt32, hash: UInt32) {
        #expect(UserHash.of(user: user) == hash)
    }

    @Test("B18: no two of a machine's usual users have the same one")
    func usual() {
        let users: ClosedRange<UInt32> = 0...165_535
        let hashes = Set(users.map { UserHash.of(user: $0) })
        #expect(hashes.count == users.count)
    }
}
