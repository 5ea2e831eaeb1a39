"""All that touches a target: channels, watchers and ticketing adapters."""
