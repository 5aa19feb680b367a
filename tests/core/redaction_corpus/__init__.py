"""What redaction is measured by: secrets that must go and look-alikes that must stay.

All of it is made when the tests run, from a seed, and the marks of tokens are put together from
parts: no complete secret stands in the repository, where a host's push protection would refuse it.
"""
