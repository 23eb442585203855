"""How requests reach the application: no thread waits for a client that sends or reads slowly."""
