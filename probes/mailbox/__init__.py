"""The mailboxes: one IMAP connection each, watched for arrivals, replies and bounces, and gauged."""
