"""What happens now: the event stream and the page that shows it."""
