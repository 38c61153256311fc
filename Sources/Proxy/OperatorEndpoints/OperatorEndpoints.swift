// OperatorEndpoints
