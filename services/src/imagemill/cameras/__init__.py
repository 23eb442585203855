"""What may be read of a camera and how: addresses, credentials, feeds. Nothing here is a program."""
