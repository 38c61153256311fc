import AuditTrail
import PolicyEngine

/// The value of a header with the secret in the place of its placeholder; `nil` where the placeholder does not stand where a
/// credential does.
///
/// That is: the whole value; all behind the name of a scheme (`Bearer PLACEHOLDER`); of the scheme `Basic`, the user or the
/// password (RFC 7617).
func substitute(_ secret: Secret, for placeholder: Placeholder, in value: ArraySlice<UInt8>) -> [UInt8]? {
    let wanted = Array(placeholder.text.utf8)[...]
    if value == wanted { return secret.octets }
    let scheme = value.prefix { $0 != UInt8(ascii: " ") }
    let rest = value[scheme.endIndex...].drop { $0 == UInt8(ascii: " ") }
    guard !scheme.isEmpty, !rest.isEmpty else { return nil }
    let start = value[..<rest.startIndex]
    if rest == wanted { return start + secret.octets }
    guard scheme.map({ $0 | 0x20 }) == Array("basic".utf8) else { return nil }
    return substitute(secret, for: wanted, inBasic: rest).map { start + Array(String(base64: $0).utf8) }
}

/// User and password, without their code.
private func substitute(
    _ secret: Secret,
    for wanted: ArraySlice<UInt8>,
    inBasic coded: ArraySlice<UInt8>
) -> [UInt8]? {
    guard let text = String(validating: coded, as: UTF8.self), let plain = [UInt8](base64: text),
        let colon = plain.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    let user = plain[..<colon]
    let password = plain[(colon + 1)...]
    // The first colon ends the user: a secret that has one can be a password only.
    let isUser = user == wanted && !secret.octets.contains(UInt8(ascii: ":"))
    guard isUser || password == wanted else { return nil }
    return (isUser ? secret.octets : Array(user)) + [UInt8(ascii: ":")]
        + (password == wanted ? secret.octets : Array(password))
}
