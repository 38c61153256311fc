import NetworkTypes
import PolicyEngine

/// What a policy is asked about: a connection, or a request on it, as somebody typed it, a case states it or a record tells it.
package struct Question: Hashable, Sendable {
    /// Where the kernel would say that the connection goes; `nil` where no address is known.
    package var original: IPAddress?
    /// The name that the client says, as it was given; it may be malformed.
    package var name: String?
    /// True where the name was said before anybody spoke, in a CONNECT.
    package var isNameSaidBefore = false
    package var port: UInt16
    package var speech: Speech
    /// True of a request inside TLS, as a daemon reads it that ends TLS.
    package var isInsideTLS = false
    /// Whether a TLS client says a server name; `nil` where that is the name.
    package var hasServerName: Bool?
    package var uid: UInt32?
    /// Where the client is, of one that comes through a gateway.
    package var clientAddress: IPAddress?
    package var workload = WorkloadNames()
    /// Seconds since the epoch; `nil` where no time is known.
    package var now: Int64?
    /// What is said in a request; `nil` for what is not known.
    package var method: RequestMethod?
    /// As it was given; it may be ambiguous.
    package var path: String?
    package var headers: [RequestField]?
    /// What follows the `?`, empty where there is none; `nil` where nobody knows.
    package var query: String?
    /// What the body of the request calls, empty where it calls nothing; `nil` where nobody knows.
    package var calls: [AgentCall]?
    /// What the name resolves to; `nil` where nobody knows.
    package var addresses: [IPAddress]?

    package init(port: UInt16, speech: Speech) {
        self.port = port
        self.speech = speech
    }

    /// What the client is known to speak.
    package enum Speech: Hashable, Sendable {
        case known(ApplicationProtocol)
        /// It waits for the server.
        case silent
        /// It has only asked: in a CONNECT, or the API.
        case asked
    }
}

extension Question {
    /// True where the question is about a request, whose parts rules may ask for.
    package var isRequest: Bool {
        switch speech {
        case .known(.http): true
        case .known(.tls): isInsideTLS
        case .known(.h2c), .known(.opaque), .silent, .asked: false
        }
    }

    /// True where the client says before anything else which name it wants, or has said it already.
    package var carriesName: Bool {
        switch speech {
        case .known where isNameSaidBefore: true
        case .known(.tls), .known(.http), .asked: true
        case .known(.h2c), .known(.opaque), .silent: false
        }
    }

    func opening(_ name: HostName?) -> Opening {
        switch speech {
        case .known(let spoken): .known(spoken, name: name)
        case .silent: .silent
        case .asked: .asked(name)
        }
    }
}
