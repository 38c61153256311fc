/// The packet mark by which `penstock-init --mode tproxy` leads captured connections back to this machine where `--tproxy-mark` says
/// nothing else.
///
/// The daemon knows it, too: what it dialled with such a mark would come back to it.
package enum TransparentMark {
    /// The bits that are set.
    package static let value: UInt32 = 0x7065_0000
    /// The bits that it is about; the others are everybody else's.
    package static let mask: UInt32 = 0xffff_0000

    /// True where a packet with this mark is led back.
    package static func leadsBack(_ mark: UInt32) -> Bool { mark & mask == value }

    /// As flags and ip(8) write it.
    package static let text = "0x70650000/0xffff0000"
}
