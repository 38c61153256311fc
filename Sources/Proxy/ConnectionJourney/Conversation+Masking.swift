import AuditStore
import AuditTrail
import WireFormats

/// What of a request is a secret, in the form that its record may have.
///
/// `authenticatesConnection` is set where its credentials are good for the whole connection.
func masked(
    _ request: HTTP1Request,
    by mask: SecretMask,
    _ authenticatesConnection: inout Bool
) -> [MaskedSecret] {
    var secrets: [MaskedSecret] = []
    request.fields.forEachSecret { field, value in
        switch field {
        case .credentials(let name):
            if HTTP1ConnectionAuthentication.isUsed(by: value) { authenticatesConnection = true }
            secrets.add(field: name, value: value, hashing: mask)
        case .cookies: secrets.add(cookies: value, hashing: mask)
        }
    }
    if let query = request.query { secrets.add(query: query, hashing: mask) }
    return secrets
}
