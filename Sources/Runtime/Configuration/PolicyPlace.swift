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
    /// The process lacked descriptors or memory for looking: what stands there is not known, and so tells nothing.
    package private(set) var isUnknown = false

    /// Looks at the paths.
    package init(_ paths: [String]) {
        for path in paths {
            let opened: OwnedDescriptor
            do throws(SystemCallError) {
                opened = try openForReading(path)
            } catch {
                note(error)
                continue
            }
            let status = try? fileStatus(opened)
            identities.append(status.map(Identity.init))
            // The kubelet's way: `..data` leads to the version that is mounted, and is renamed over.
            if status?.isDirectory ?? false { look(below: opened, "..data") }
        }
    }

    private mutating func look(below directory: borrowing OwnedDescriptor, _ name: String) {
        do throws(SystemCallError) {
            identities.append(Identity(try fileStatus(try openForReading(below: directory, name))))
        } catch {
            note(error)
        }
    }

    private mutating func note(_ error: SystemCallError) {
        identities.append(nil)
        if error.isForWantOfMeans { isUnknown = true }
    }
}
