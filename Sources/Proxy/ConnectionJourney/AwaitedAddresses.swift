import EventLoops
import NameResolution
import NetworkTypes
import PolicyEngine

/// Addresses of a name that have not come yet, while others of it are dialled: one family's answer was late.
///
/// Nothing is dialled of them that was not judged.
struct AwaitedAddresses {
    private let name: HostName
    private let owner: ConnectionOwner?
    private let port: UInt16
    private let original: OriginalDestination?
    private let judge: (FoundAddresses) -> [UpstreamAddress]

    /// `judge` gets the whole answer, and gives what of it may be dialled.
    init(
        of name: HostName,
        for owner: ConnectionOwner?,
        port: UInt16,
        near original: OriginalDestination?,
        _ judge: @escaping (FoundAddresses) -> [UpstreamAddress]
    ) {
        self.name = name
        self.owner = owner
        self.port = port
        self.original = original
        self.judge = judge
    }

    /// Waits for the whole answer; what of it may be dialled, best first, and nothing where nobody waits for it any more.
    func addresses(_ wait: LookupWait, _ worker: Worker, on loop: isolated EventLoop) async -> [UpstreamAddress] {
        let answer = await worker.resolver.resolve(name, for: owner, isWhole: true, wait, on: loop)
        guard let answer else { return [] }
        return judge(worker.addresses(from: answer, port: port, near: original))
    }
}
