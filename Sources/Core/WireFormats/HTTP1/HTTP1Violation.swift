/// Why an HTTP/1 message is refused; the raw values are the audit's detail and stand in the answer.
///
/// Nothing is repaired: what two readers could read differently has a reason here (RFC 9112, section 11).
package enum HTTP1Violation: String, Error, Hashable, Sendable, CaseIterable {
    // The shape of a head.

    /// A message begins with an empty line: some servers skip it, so it could hide a request.
    case leadingEmptyLine = "leading_empty_line"
    case requestLine = "request_line"
    case statusLine = "status_line"
    /// Neither HTTP/1.0 nor HTTP/1.1.
    case httpVersion = "http_version"
    case methodTooLong = "method_too_long"
    case startLineTooLong = "start_line_too_long"
    case headTooLong = "head_too_long"
    case fieldsTooMany = "fields_too_many"
    /// A line ends without a carriage return (RFC 9112, section 2.2).
    case bareLineFeed = "bare_line_feed"
    /// A carriage return that no line feed follows.
    case bareCarriageReturn = "bare_carriage_return"
    /// NUL or another control octet.
    case controlOctet = "control_octet"
    /// A folded field line (RFC 9112, section 5.2).
    case obsFold = "obs_fold"
    /// A field line without a proper name and colon (RFC 9112, section 5.1).
    case fieldLine = "field_line"
    /// White space between a field's name and its colon (RFC 9112, section 5.1).
    case whitespaceBeforeColon = "whitespace_before_colon"

    // The target and whom it names.

    /// A target in none of the four forms, or in one that its method must not have (RFC 9112, section 3.2).
    case requestTarget = "request_target"
    /// A target with octets beyond ASCII.
    case targetNotASCII = "target_not_ascii"
    case fragmentInTarget = "fragment_in_target"
    /// A whole URI of another scheme than http and https.
    case targetScheme = "target_scheme"
    case userInformation = "user_information"
    /// A percent sign in an authority.
    case encodedAuthority = "encoded_authority"
    case hostMissing = "host_missing"
    case hostDuplicated = "host_duplicated"
    /// Host, or the authority of the target, is no host name and no address.
    case hostMalformed = "host_malformed"
    /// What stands behind the colon is no port.
    case hostPort = "host_port"
    /// Host names another host or port than the target does (RFC 9112, section 3.2.2).
    case hostDisagreesWithTarget = "host_disagrees_with_target"

    // How the body is framed.

    case contentLengthWithTransferEncoding = "content_length_with_transfer_encoding"
    /// Several lengths, in one field or in many; equal ones too, but in lines of an answer.
    case contentLengthDuplicated = "content_length_duplicated"
    case contentLengthInvalid = "content_length_invalid"
    /// Transfer-Encoding is not `chunked` alone.
    case transferEncodingUnknown = "transfer_encoding_unknown"
    case transferEncodingDuplicated = "transfer_encoding_duplicated"
    /// HTTP/1.0 has no Transfer-Encoding (RFC 9112, section 6.1).
    case transferEncodingInHTTP10 = "transfer_encoding_in_http10"
    /// CONNECT has no body (RFC 9110, section 9.3.6).
    case bodyInConnect = "body_in_connect"
    /// A length but 0, or a coding, of a 1xx, which has no body (RFC 9110, section 8.6).
    case framingWithoutBody = "framing_without_body"
    case chunkSize = "chunk_size"
    case chunkLineTooLong = "chunk_line_too_long"
    /// Something else than a line end behind the octets of a chunk.
    case chunkEnd = "chunk_end"
    case trailersTooLong = "trailers_too_long"
    case trailersTooMany = "trailers_too_many"
    /// A trailer of a request that would change framing, routing or authentication (RFC 9110, section 6.5.1).
    case trailerForbidden = "trailer_forbidden"
    /// The stream ended inside a message.
    case messageIncomplete = "message_incomplete"

    // What is said about the connection.

    case connectionMalformed = "connection_malformed"
    case connectionOptionsTooMany = "connection_options_too_many"
    /// Connection names a field that is not the connection's, Host or Content-Length for instance.
    case connectionNominatesForbidden = "connection_nominates_forbidden"
    case upgradeMalformed = "upgrade_malformed"
    /// Another expectation than 100-continue.
    case expectationUnknown = "expectation_unknown"

    // Answers.

    /// A status below 100.
    case statusCode = "status_code"
    /// 101 that nobody asked for, that names no protocol, or one that was not asked for (RFC 9110, section 15.2.2).
    case unexpectedSwitch = "unexpected_switch"
    /// A coded answer, or a coded WebSocket, that nobody asked for where secrets have to be found in it.
    case codedAnswer = "coded_answer"
}
