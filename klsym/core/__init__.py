"""The nouns that every other room speaks in; SymPy, mpmath and the standard library only."""
