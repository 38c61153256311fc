import AuditTrail
import HTTPExchange
import WireFormats

/// Why a question cannot be answered.
enum CheckFault: Error {
    /// The body is no UTF-8.
    case unreadable
    case tooLarge
    /// Everything that is wrong with it, in the order of the fields; never empty.
    case invalid([InputFault])
}

extension CheckFault {
    init(_ violation: JSONViolation, at place: [InputFault.Place] = [.name("body")]) {
        switch violation.fault {
        case .invalidUTF8: self = .unreadable
        case .tooLong: self = .tooLarge
        case .empty, .byteOrderMark, .unexpectedEnd, .unexpectedByte, .badLiteral, .badNumber, .badEscape,
            .loneSurrogate, .controlCharacter, .duplicateKey, .trailingBytes, .tooDeep, .tooManyValues:
            self = .invalid([InputFault(violation, at: place)])
        }
    }

    /// 400, 413 or 422, as existing clients know them.
    var answer: OwnAnswer {
        switch self {
        case .unreadable: .detail("There was an error parsing the body", status: 400)
        case .tooLarge: GovernanceAPI.tooLarge
        case .invalid(let faults):
            .json(422) { members in
                members.objects("detail", count: faults.count) { faults[$0].write(into: &$1) }
            }
        }
    }
}

/// One thing that is wrong with a question, as FastAPI reports it.
struct InputFault {
    /// Where a value stands: names and indices from the body inwards.
    enum Place: Hashable {
        case name(String)
        case index(Int)
    }

    enum Kind: Hashable {
        case missing
        case noString
        case noObject
        case noList
        case noInteger
        case tooSmall(least: UInt64)
        case tooLarge(most: UInt64)
        case tooLong(characters: Int)
        case noJSON(reason: String)
        /// Nothing in which fields could be looked for.
        case noFields
        /// None of the words that are known.
        case unknownWord(expected: String)
        /// It contradicts another value, or is wrong in a way of its own.
        case badValue(String)
    }

    let kind: Kind
    let place: [Place]
    /// What was found there, in JSON.
    let input: [UInt8]

    init(_ kind: Kind, _ place: [Place], input: [UInt8]) {
        self.kind = kind
        self.place = place
        self.input = input
    }

    init(_ kind: Kind, _ place: [Place], _ value: JSONValue) {
        self.init(kind, place, input: compact(value))
    }

    init(_ violation: JSONViolation, at place: [Place]) {
        self.init(
            .noJSON(reason: violation.fault.rawValue),
            place + [.index(violation.offset)],
            input: Array("{}".utf8)
        )
    }

    func write(into members: inout JSONMembers) {
        members.text("type", kind.type)
        members.json("loc", jsonList(place))
        members.text("msg", kind.message)
        members.json("input", input)
        if let context = kind.context { members.json("ctx", context) }
    }
}

extension InputFault.Kind {
    fileprivate var type: String {
        switch self {
        case .missing: "missing"
        case .noString: "string_type"
        case .noObject: "dict_type"
        case .noList: "list_type"
        case .noInteger: "int_type"
        case .tooSmall: "greater_than_equal"
        case .tooLarge: "less_than_equal"
        case .tooLong: "string_too_long"
        case .noJSON: "json_invalid"
        case .noFields: "model_attributes_type"
        case .unknownWord: "enum"
        case .badValue: "value_error"
        }
    }

    fileprivate var message: String {
        switch self {
        case .missing: "Field required"
        case .noString: "Input should be a valid string"
        case .noObject: "Input should be a valid dictionary"
        case .noList: "Input should be a valid list"
        case .noInteger: "Input should be a valid integer"
        case .tooSmall(let least): "Input should be greater than or equal to \(least)"
        case .tooLarge(let most): "Input should be less than or equal to \(most)"
        case .tooLong(let characters): "String should have at most \(characters) characters"
        case .noJSON: "JSON decode error"
        case .noFields: "Input should be a valid dictionary or object to extract fields from"
        case .unknownWord(let expected): "Input should be \(expected)"
        case .badValue(let error): "Value error, \(error)"
        }
    }

    fileprivate var context: [UInt8]? {
        switch self {
        case .missing, .noString, .noObject, .noList, .noInteger, .noFields: nil
        case .tooSmall(let least): jsonObject { $0.number("ge", least) }
        case .tooLarge(let most): jsonObject { $0.number("le", most) }
        case .tooLong(let characters): jsonObject { $0.number("max_length", UInt64(characters)) }
        case .noJSON(let reason): jsonObject { $0.text("error", reason) }
        case .unknownWord(let expected): jsonObject { $0.text("expected", expected) }
        case .badValue(let error): jsonObject { $0.text("error", error) }
        }
    }
}

/// The places as a list of names and numbers.
private func jsonList(_ places: [InputFault.Place]) -> [UInt8] {
    var list = [UInt8(ascii: "[")]
    for (index, place) in places.enumerated() {
        if index > 0 { list.append(UInt8(ascii: ",")) }
        switch place {
        // Names of ours: nothing in them needs an escape.
        case .name(let name): list += "\"\(name)\"".utf8
        case .index(let index): list += "\(index)".utf8
        }
    }
    return list + [UInt8(ascii: "]")]
}

/// A value as it was sent, without the white space between its parts.
private func compact(_ value: JSONValue) -> [UInt8] {
    var text: [UInt8] = []
    var isInString = false
    var isEscaped = false
    for byte in value.source {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            if isInString { text.append(byte) }
        default:
            if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
            text.append(byte)
        }
        isEscaped = isInString && !isEscaped && byte == UInt8(ascii: "\\")
    }
    return text
}
