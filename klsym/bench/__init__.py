"""How fast klsym's code runs, beside other libraries in the same run."""
