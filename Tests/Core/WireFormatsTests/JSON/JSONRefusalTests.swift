import Testing
import WireFormats

/// A text that is refused, why, and where.
private struct Refusal: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let fault: JSONViolation.Fault
    let offset: Int

    init(_ text: String, _ fault: JSONViolation.Fault, _ offset: Int) {
        self.init(bytes: Array(text.utf8), fault, offset)
    }

    init(bytes: [UInt8], _ fault: JSONViolation.Fault, _ offset: Int) {
        self.bytes = bytes
        self.fault = fault
        self.offset = offset
    }

    var testDescription: String { "\(String(decoding: bytes, as: UTF8.self).debugDescription): \(fault) at \(offset)" }
}

private let structure: [Refusal] = [
    Refusal("", .empty, 0), Refusal(" \n\t\r", .empty, 4), Refusal("[", .unexpectedEnd, 1),
    Refusal("{", .unexpectedEnd, 1), Refusal("[1", .unexpectedEnd, 2), Refusal("[1,", .unexpectedEnd, 3),
    Refusal("[,1]", .unexpectedByte, 1), Refusal("[1,]", .unexpectedByte, 3), Refusal("[1,,2]", .unexpectedByte, 3),
    Refusal("[1 2]", .unexpectedByte, 3), Refusal("[1}", .unexpectedByte, 2), Refusal("]", .unexpectedByte, 0),
    Refusal("}", .unexpectedByte, 0), Refusal("{]", .unexpectedByte, 1), Refusal("{1:2}", .unexpectedByte, 1),
    Refusal("{a:2}", .unexpectedByte, 1), Refusal("{'a':2}", .unexpectedByte, 1),
    Refusal(#"{"a"}"#, .unexpectedByte, 4), Refusal(#"{"a" 1}"#, .unexpectedByte, 5),
    Refusal(#"{"a"::1}"#, .unexpectedByte, 5), Refusal(#"{"a":}"#, .unexpectedByte, 5),
    Refusal(#"{"a":1,}"#, .unexpectedByte, 7), Refusal(#"{,"a":1}"#, .unexpectedByte, 1),
    Refusal(#"{"a":1 "b":2}"#, .unexpectedByte, 7), Refusal(#"{"a":1,"#, .unexpectedEnd, 7),
    Refusal(#"{"a""#, .unexpectedEnd, 4), Refusal(#"{"a":"#, .unexpectedEnd, 5),
    Refusal("1 2", .trailingBytes, 2), Refusal("{}{}", .trailingBytes, 2), Refusal("[]]", .trailingBytes, 2),
    Refusal("{}#", .trailingBytes, 2), Refusal("null\0", .trailingBytes, 4), Refusal("// a\n1", .unexpectedByte, 0),
    Refusal("/**/1", .unexpectedByte, 0), Refusal("[1/*a*/]", .unexpectedByte, 2),
    Refusal("\u{B}1", .unexpectedByte, 0),
    Refusal("\u{A0}1", .unexpectedByte, 0), Refusal("\u{2028}1", .unexpectedByte, 0), Refusal("\0", .unexpectedByte, 0),
    Refusal("undefined", .unexpectedByte, 0), Refusal("'a'", .unexpectedByte, 0),
]

private let words: [Refusal] = [
    Refusal("tru", .unexpectedEnd, 3), Refusal("trUe", .badLiteral, 2), Refusal("True", .unexpectedByte, 0),
    Refusal("fals", .unexpectedEnd, 4), Refusal("nul", .unexpectedEnd, 3), Refusal("nan", .badLiteral, 1),
    Refusal("NaN", .unexpectedByte, 0), Refusal("Infinity", .unexpectedByte, 0), Refusal("nullx", .trailingBytes, 4),
    Refusal("[truex]", .unexpectedByte, 5),
]

private let numbers: [Refusal] = [
    Refusal("-", .unexpectedEnd, 1), Refusal("+1", .unexpectedByte, 0), Refusal(".5", .unexpectedByte, 0),
    Refusal("-.5", .badNumber, 1), Refusal("00", .badNumber, 0), Refusal("01", .badNumber, 0),
    Refusal("-01", .badNumber, 1), Refusal("1.", .unexpectedEnd, 2), Refusal("[1.]", .badNumber, 3),
    Refusal("1.e5", .badNumber, 2), Refusal("1e", .unexpectedEnd, 2), Refusal("1e+", .unexpectedEnd, 3),
    Refusal("[1e]", .badNumber, 3), Refusal("1e+-1", .badNumber, 3), Refusal("1e1.5", .trailingBytes, 3),
    Refusal("0x10", .trailingBytes, 1), Refusal("1_000", .trailingBytes, 1), Refusal("-Infinity", .badNumber, 1),
    Refusal("--1", .badNumber, 1), Refusal("1-1", .trailingBytes, 1), Refusal("0e", .unexpectedEnd, 2),
    Refusal("１", .unexpectedByte, 0),
]

private let strings: [Refusal] = [
    Refusal("\"", .unexpectedEnd, 1), Refusal("\"a", .unexpectedEnd, 2), Refusal("\"\\", .unexpectedEnd, 2),
    Refusal("\"\\\"", .unexpectedEnd, 3), Refusal("\"a\nb\"", .controlCharacter, 2),
    Refusal("\"\0\"", .controlCharacter, 1), Refusal("\"\u{1F}\"", .controlCharacter, 1),
    Refusal("\"\t\"", .controlCharacter, 1), Refusal(#""\a""#, .badEscape, 1), Refusal(#""\'""#, .badEscape, 1),
    Refusal(#""\x41""#, .badEscape, 1), Refusal(#""\0""#, .badEscape, 1), Refusal(#""\U0041""#, .badEscape, 1),
    Refusal(#""\u004""#, .badEscape, 1), Refusal(#""\u00g1""#, .badEscape, 1), Refusal(#""\u""#, .badEscape, 1),
    Refusal("\"\\u00", .unexpectedEnd, 5), Refusal(#""\u+041""#, .badEscape, 1),
    Refusal(#""\ud800""#, .loneSurrogate, 1),
    Refusal(#""\ud800x""#, .loneSurrogate, 1), Refusal(#""\ud800\n""#, .loneSurrogate, 1),
    Refusal(#""\udc00""#, .loneSurrogate, 1), Refusal(#""\ud800\u0041""#, .loneSurrogate, 1),
    Refusal(#""\ud800\ud800""#, .loneSurrogate, 1), Refusal(#""\udc00\ud800""#, .loneSurrogate, 1),
    Refusal(#""ab\uDBFF\uE000""#, .loneSurrogate, 3), Refusal(#""\ud800\u00""#, .badEscape, 7),
    Refusal("\"\\ud800", .unexpectedEnd, 7), Refusal("\"\\ud800\\", .unexpectedEnd, 8),
]

private let encoding: [Refusal] = [
    Refusal("\u{FEFF}1", .byteOrderMark, 0), Refusal(bytes: [0xFF, 0xFE, 0x31, 0], .invalidUTF8, 0),
    Refusal(bytes: [0x31, 0, 0x32, 0], .trailingBytes, 1), Refusal(bytes: [0x22, 0xFF, 0x22], .invalidUTF8, 1),
    Refusal(bytes: [0x22, 0xC3, 0x22], .invalidUTF8, 1),
    Refusal(bytes: [0x22, 0x61, 0xC0, 0xAF, 0x22], .invalidUTF8, 2),
    Refusal(bytes: [0x22, 0xED, 0xA0, 0x80, 0x22], .invalidUTF8, 1),
    Refusal(bytes: [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], .invalidUTF8, 1),
    Refusal(bytes: [0x22, 0xF0, 0x9F, 0x98, 0x22], .invalidUTF8, 1), Refusal(bytes: [0x80], .invalidUTF8, 0),
    Refusal(bytes: [0x5B, 0x31, 0x5D, 0xE9], .invalidUTF8, 3), Refusal(bytes: [0xEF, 0xBB], .invalidUTF8, 0),
]

private let keys: [Refusal] = [
    Refusal(#"{"a":1,"a":1}"#, .duplicateKey, 7), Refusal(#"{"a":1,"b":2,"a":3}"#, .duplicateKey, 13),
    Refusal(#"{"a":1,"\u0061":2}"#, .duplicateKey, 7), Refusal(#"{"\u0061":1,"a":2}"#, .duplicateKey, 12),
    Refusal(#"{"\/":1,"/":2}"#, .duplicateKey, 8), Refusal(#"{"😀":1,"\ud83d\ude00":2}"#, .duplicateKey, 10),
    Refusal(#"{"":1,"":2}"#, .duplicateKey, 6), Refusal(#"[{"x":{"a":[],"a":{}}}]"#, .duplicateKey, 14),
    Refusal(
        "{" + (0..<100).map { "\"k\($0)\":{\"x\":[]}," }.joined() + #""k7\u0039":0}"#,
        .duplicateKey,
        1 + (0..<100).map { "\"k\($0)\":{\"x\":[]}," }.joined().utf8.count
    ),
]

@Suite struct JSONRefusalTests {
    @Test(
        "what is no JSON text is refused with the reason and the place",
        arguments: structure + words + numbers + strings + encoding + keys
    )
    private func refusal(_ refusal: Refusal) throws {
        let violation = #expect(throws: JSONViolation.self) { _ = try JSONDocument(refusal.bytes, limits: .wide) }
        #expect(violation?.fault == refusal.fault)
        #expect(violation?.offset == refusal.offset)
    }

    @Test("every reason that needs no limit has a text that is refused for it")
    func everyFault() {
        let all = structure + words + numbers + strings + encoding + keys
        let limits: Set<JSONViolation.Fault> = [.tooLong, .tooDeep, .tooManyValues]
        #expect(Set(all.map(\.fault)).union(limits) == Set(JSONViolation.Fault.allCases))
    }

    @Test("no beginning of an object is a text")
    func beginnings() throws {
        let whole = Array(#" {"a":[1,-2.5e+3,true,null,{}],"b\u0063":"\ud83d\ude00é"}"#.utf8)
        #expect(throws: Never.self) { _ = try JSONDocument(whole, limits: .wide) }
        for count in 0..<whole.count {
            let part = Array(whole[..<count])
            let violation = #expect(throws: JSONViolation.self) { _ = try JSONDocument(part, limits: .wide) }
            #expect((violation?.offset ?? .max) <= count)
        }
    }

    @Test("a text as long as the limit is read, one byte more is not")
    func length() {
        let limits = JSONLimits(bytes: 5, depth: 1, values: 3)
        #expect(fault(of: "[1,2]", limits) == nil)
        #expect(fault(of: "[1,2] ", limits) == .tooLong)
        #expect(fault(of: "", JSONLimits(bytes: 0, depth: 0, values: 0)) == .empty)
    }

    @Test("as deep as the limit is read, one deeper is not", arguments: [0, 1, 2, 64, 10_000])
    func depth(limit: Int) {
        let limits = JSONLimits(bytes: 1 << 20, depth: limit, values: 1 << 20)
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
        }
        #expect(fault(of: nested(limit), limits) == nil)
        #expect(fault(of: nested(limit + 1), limits) == .tooDeep)
        #expect(fault(of: String(repeating: "{\"a\":", count: limit + 1), limits) == .tooDeep)
        // What is closed counts no more.
        #expect(limit < 2 || fault(of: "[" + String(repeating: "[],", count: 50) + "[]]", limits) == nil)
    }

    @Test("as many values as the limit are read, one more is not; names count")
    func values() {
        let limits = JSONLimits(bytes: 100, depth: 10, values: 4)
        #expect(fault(of: "[1,2,3]", limits) == nil)
        #expect(fault(of: "[1,2,3,4]", limits) == .tooManyValues)
        #expect(fault(of: #"{"a":{}}"#, limits) == nil)
        #expect(fault(of: #"{"a":1,"b":2}"#, limits) == .tooManyValues)
    }

    private func fault(of text: String, _ limits: JSONLimits) -> JSONViolation.Fault? {
        do throws(JSONViolation) {
            _ = try JSONDocument(Array(text.utf8), limits: limits)
            return nil
        } catch {
            return error.fault
        }
    }
}

extension JSONLimits {
    /// More than any text of these tests needs.
    static let wide = JSONLimits(bytes: 1 << 20, depth: 100, values: 1 << 20)
}
