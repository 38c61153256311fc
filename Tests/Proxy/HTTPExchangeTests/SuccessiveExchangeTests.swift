import Testing

@Suite("Answers that come one after the other")
struct SuccessiveExchangeTests {
    /// Short and long, in pieces and not, with bodies that come with their heads and such as do not fit.
    private static let answers = [
        stated("first"), stated("second, a longer one"), stated(""), stated(String(repeating: "b", count: 1000)),
        stated("c"), stated(String(repeating: "d", count: 4200)), stated("e"), chunked(["f", "gg"]), stated("h"),
        stated(String(repeating: "i", count: 20_000)), stated("j"), chunked(["k", "kkk"]),
        stated("l"), stated("l"), stated("l"), stated("m"),
    ]

    @Test(
        "each is passed on as it is, whatever came before it and whether its memory was let go",
        arguments: [[], Set(answers.indices), [0, 3, 9]]
    )
    func eachAsItIs(resting: Set<Int>) async throws {
        let heard = try await passInTurn(Self.answers, resting: resting)
        #expect(heard == Self.answers.joined())
    }

    private static func stated(_ body: String) -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
    }

    private static func chunked(_ pieces: [String]) -> String {
        let chunks = pieces.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined()
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n"
    }
}
