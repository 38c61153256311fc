// OpenSSLBindings
