"""What each page costs the servers, against how many pictures there are."""
