"""Ready-to-apply files made from the configuration: for Kubernetes, for cron and for systemd. Text out of values, no IO."""
