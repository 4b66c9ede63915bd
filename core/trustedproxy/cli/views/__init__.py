"""Tables and colours for terminals: one module for each thing that is shown."""
