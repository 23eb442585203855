"""The program which people and other programs speak to: REST, events and the page."""
