import AuditTrail
import HTTPExchange
import PolicyEngine

/// One request to the governance API, read whole.
package struct GovernanceQuestion: Hashable, Sendable {
    package var method: String
    /// The path as it was received, without query.
    package var path: String
    /// The value of `Content-Type`; nil where there is none.
    package var contentType: String?
    /// What the request names as this server, validated; empty where it names none.
    package var authority: String
    package var body: [UInt8]

    package init(method: String, path: String, contentType: String?, authority: String, body: [UInt8]) {
        self.method = method
        self.path = path
        self.contentType = contentType
        self.authority = authority
        self.body = body
    }
}

/// What holds at the moment of a question, none of it the caller's to say.
package struct GovernanceSituation: Sendable {
    /// Nil where none is loaded: everything is denied.
    package var policy: Policy?
    /// Counts the policies that this daemon has loaded.
    package var generation: UInt64
    package var isReady: Bool
    /// The user that owns the asking socket; nil where the kernel does not know.
    package var callerUID: UInt32?
    /// Of the record, should there be one.
    package var id: RecordIdentifier
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var time: Int64
    /// Hashes what the record does not tell; nil: nothing is told of it.
    package var mask: (any SecretHashing)?

    package init(
        policy: Policy?,
        generation: UInt64,
        isReady: Bool,
        callerUID: UInt32?,
        id: RecordIdentifier,
        time: Int64,
        mask: (any SecretHashing)? = nil
    ) {
        self.policy = policy
        self.generation = generation
        self.isReady = isReady
        self.callerUID = callerUID
        self.id = id
        self.time = time
        self.mask = mask
    }
}

/// What the governance API has to say to a question.
package struct GovernanceAnswer: Hashable, Sendable {
    package var message: OwnAnswer
    /// To be written before the message is sent; nil where nothing was decided.
    package var check: CheckRecord?

    init(_ message: OwnAnswer, check: CheckRecord? = nil) {
        self.message = message
        self.check = check
    }
}
