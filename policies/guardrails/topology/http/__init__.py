"""One HTTP request, and the requests that a load balancer itself rejects."""
