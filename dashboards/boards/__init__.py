"""The dashboards, one a room. For development alone, as `dashboards.panels`; what is installed is their JSON."""
