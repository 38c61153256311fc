import Foundation
import Testing
import WireFormats

/// Random texts, most of them nearly JSON, against another reader.
@Suite struct JSONPropertyTests {
    @Test("what is read is what Foundation reads; what is refused, Foundation refuses or a stricter rule does")
    func sameAsFoundation() throws {
        var random = SplitMix(state: 0x5EED_0003)
        var accepted = 0
        var faults: Set<JSONViolation.Fault> = []
        for _ in 0..<40_000 {
            var text = Array(value(depth: 0, &random).utf8)
            for _ in 0..<Int.random(in: 0...2, using: &random) { mutate(&text, &random) }
            let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            do throws(JSONViolation) {
                let ours = try JSONDocument(text, limits: .wide).root
                accepted += 1
                guard let theirs else {
                    #expect(hasNumberOutOfRange(ours), "\(String(decoding: text, as: UTF8.self))")
                    continue
                }
                #expect(isSame(ours, theirs), "\(String(decoding: text, as: UTF8.self))")
            } catch {
                faults.insert(error.fault)
                // Foundation takes the last of several members with one name, repairs encodings and halves of pairs, and
                // guesses at the encoding where there is a zero, and lets a comma stand at the end.
                let isStricter: Bool =
                    switch error.fault {
                    case .duplicateKey, .byteOrderMark, .invalidUTF8, .loneSurrogate: true
                    case .trailingBytes, .empty: text.contains(0)
                    case .unexpectedByte: text.contains(0) || followsComma(text, error.offset)
                    case .unexpectedEnd, .badLiteral, .badNumber, .badEscape, .controlCharacter, .tooLong, .tooDeep,
                        .tooManyValues:
                        false
                    }
                #expect(theirs == nil || isStricter, "\(error) \(String(decoding: text, as: UTF8.self))")
            }
        }
        #expect(accepted > 10_000)
        #expect(faults.count >= 9)
    }

    private func value(depth: Int, _ random: inout SplitMix) -> String {
        switch Int.random(in: 0..<(depth > 4 ? 5 : 8), using: &random) {
        case 0: ["true", "false", "null"].randomElement(using: &random) ?? ""
        case 1, 2: number(&random)
        case 3, 4: string(&random)
        case 5, 6: object(depth: depth, &random)
        default:
            "[" + list(&random) { value(depth: depth + 1, &$0) }.joined(separator: comma(&random)) + "]"
        }
    }

    private func object(depth: Int, _ random: inout SplitMix) -> String {
        "{" + list(&random) { string(&$0) + ":" + value(depth: depth + 1, &$0) }.joined(separator: comma(&random)) + "}"
    }

    private func list(_ random: inout SplitMix, _ item: (inout SplitMix) -> String) -> [String] {
        (0..<Int.random(in: 0...4, using: &random)).map { _ in item(&random) }
    }

    private func comma(_ random: inout SplitMix) -> String {
        [",", " , ", ",\n"].randomElement(using: &random) ?? ""
    }

    private func number(_ random: inout SplitMix) -> String {
        let parts = [["", "-"], ["0", "7", "12", "999999999"], ["", ".5", ".125"], ["", "e2", "E+1", "e-3"]]
        return parts.map { $0.randomElement(using: &random) ?? "" }.joined()
    }

    private func string(_ random: inout SplitMix) -> String {
        let pieces = ["a", "b", "é", "😀", #"\n"#, #"\u0061"#, #"\ud83d\ude00"#, #"\""#, #"\\"#, #"\/"#, " ", "\u{7F}"]
        let content = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            pieces.randomElement(using: &random) ?? ""
        }
        return "\"" + content.joined() + "\""
    }

    private func mutate(_ text: inout [UInt8], _ random: inout SplitMix) {
        let alphabet = Array("{}[]\":,\\u0d1e.-+tn \n\0/#".utf8) + [0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xFF]
        let index = Int.random(in: 0...text.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: text.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
        case 1: if index < text.count { text.remove(at: index) }
        default: if index < text.count { text[index] = alphabet.randomElement(using: &random) ?? 0 }
        }
    }

    private func isSame(_ ours: JSONValue, _ theirs: Any) -> Bool {
        switch ours.kind {
        case .null: return theirs is NSNull
        case .boolean: return (theirs as? Bool) == ours.boolean
        case .number:
            let number = Double(String(decoding: ours.source, as: UTF8.self))
            return (theirs as? NSNumber)?.doubleValue == number
        case .string:
            guard let mine = ours.text, let other = theirs as? String else { return false }
            return mine.unicodeScalars.elementsEqual(other.unicodeScalars)
        case .array:
            guard let other = theirs as? [Any] else { return false }
            let mine = Array(ours.elements)
            return mine.count == other.count && zip(mine, other).allSatisfy { isSame($0, $1) }
        case .object:
            guard let other = theirs as? [String: Any] else { return false }
            let mine = Array(ours.members)
            return mine.count == other.count
                && mine.allSatisfy { name, value in other[name.text ?? ""].map { isSame(value, $0) } ?? false }
        }
    }

    private func followsComma(_ text: [UInt8], _ offset: Int) -> Bool {
        text[..<offset].last { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") } == UInt8(ascii: ",")
    }

    private func hasNumberOutOfRange(_ value: JSONValue) -> Bool {
        let number = value.kind == .number ? Double(String(decoding: value.source, as: UTF8.self)) : nil
        return number?.isInfinite ?? false || value.elements.contains { hasNumberOutOfRange($0) }
            || value.members.contains { hasNumberOutOfRange($0.value) }
    }
}

/// A generator that gives the same numbers each time.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
