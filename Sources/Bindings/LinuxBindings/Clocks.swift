import CLinux
import Glibc

/// Nanoseconds since the machine started; it never goes back.
///
/// Time spent suspended is not counted.
package func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// Microseconds since 1970-01-01T00:00:00Z, as the machine's clock has it.
package func wallClockMicroseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec / 1000)
}

/// Seconds since 1970-01-01T00:00:00Z.
package func wallClockSeconds() -> Int64 { wallClockMicroseconds() / 1_000_000 }
