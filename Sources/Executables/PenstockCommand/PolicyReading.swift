import Configuration
import OpenSSLBindings

/// Loads a policy as the daemon does.
///
/// - Returns: the policy, or why there is none.
/// - Throws: a defect: the hash cannot be computed.
func readPolicy(_ path: String) throws(Complaint) -> Result<LoadedPolicy, ConfigurationError> {
    do throws(OpenSSLError) {
        var hasher = try SHA256Hasher()
        var failure: OpenSSLError?
        let loaded = Result { () throws(ConfigurationError) in
            try loadPolicy(path: path) { bytes in
                do throws(OpenSSLError) {
                    return try hasher.hash(bytes.span).bytes
                } catch {
                    failure = error
                    return []
                }
            }
        }
        if let failure { throw failure }
        return loaded
    } catch {
        throw Complaint("cannot compute the policy's hash: \(error)", .defect)
    }
}
