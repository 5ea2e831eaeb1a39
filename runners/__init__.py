"""Clock, store, schedule, telemetry, alerts and the command line: whoever runs the probes."""
