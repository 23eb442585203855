"""What every program shares: settings, logs, health, start and end."""
