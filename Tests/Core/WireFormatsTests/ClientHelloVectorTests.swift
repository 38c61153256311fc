import Testing
import WireFormats

@Suite("The hellos of real clients")
struct ClientHelloVectorTests {
    @Test("a whole hello says what its client meant (B03, B04, B05)", arguments: vectors)
    func whole(vector: Vector) {
        #expect(reading(vector.bytes) == .tls(vector.hello))
    }

    @Test("a hello cut anywhere needs more, and only that, until it is whole (B05)", arguments: vectors)
    func everySplit(vector: Vector) {
        for count in 0..<vector.helloBytes {
            guard case .needMore(let total) = reading(Array(vector.bytes[..<count])),
                count < total, total <= vector.helloBytes
            else {
                Issue.record("decided, or too much asked for, at \(count) bytes of \(vector.helloBytes)")
                return
            }
        }
        for count in vector.helloBytes...vector.bytes.count {
            #expect(reading(Array(vector.bytes[..<count])) == .tls(vector.hello))
        }
    }

    @Test("a hello in records of any size is the same hello (B05)", arguments: vectors, [1, 2, 3, 5, 100, 1000])
    func everyRecordSize(vector: Vector, size: Int) {
        let bytes = records(message(inRecords: vector.bytes), length: size)
        #expect(reading(bytes) == .tls(vector.hello))
        // Not each prefix, for the time it takes; 11 shares no factor with most records, so each place has its turn.
        let undecided = stride(from: bytes.count - 1, to: 0, by: -11).allSatisfy {
            reading(Array(bytes[..<$0])).isUndecided
        }
        #expect(undecided)
    }

    @Test("no changed octet is a trap, and none makes an earlier verdict another (B05)", arguments: vectors)
    func everyMutation(vector: Vector) {
        let changed = vector.bytes.indices.first { index in
            [0x01, 0xff].contains { (mask: UInt8) in
                var bytes = vector.bytes
                bytes[index] ^= mask
                let half = reading(Array(bytes[..<(bytes.count / 2)]))
                return !half.isUndecided && half != reading(bytes)
            }
        }
        #expect(changed == nil)
    }

    @Test("a client that sends octet by octet in records of one octet is asked about seldom (B05)")
    func fewQuestions() {
        let hello = HelloBuilder(extensions: [(21, [UInt8](repeating: 0, count: 9000))], recordLength: 1)
        let bytes = hello.bytes
        var count = 0
        var questions = 0
        while case .needMore(let total) = reading(Array(bytes[..<count])) {
            questions += 1
            count = total
        }
        #expect(count == bytes.count)
        #expect(questions < 64)
    }
}
