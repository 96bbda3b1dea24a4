"""One HTTP request, and what a load balancer itself refuses."""
