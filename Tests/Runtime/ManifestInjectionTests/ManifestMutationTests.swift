import ManifestInjection
import PodInjection
import TestSupport
import Testing

@Suite("penstock inject on manifests that something was done to")
struct ManifestMutationTests {
    /// What makes YAML another text.
    private static let pieces: [String] = [
        " ", "  ", "\n", "\r\n", "\t", "#", " # x", ":", ": ", "- ", "-", "[", "]", "{", "}", ",", "\"", "'", "|", ">-",
        "&a", "*a",
        "<<: ", "!t ", "? ", "~", "é", "☃", "---\n", "...\n", "%", "@", "null", "a: b\n", "\\", "&a {", "}}", "[]",
        "{}", "\u{feff}",
    ]

    @Test("whatever it is, it is refused, or the guard comes in and goes again without a trace", arguments: 0..<4)
    func mutations(seed: Int) throws {
        var numbers = Seeded(UInt64(seed))
        let samples = Manifests.odd.map { Array($0.1.utf8) }
        var taken = 0
        for _ in 0..<25 {
            var text = samples.randomElement(using: &numbers) ?? []
            for _ in 0..<Int.random(in: 1...2, using: &numbers) { mutate(&text, &numbers) }
            if try isFaithful(text) { taken += 1 }
        }
        // Most still are manifests: the test would say nothing otherwise.
        #expect(taken > 0)
    }

    private func mutate(_ text: inout [UInt8], _ numbers: inout Seeded) {
        let place = Int.random(in: 0...text.count, using: &numbers)
        let end = min(text.count, place + Int.random(in: 0...3, using: &numbers))
        let isInsertion = Bool.random(using: &numbers)
        let piece = Self.pieces.randomElement(using: &numbers) ?? ""
        text.replaceSubrange(place..<(isInsertion ? place : end), with: Array(piece.utf8))
    }

    /// False where it is refused.
    private func isFaithful(_ text: [UInt8]) throws -> Bool {
        let shown = String(decoding: text, as: UTF8.self)
        let made: InjectedManifest
        do {
            made = try inject(text)
        } catch ManifestInjectionError.unfaithful(let place) {
            Issue.record("\(place)\n\(shown)")
            return false
        } catch {
            return false
        }
        let again = try inject(made.bytes).bytes
        let back = try uninjectManifest(made.bytes, file: "m.yaml").bytes
        #expect(again == made.bytes, "\(shown)")
        #expect(back == text, "\(shown)")
        return true
    }
}
