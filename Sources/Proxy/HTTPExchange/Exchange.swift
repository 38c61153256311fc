import ByteRelay
