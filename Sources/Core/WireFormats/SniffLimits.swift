/// How far the sniffer goes before it calls an opening malformed.
package struct SniffLimits: Hashable, Sendable {
    /// The most bytes, record headers among them, in which a ClientHello must be complete.
    package var helloBytes = 65536
    /// The most extensions of a ClientHello; browsers send about twenty.
    package var helloExtensions = 128
    /// The most names in an ALPN list.
    package var protocolNames = 128
    /// The most bytes of an HTTP request head, the empty line at its end among them.
    package var headBytes = 65536
    /// The most header fields of an HTTP request head.
    package var headFields = 128
    /// The longest first word that is still taken for an HTTP method.
    package var methodBytes = 32
    /// The most white space before the first word of a text protocol, line ends among it.
    package var leadingBytes = 8

    package init() {}
}
