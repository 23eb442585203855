"""What travels through the broker: exchanges and queues, messages, and the connection itself."""
