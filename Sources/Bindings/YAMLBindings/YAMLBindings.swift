// YAMLBindings
