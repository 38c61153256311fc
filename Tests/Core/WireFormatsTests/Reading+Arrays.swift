import WireFormats

/// Asks about an array's bytes, as the caller asks about its buffer's.
func reading(_ bytes: [UInt8], examined: Int = 0, limits: SniffLimits = SniffLimits()) -> OpeningReading {
    readOpening(bytes.span, examined: examined, limits: limits)
}

func reading(_ text: String, limits: SniffLimits = SniffLimits()) -> OpeningReading {
    reading(Array(text.utf8), limits: limits)
}

extension OpeningReading {
    var isUndecided: Bool {
        if case .needMore = self { true } else { false }
    }

    var hello: ClientHello? {
        if case .tls(let hello) = self { hello } else { nil }
    }
}

/// How many bytes it takes until the answer is no longer `needMore`; `nil` where it never is.
func decisionPoint(_ bytes: [UInt8]) -> Int? {
    (0...bytes.count).first { !reading(Array(bytes[..<$0])).isUndecided }
}
