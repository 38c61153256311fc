import AuditTrail
import HTTPExchange

extension OwnAnswer {
    /// An object, in JSON.
    static func json(
        _ status: Int = 200,
        fields: [Field] = [],
        _ members: (inout JSONMembers) -> Void
    ) -> OwnAnswer {
        OwnAnswer(status, fields: fields, contentType: "application/json", body: jsonObject(members))
    }

    /// The one sentence that clients know from other failures.
    static func detail(_ text: String, status: Int, fields: [Field] = []) -> OwnAnswer {
        json(status, fields: fields) { $0.text("detail", text) }
    }

    /// The daemon answers, so it is alive.
    static func health(at time: Int64) -> OwnAnswer {
        json { members in
            members.text("status", "ok")
            members.text("component", component)
            members.object("components") { $0.text("proxy", "healthy") }
            var timestamp: [UInt8] = []
            timestamp.append(timestamp: time)
            members.text("timestamp", String(decoding: timestamp, as: UTF8.self))
        }
    }

    /// Whether traffic should be sent.
    static func ready(_ situation: GovernanceSituation) -> OwnAnswer {
        json(situation.isReady ? 200 : 503) { members in
            members.boolean("ready", situation.isReady)
            members.text("status", situation.isReady ? "ready" : "not_ready")
            members.text("component", component)
            members.number("policies_loaded", situation.policy == nil ? 0 : 1)
        }
    }
}

/// What probes of existing deployments look for.
private let component = "governance-sidecar"

/// An object with these members.
///
/// A text is never cut: an answer is as long as what it tells, which a question's own limits bound.
func jsonObject(_ body: (inout JSONMembers) -> Void) -> [UInt8] {
    var members = JSONMembers(
        reserving: 640,
        limits: RecordLimits(textBytes: .max, listItems: .max, lineBytes: .max)
    )
    body(&members)
    return [UInt8(ascii: "{")] + members.finish() + [UInt8(ascii: "}")]
}
