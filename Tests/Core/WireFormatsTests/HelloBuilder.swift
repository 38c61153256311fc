/// Builds a ClientHello that is sound until a test says otherwise.
struct HelloBuilder {
    var legacyVersion: UInt16 = 0x0303
    var session: [UInt8] = []
    var cipherSuites: [UInt8] = [0x13, 0x01]
    var compression: [UInt8] = [0]
    var extensions: [(type: UInt16, content: [UInt8])] = []
    /// What stands behind the extensions, inside the message.
    var trailer: [UInt8] = []
    var recordLength = 16384

    var body: [UInt8] {
        let fields = extensions.flatMap { two($0.type) + vector16($0.content) }
        return two(legacyVersion) + [UInt8](repeating: 7, count: 32) + vector8(session) + vector16(cipherSuites)
            + vector8(compression) + vector16(fields) + trailer
    }

    var message: [UInt8] { handshakeMessage(body) }
    var bytes: [UInt8] { records(message, length: recordLength) }

    /// With one server_name entry for every name.
    static func naming(_ names: [UInt8]...) -> HelloBuilder {
        HelloBuilder(extensions: [(0, vector16(names.flatMap { [0] + vector16($0) }))])
    }
}

func two(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
func vector8(_ content: [UInt8]) -> [UInt8] { [UInt8(content.count)] + content }
func vector16(_ content: [UInt8]) -> [UInt8] { two(UInt16(content.count)) + content }

func handshakeMessage(_ body: [UInt8], type: UInt8 = 1) -> [UInt8] {
    [type, UInt8(body.count >> 16)] + two(UInt16(body.count & 0xffff)) + body
}

/// Cuts a message into handshake records of at most `length` octets.
func records(_ message: [UInt8], length: Int) -> [UInt8] {
    stride(from: 0, to: message.count, by: length).flatMap { start in
        [22, 3, 1] + vector16(Array(message[start..<min(start + length, message.count)]))
    }
}

/// The handshake message that records of type 22 bring.
func message(inRecords bytes: [UInt8]) -> [UInt8] {
    var message: [UInt8] = []
    var position = 0
    while position + 5 <= bytes.count, bytes[position] == 22 {
        let next = position + 5 + (Int(bytes[position + 3]) << 8 | Int(bytes[position + 4]))
        message += bytes[position + 5..<next]
        position = next
    }
    return message
}
