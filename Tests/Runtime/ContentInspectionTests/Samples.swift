import Foundation

/// Content as other programs coded it: zlib and Python's gzip, the reference encoder of brotli, and the command `zstd`.
enum Samples {
    /// What most of the samples are made of.
    static let text = Array(String(repeating: "The quick brown fox jumps over the lazy dog. ", count: 20).utf8)
    /// How many zeros the bombs are made of.
    static let zeros = 8 << 20

    static let gzip = octets(
        "H4sIAAAAAAACAwvJSFUoLM1MzlZIKsovz1NIy69QyCrNLShWyC9LLVIoAUrnJFZVKqTkp+sphIwqHlU8qpjaigHmSmawhAMA"
            + "AA=="
    )
    /// Two members of gzip, of 400 octets and of the rest.
    static let twoMembers = octets(
        "H4sIAAAAAAACAwvJSFUoLM1MzlZIKsovz1NIy69QyCrNLShWyC9LLVIoAUrnJFZVKqTkp+sphIwqprViAGvjHASQAQAAH4sI"
            + "AAAAAAACA0vJT9dTCMlIVSgszUzOVkgqyi/PU0jLr1DIKs0tKFbIL0stUigBSuckVlUqpIwqHg6KAYUSyAX0AQAA"
    )
    /// As the coding `deflate` is meant.
    static let zlib = octets("eNoLyUhVKCzNTM5WSCrKL89TSMuvUMgqzS0oVsgvSy1SKAFK5yRWVSqk5KfrKYSMKh5VPKqY2ooBR6VDHA==")
    /// As some senders take `deflate`.
    static let raw = octets("C8lIVSgszUzOVkgqyi/PU0jLr1DIKs0tKFbIL0stUigBSuckVlUqpOSn6ymEjCoeVTyqmNqKAQ==")
    static let brotli = octets("G4MDiCwOeNPQlV2XELsXK6nK0JLMjK1BXObyNsgZnp4Ke4MNOHBIIG8kvkGnFc4cHieqKTjCibhPgwE=")
    static let zstd = octets(
        "KLUv/QRotQEA1AJUaGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgdGhlIGxhenkgZG9nLiABAKUKK1UGWRP6hQ=="
    )
    static let zstdTwoFrames = octets(
        "KLUv/QRotQEA1AJUaGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgdGhlIGxhenkgZG9nLiABAAWDqioDaRQePSi1L/0E"
            + "aLUBANQCZG9nLiBUaGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgdGhlIGxhenkgAQAlhqoqAyGZP7E="
    )
    static let gzipOverBrotli = octets(
        "H4sIAAAAAAACAwE7AMT/G4MDiCwOeNPQlV2XELsXK6nK0JLMjK1BXObyNsgZnp4Ke4MNOHBIIG8kvkGnFc4cHieqKTjCibhP"
            + "gwHV1fSvOwAAAA=="
    )
    static let brotliOverGzipOverZstd = octets(
        "iyqAH4sIAAAAAAACA9PYqv+XJWMrI8MVppCMVIXC0szkbIWkovzyPIW0/AqFrNLcgmKF/LLUIoUSoHROYlWlQkp+up4CI8NS"
            + "Lu1QtkjhX60AQsuln0MAAAAD"
    )
    /// `gzipOfZeros`, in gzip once more.
    static let gzipBomb = octets(
        "H4sIAAAAAAACA+3XsQ2CQACF4TsuJhdGsCEm7sAEzsEqJJQ2DuAOLGDDCrSsQBhBPMbAfF/11697zTOHQ5XWKcYS/es7brkO"
            + "AAAAwJ/rlyFVR9z2rr3bAwAAAE7gfXl85mu59eEH2xnUp+8fAAA="
    )
    static let brotliBomb = octets("m///f/gnAOKxQCD3/g8=")
    static let zstdBomb = octets(
        "KLUv/QRoTAAACAABAPz/ORACAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIA"
            + "EAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIA"
            + "EAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIA"
            + "EAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAADABAAD9/2YQ=="
    )
    /// `Hello, Hello, Hello` as the first message of a WebSocket connection with permessage-deflate.
    static let firstMessage = octets("8kjNycnXUfBAogAA")
    /// The same as the second message, whose sender keeps its context.
    static let secondMessage = octets("8sAUAgA=")

    private static func octets(_ base64: String) -> [UInt8] { Array(Data(base64Encoded: base64) ?? Data()) }
}
