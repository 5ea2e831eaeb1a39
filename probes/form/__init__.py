"""Channel `form`: contact forms, JSON APIs and inbound-parse webhooks, by plain HTTP."""
