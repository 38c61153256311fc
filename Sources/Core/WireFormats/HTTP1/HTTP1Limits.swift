/// How much of an HTTP/1 message is read before it is refused.
package struct HTTP1Limits: Hashable, Sendable {
    /// The most bytes of a head, the empty line at its end among them.
    package var headBytes = 65536
    /// The most bytes of a head that is recalled, so that one with the same octets is not read anew.
    package var recalledHeadBytes = 4096
    /// The most bytes of a request line or status line, its line end among them.
    package var startLineBytes = 16384
    /// The longest method, in bytes.
    package var methodBytes = 32
    /// The most field lines of a head.
    package var fields = 128
    /// The most members of the Connection fields together; each is looked for among the field names.
    package var connectionOptions = 32
    /// The most bytes of the line before a chunk: its size and its extensions, which are dropped.
    package var chunkLineBytes = 1024
    /// The most bytes of a trailer section, the empty line at its end among them.
    package var trailerBytes = 8192
    /// The most field lines of a trailer section.
    package var trailerFields = 64

    package init() {}
}
