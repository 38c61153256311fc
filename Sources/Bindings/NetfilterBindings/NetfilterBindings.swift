// NetfilterBindings
