// TrafficCapture
