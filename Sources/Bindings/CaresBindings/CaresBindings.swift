// CaresBindings
