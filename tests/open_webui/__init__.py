"""What the real Open WebUI package says about itself: requests of a first visit, routes and their bodies."""
