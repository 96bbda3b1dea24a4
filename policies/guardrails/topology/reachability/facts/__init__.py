"""Facts of a stack's network: the placement of network interfaces, and the rules of groups, network ACLs and routes.

``facts_of`` builds all of them before anything is evaluated. A value that is not known yet is recorded in the fact that
it belongs to.
"""
