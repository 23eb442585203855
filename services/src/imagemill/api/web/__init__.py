"""What all routes and pages share: the app, errors, forms, formatting, the API's description."""
