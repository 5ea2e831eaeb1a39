"""What a mail is made of and what it says; no IO."""
