/// The clients of the tests.
enum EgressClients {
    /// A URL's host for an address of either family.
    static func bracketed(_ address: String) -> String { address.contains(":") ? "[\(address)]" : address }

    /// curl for `https://NAME/`, at an address that it does not look up.
    static func curl(_ name: String, at address: String, port: Int = 443, _ more: [String] = []) -> [String] {
        let resolve = "\(name):\(port):\(bracketed(address))"
        let url = port == 80 ? "http://\(name)/" : "https://\(name):\(port)/"
        return ["curl", "-sS", "-m", "15", "--resolve", resolve] + more + [url]
    }

    /// Python functions for raw clients.
    static let kit = """
        import os, socket, ssl, struct, sys, threading, time

        """ + "\n"
}
