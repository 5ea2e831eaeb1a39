"""The channel e-mail: a canary mail submitted by SMTP."""
