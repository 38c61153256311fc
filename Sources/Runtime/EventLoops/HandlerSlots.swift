/// Names a watched descriptor.
///
/// The generation tells an event for a descriptor that was closed, and its slot used again.
package struct WatchToken: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    var bits: UInt64 { UInt64(generation) << 32 | UInt64(index) }

    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    init(bits: UInt64) {
        self.init(index: UInt32(truncatingIfNeeded: bits), generation: UInt32(truncatingIfNeeded: bits >> 32))
    }
}

/// Who is told of which descriptor.
///
/// Lives on one loop. Slots stand in pages that stay where they are: an access to one of them is checked by the compiler, where one to
/// an element of an array that can grow would be checked each time as it runs.
final class HandlerSlots {
    private var pages: [Page] = []
    /// The slot that is taken next; those behind it are named by one another.
    private var firstFree = noSlot

    private struct Slot {
        var handler: (any EventHandler)?
        var generation: UInt32
        /// The free slot behind this one.
        var nextFree: UInt32
    }

    private final class Page {
        var slots: InlineArray<64, Slot>

        /// Free slots from this number on.
        init(from first: UInt32) {
            slots = InlineArray {
                Slot(handler: nil, generation: 0, nextFree: $0 == 63 ? noSlot : first + UInt32($0) + 1)
            }
        }
    }

    /// Takes a slot for a handler.
    func take(for handler: any EventHandler) -> WatchToken {
        if firstFree == noSlot { addPage() }
        let index = firstFree
        let page = pages[Int(index >> 6)]
        let place = Int(index & 63)
        firstFree = page.slots[place].nextFree
        page.slots[place].handler = handler
        return WatchToken(index: index, generation: page.slots[place].generation)
    }

    /// Frees a slot, if it is still that one's.
    func free(_ token: WatchToken) {
        let page = pages[Int(token.index >> 6)]
        let place = Int(token.index & 63)
        guard page.slots[place].generation == token.generation else { return }
        page.slots[place].generation &+= 1
        page.slots[place].nextFree = firstFree
        firstFree = token.index
        // Let go of when the slot is left: whoever goes with it may come back for a slot.
        let handler = page.slots[place].handler
        page.slots[place].handler = nil
        withExtendedLifetime(handler) {}
    }

    /// Who is told of events for this token; `nil`: nobody any more.
    func handler(of token: WatchToken) -> (any EventHandler)? {
        let page = pages[Int(token.index >> 6)]
        let place = Int(token.index & 63)
        return page.slots[place].generation == token.generation ? page.slots[place].handler : nil
    }

    private func addPage() {
        let first = UInt32(pages.count * 64)
        var more = pages
        pages = []
        more.append(Page(from: first))
        pages = more
        firstFree = first
    }
}

/// No slot has this number: there are never 2^32 - 1 descriptors.
private let noSlot = UInt32.max
