/// What stands for a user where nft(8) cannot write the number itself: Jenkins' hash of it, as the kernel computes it.
///
/// No two users up to 165,535 have the same one: those of most machines, and the first range of subordinate ones. Two others have one time
/// in 2^32.
package enum UserHash {
    /// What the hash begins with, chosen for that.
    package static let seed: UInt32 = 0x7065_6e76
    /// What it is scaled to: the greatest that nft(8) knows.
    package static let modulus = UInt32.max

    /// What `jhash meta skuid mod 4294967295 seed 0x70656e76` is for a user.
    ///
    /// `include/linux/jhash.h` for a key of four octets, and `reciprocal_scale` of `include/linux/kernel.h`.
    package static func of(user: UInt32) -> UInt32 {
        let start = 0xdead_beef &+ 4 &+ seed
        var (a, b, c) = (start &+ UInt32(littleEndian: user), start, start)
        c = (c ^ b) &- rotated(b, 14)
        a = (a ^ c) &- rotated(c, 11)
        b = (b ^ a) &- rotated(a, 25)
        c = (c ^ b) &- rotated(b, 16)
        a = (a ^ c) &- rotated(c, 4)
        b = (b ^ a) &- rotated(a, 14)
        c = (c ^ b) &- rotated(b, 24)
        return UInt32(truncatingIfNeeded: (UInt64(c) * UInt64(modulus)) >> 32)
    }

    private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
