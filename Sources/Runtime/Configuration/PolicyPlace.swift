import LinuxBindings

/// What stands at the paths of a policy, told apart without reading it.
///
/// It is another after a swap in one step: a file that was renamed over the one before, a symbolic link that leads elsewhere,
/// or the `..data` of a mounted ConfigMap. What is written in place is not noticed: it may be half of what is meant.
package struct PolicyPlace: Hashable, Sendable {
    /// A file or directory, by its place on the disk; `nil` where there is none.
    private struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64

        init(_ status: FileStatus) {
            device = status.device
            inode = status.inode
        }
    }

    private var identities: [Identity?] = []

    /// Looks at the paths.
    package init(_ paths: [String]) {
        for path in paths {
            let opened: OwnedDescriptor
            do throws(SystemCallError) {
                opened = try openForReading(path)
            } catch {
                identities.append(nil)
                continue
            }
            let status = try? fileStatus(opened)
            identities.append(status.map(Identity.init))
            // The kubelet's way: `..data` leads to the version that is mounted, and is renamed over.
            if status?.isDirectory ?? false { identities.append(Self.identity(below: opened, "..data")) }
        }
    }

    private static func identity(below directory: borrowing OwnedDescriptor, _ name: String) -> Identity? {
        guard let opened = try? openForReading(below: directory, name) else { return nil }
        return (try? fileStatus(opened)).map(Identity.init)
    }
}
