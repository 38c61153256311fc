import EventLoops
import LinuxBindings
import NameResolution

/// What the loop does for the resolver that lives on it.
final class LoopResolverHost: ResolverHost {
    weak var resolver: Resolver?
}
