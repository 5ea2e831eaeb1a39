"""The configuration: one YAML file, parsed once into typed, frozen values."""
