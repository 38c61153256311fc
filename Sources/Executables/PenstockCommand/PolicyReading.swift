import Configuration
import OpenSSLBindings

/// Loads a policy as the daemon does.
func readPolicy(_ path: String) -> Result<LoadedPolicy, ConfigurationError> {
    Result { () throws(ConfigurationError) in
        try loadPolicy(path: path) { SHA256Digest(of: $0.span).bytes }
    }
}
