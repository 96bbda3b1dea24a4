"""Facts of a stack's network: what has network interfaces and where, and what each group, network ACL and route allows.

``facts_of`` builds all of them before anything is evaluated. A value that is not known yet is recorded in the fact that
it belongs to.
"""
