"""Channel `portal`: a customer's journey through a support portal, in a headless browser."""
