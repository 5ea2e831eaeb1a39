"""The command line: answers to standard output, everything else to standard error."""
