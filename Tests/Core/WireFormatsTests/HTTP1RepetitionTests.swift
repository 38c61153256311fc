import Testing
import WireFormats

/// A reader recalls the head before, and takes one with the same octets for it.
@Suite("Heads that come again on a connection")
struct HTTP1RepetitionTests {
    private static let behind = ["", "x", "GET / HTTP/1.1\r\n", "\r\n"]

    @Test("a request is read as by a reader that has read none, whatever came before and comes behind")
    func requests() throws {
        let texts = HTTP1RequestTests.sound.map { Array($0.text.utf8) }
        for before in texts {
            for text in texts {
                for rest in Self.behind {
                    var reader = HTTP1RequestReader()
                    let first = try reader.read(before.span)
                    let bytes = text + Array(rest.utf8)
                    let again = try reader.read(bytes.span)
                    #expect(try again == readRequest(bytes).get())
                    #expect(again?.headBytes == text.count)
                    let isSame = try #require(again).isSameHead(as: try #require(first))
                    #expect(isSame == (text == before))
                }
            }
        }
    }

    @Test("a response is read as by a reader that has read none, whatever came before and comes behind")
    func responses() throws {
        for before in HTTP1ResponseTests.sound {
            for next in HTTP1ResponseTests.sound {
                for rest in Self.behind {
                    var reader = HTTP1ResponseReader()
                    _ = try reader.read(Array(before.text.utf8).span, answering: before.answering)
                    let bytes = Array(next.text.utf8) + Array(rest.utf8)
                    let again = try reader.read(bytes.span, answering: next.answering)
                    #expect(try again == readResponse(bytes, answering: next.answering).get())
                    #expect(again?.framing == next.framing && again?.status == next.status)
                }
            }
        }
    }

    @Test("the same octets answer another request otherwise: without a body to HEAD, and a tunnel to CONNECT")
    func answering() throws {
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n".utf8)
        var reader = HTTP1ResponseReader()
        let methods: [HTTP1Answering.Method] = [.other, .head, .other, .other, .connect, .head, .head]
        let framings = try methods.map { try reader.read(bytes.span, answering: HTTP1Answering(method: $0))?.framing }
        let none = HTTP1Framing.none
        #expect(framings == [.length(3), none, .length(3), .length(3), none, none, none])
    }

    @Test("a change of protocol is held against what was asked for each time")
    func switches() throws {
        let bytes = Array("HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n".utf8)
        var reader = HTTP1ResponseReader()
        let asked = HTTP1Answering(upgradeNames: ["websocket"])
        #expect(try reader.read(bytes.span, answering: asked)?.isSwitch == true)
        #expect(throws: HTTP1Violation.unexpectedSwitch) { try reader.read(bytes.span, answering: HTTP1Answering()) }
    }

    @Test("a head that differs in any one octet from the one before is read for itself")
    func differences() {
        let head = Array("GET /abc HTTP/1.1\r\nHost: a.com\r\nX: 12\r\n\r\n".utf8)
        for index in head.indices {
            for octet in [UInt8(ascii: "1"), UInt8(ascii: " "), 0, 0x80, UInt8(ascii: "\r"), head[index] ^ 0x20] {
                var other = head
                other[index] = octet
                var reader = HTTP1RequestReader()
                _ = try? reader.read(head.span)
                let result: HeadResult<HTTP1Request>
                do throws(HTTP1Violation) {
                    result = .success(try reader.read(other.span))
                } catch {
                    result = .failure(error)
                }
                #expect(result == readRequest(other), "\(index) \(octet)")
            }
        }
    }

    @Test("a head that comes in pieces is the one before as well, and a reader that forgot reads it anew")
    func pieces() throws {
        let head = Array("GET /abc HTTP/1.1\r\nHost: a.com\r\n\r\n".utf8)
        var reader = HTTP1RequestReader()
        let first = try #require(try reader.read(head.span))
        for ends in splits(head.count) {
            for end in ends { #expect(try reader.read(head.span.extracting(0..<end)) == nil) }
            #expect(try reader.read(head.span) == first)
        }
        let last = try #require(try reader.read(head.span))
        reader.forget()
        let anew = try #require(try reader.read(head.span))
        #expect(anew == last && !anew.isSameHead(as: last))
    }

    @Test("limits hold for what comes behind a head that came before")
    func limits() throws {
        let head = Array("GET /abc HTTP/1.1\r\nHost: a.com\r\n\r\n".utf8)
        var limits = HTTP1Limits()
        limits.headBytes = head.count
        var reader = HTTP1RequestReader(limits: limits)
        #expect(try reader.read(head.span) != nil)
        #expect(try reader.read((head + head).span) != nil)
        let longer = Array("GET /abc HTTP/1.1\r\nHost: a.com\r\nX: y\r\n\r\n".utf8)
        #expect(throws: HTTP1Violation.headTooLong) { try reader.read(longer.span) }
    }

    @Test("a large head is not kept")
    func largeHeads() throws {
        var limits = HTTP1Limits()
        limits.recalledHeadBytes = 60
        for padding in [0, 60] {
            let request = Array(
                "GET / HTTP/1.1\r\nHost: a.com\r\nX: \(String(repeating: "x", count: padding))\r\n\r\n".utf8
            )
            var requests = HTTP1RequestReader(limits: limits)
            let (one, two) = (try requests.read(request.span), try requests.read(request.span))
            #expect(try #require(one).isSameHead(as: try #require(two)) == (padding == 0))
            let response = Array("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: padding))\r\n\r\n".utf8)
            var responses = HTTP1ResponseReader(limits: limits)
            let first = try responses.read(response.span, answering: HTTP1Answering())
            let second = try responses.read(response.span, answering: HTTP1Answering())
            #expect(try #require(first).isSameHead(as: try #require(second)) == (padding == 0))
        }
    }
}
