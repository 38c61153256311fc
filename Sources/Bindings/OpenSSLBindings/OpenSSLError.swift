import COpenSSL

/// A call of OpenSSL that failed, with all that its error queue told.
package struct OpenSSLError: Error, Hashable, Sendable {
    /// The name of the call: `EVP_DigestInit_ex2`.
    package let call: String
    /// The entries of the queue, oldest first, in OpenSSL's own words.
    package let reasons: [String]

    /// Takes all errors from this thread's queue, so that none is later taken for another call's.
    init(draining call: StaticString) {
        self.call = call.description
        var reasons: [String] = []
        var code = ERR_get_error()
        while code != 0 {
            reasons.append(errorText(code))
            code = ERR_get_error()
        }
        self.reasons = reasons
    }
}

extension OpenSSLError: CustomStringConvertible {
    /// `EVP_DigestInit_ex2: error:0308010C:…`.
    package var description: String {
        reasons.isEmpty ? "\(call) failed" : "\(call): \(reasons.joined(separator: "; "))"
    }
}

private func errorText(_ code: UInt) -> String {
    // OpenSSL asks for at least 120 bytes where the text is to be whole.
    var buffer = [CChar](repeating: 0, count: 256)
    unsafe ERR_error_string_n(code, &buffer, buffer.count)
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
